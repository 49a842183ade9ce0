"""Where the bytes of a frame go: `info`, exact to the byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._core import core
from ..dtypes import BY_ID
from . import ids

_CODINGS = core.coding_names()
_ROLES = {0: "gaps", 1: "mask", 2: "row counts"}
_FIRST_PLANE = 3
_DELTA_STREAMS = ("differences", "low bits", "escapes")
_CRC_BYTES = 4
_DIRECTORY_ENTRY_BYTES = 8


@dataclass(frozen=True)
class Section:
    """Bytes of a frame that serve one purpose.

    Attributes
    ----------
    name : str
        Such as ``"values"``, ``"gaps"``, ``"codebook"``, ``"head"``.
    coding : str
        Coding of a stream (several: joined by ``+``); empty for what is not a stream.
    bytes : int
    """

    name: str
    coding: str
    bytes: int


@dataclass(frozen=True)
class Info:
    """What a frame holds.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
    kind, positions : str
        docs/format.md, sections 4 and 6.
    gap_width, code_bits : int
        Bits at fixed width of a gap (0: none) and of a code.
    elements, entries : int
        Elements of the tensor; stored ones, fillers included.
    chunks : int
    sections : tuple of Section
        Their bytes add up to `bytes`, the frame's length.
    base : str
        Kind delta: the digest of the base that decoding needs, in hexadecimal.
    """

    shape: tuple[int, ...]
    dtype: str
    kind: str
    positions: str
    code_bits: int
    gap_width: int
    elements: int
    entries: int
    chunks: int
    dense_bytes: int
    bytes: int
    sections: tuple[Section, ...]
    base: str = ""

    @property
    def bits_per_weight(self) -> float:
        """Encoded bits for each element of the tensor."""
        return 8 * self.bytes / self.elements if self.elements else 0.0

    @property
    def ratio(self) -> float:
        """Dense bytes for each encoded byte."""
        return self.dense_bytes / self.bytes

    @property
    def codings(self) -> tuple[str, ...]:
        """The codings that occur, by name."""
        names = {name for section in self.sections for name in section.coding.split("+") if name}
        return tuple(sorted(names))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "kind": self.kind,
            "positions": self.positions,
            "code_bits": self.code_bits,
            "gap_width": self.gap_width,
            "elements": self.elements,
            "entries": self.entries,
            "chunks": self.chunks,
            "dense_bytes": self.dense_bytes,
            "bytes": self.bytes,
            "bits_per_weight": self.bits_per_weight,
            "base": self.base,
            "codings": list(self.codings),
            "sections": [
                {"name": s.name, "coding": s.coding, "bytes": s.bytes} for s in self.sections
            ],
        }


def inspect_frame(frame: core.Frame, read: Callable[[int, int], Any]) -> Info:
    """Walk a frame's chunks, without decoding them."""
    fields = frame.fields
    kind = ids.KIND_NAMES[fields["kind"]]
    streams: dict[str, int] = {}
    codings: dict[str, set[str]] = {}
    counts = entries = 0
    for index in range(fields["chunks"]):
        offset, length, _, elements = frame.chunk(index)
        data = read(offset, length)
        left = length
        for role, coding, size in frame.streams(index, data):
            name = _role_name(role, fields)
            streams[name] = streams.get(name, 0) + size
            codings.setdefault(name, set()).add(_CODINGS[coding])
            left -= size
        counts += left
        entries += frame.entries(index, data) if fields["positions"] else elements
    sections = [*_head_sections(frame, fields), Section("entry counts", "", counts)]
    sections += [
        Section(name, "+".join(sorted(codings[name])), size) for name, size in streams.items()
    ]
    return Info(
        shape=fields["shape"],
        dtype=BY_ID[fields["dtype"]].name,
        kind=kind,
        positions=ids.POSITIONS_NAMES[fields["positions"]],
        code_bits=0 if kind in ids.BYTES_KINDS else fields["width"],
        gap_width=fields["gap_width"],
        elements=fields["elements"],
        entries=entries,
        chunks=fields["chunks"],
        dense_bytes=fields["elements"] * fields["item_size"],
        bytes=fields["frame_bytes"],
        sections=tuple(section for section in sections if section.bytes),
        base=frame.digest().hex(),
    )


def _role_name(role: int, fields: dict[str, Any]) -> str:
    if role < _FIRST_PLANE:
        return _ROLES[role]
    kind, number = ids.KIND_NAMES[fields["kind"]], role - _FIRST_PLANE
    if kind == "delta":
        return _DELTA_STREAMS[number]
    if kind == "fields":
        return "escapes" if number == fields["item_size"] else f"field {number}"
    return f"plane {number}" if kind == "planes" else "values"


def _head_sections(frame: core.Frame, fields: dict[str, Any]) -> list[Section]:
    chunked = fields["chunk_elements"] > 0
    directory = fields["chunks"] * _DIRECTORY_ENTRY_BYTES if chunked else 0
    entries, scales = fields["books"] * fields["entries"], fields["scale_count"]
    books, steps, points = frame.coded_parameters
    parameters = [
        _parameter("codebook", entries * BY_ID[fields["codebook_dtype"]].itemsize, books),
        _parameter("scales", scales * BY_ID[fields["scale_dtype"]].itemsize, steps),
        _parameter("zero points", 2 * scales if fields["zero_mode"] else 0, points),
    ]
    head = fields["head_bytes"] - sum(section.bytes for section in parameters) - directory
    return [
        Section("head", "", head - (_CRC_BYTES if chunked else 0)),
        *parameters,
        Section("directory", "", directory),
        Section("checksum", "", _CRC_BYTES),
    ]


def _parameter(name: str, verbatim: int, coded: tuple[int, list[int]] | None) -> Section:
    if coded is None:
        return Section(name, "", verbatim)
    size, codings = coded
    return Section(name, "+".join(sorted({_CODINGS[coding] for coding in codings})), size)
