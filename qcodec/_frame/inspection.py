"""`info`: the contents of a frame, and the use of its bytes, exact to the byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._core import core
from ..dtypes import BY_ID, QUANTIZABLE
from . import ids
from .stream_heads import StreamHeads

_CODINGS = core.coding_names()
_ROLES = {0: "gaps", 1: "mask", 2: "row counts"}
_FIRST_PLANE = 3
_FIRST_COPIES = 16
_COPIES_STREAMS = ("runs", "lengths", "distances", "directions", "steps", "low bits", "signs")
_DELTA_STREAMS = ("differences", "low bits", "escapes")
_FLOAT_STREAMS = ("exponents", "rest")
_CRC_BYTES = 4
_DIRECTORY_ENTRY_BYTES = 8


@dataclass(frozen=True)
class Section:
    """The bytes of a frame that serve one purpose.

    Attributes
    ----------
    name : str
        Such as ``"values"``, ``"gaps"``, ``"codebook"``, ``"head"``.
    coding : str
        The coding of a stream, or several joined by ``+``; empty if the section has no stream.
    bytes : int
    """

    name: str
    coding: str
    bytes: int


@dataclass(frozen=True)
class Info:
    """A description of a frame.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
    kind, positions : str
        docs/format.md, sections 4 and 6.
    gap_width, code_bits : int
        Bits of a gap (0: no gaps) and of a code, at fixed width.
    elements, stored : int
        Number of elements of the tensor, and of stored elements, fillers included.
    chunks : int
    dense_bytes : int
        Size of the decoded tensor.
    bytes : int
        Length of the frame.
    sections : tuple of Section
        Their bytes add up to `bytes`.
    base : str
        For kind delta: the digest of the base that decoding needs, in hexadecimal.
    """

    shape: tuple[int, ...]
    dtype: str
    kind: str
    positions: str
    code_bits: int
    gap_width: int
    elements: int
    stored: int
    chunks: int
    dense_bytes: int
    bytes: int
    sections: tuple[Section, ...]
    base: str = ""

    @property
    def bits_per_weight(self) -> float:
        """Encoded bits per element of the tensor."""
        return 8 * self.bytes / self.elements if self.elements else 0.0

    @property
    def ratio(self) -> float:
        """Dense bytes per encoded byte; 0 for a part of a frame whose share is less than a byte."""
        return self.dense_bytes / self.bytes if self.bytes else 0.0

    @property
    def codings(self) -> tuple[str, ...]:
        """The codings that occur, by name."""
        names = {name for section in self.sections for name in section.coding.split("+") if name}
        return tuple(sorted(names))

    def as_dict(self) -> dict[str, Any]:
        """Return the description as plain values, for JSON."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "kind": self.kind,
            "positions": self.positions,
            "code_bits": self.code_bits,
            "gap_width": self.gap_width,
            "elements": self.elements,
            "stored": self.stored,
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


def inspect_frame(frame: core.Frame, read: Callable[[int, int], Any], is_view: bool) -> Info:
    """Describe a frame by its head and chunks, without decoding elements.

    If `read` copies, only what precedes the bodies of streams is read.
    """
    kind = ids.KIND_NAMES[frame.kind]
    streams: dict[str, int] = {}
    codings: dict[str, set[str]] = {}
    counts = stored = 0
    heads = StreamHeads(frame, read, is_view)
    for index in range(frame.chunks):
        _, left, _, elements = frame.chunk(index)
        found, present = heads.of_chunk(index)
        for role, coding, size, _ in found:
            name = _role_name(role, frame)
            streams[name] = streams.get(name, 0) + size
            codings.setdefault(name, set()).add(_CODINGS[coding])
            left -= size
        counts += left
        stored += present if frame.positions else elements
    sections = [*_head_sections(frame), Section("counts", "", counts)]
    sections += [
        Section(name, "+".join(sorted(codings[name])), size) for name, size in streams.items()
    ]
    return Info(
        shape=frame.shape,
        dtype=BY_ID[frame.dtype].name,
        kind=kind,
        positions=ids.POSITIONS_NAMES[frame.positions],
        code_bits=0 if kind in ids.ELEMENT_KINDS else frame.width,
        gap_width=frame.gap_width,
        elements=frame.elements,
        stored=stored,
        chunks=frame.chunks,
        dense_bytes=frame.elements * frame.item_size,
        bytes=frame.frame_bytes,
        sections=tuple(section for section in sections if section.bytes),
        base=frame.digest().hex(),
    )


def _role_name(role: int, frame: core.Frame) -> str:
    if role < _FIRST_PLANE:
        return _ROLES[role]
    if role >= _FIRST_COPIES:
        return _COPIES_STREAMS[role - _FIRST_COPIES]
    kind, number = ids.KIND_NAMES[frame.kind], role - _FIRST_PLANE
    if kind == "delta":
        return _DELTA_STREAMS[number]
    if kind != "planes":
        return "values"
    if number == BY_ID[frame.stored_dtype].itemsize:
        return "escapes"
    is_float = BY_ID[frame.dtype].name in QUANTIZABLE
    return _FLOAT_STREAMS[number] if is_float and number < 2 else f"plane {number}"


def _head_sections(frame: core.Frame) -> list[Section]:
    chunked = frame.chunk_elements > 0
    directory = frame.chunks * _DIRECTORY_ENTRY_BYTES if chunked else 0
    parameters = [
        _parameter("codebook", frame.codebook),
        _parameter("scales", frame.scales),
        _parameter("zero points", frame.zero_points),
    ]
    others = [*parameters, Section("notes", "", frame.notes_bytes)]
    head = frame.head_bytes - sum(section.bytes for section in others) - directory
    return [
        Section("head", "", head - (_CRC_BYTES if chunked else 0)),
        *others,
        Section("directory", "", directory),
        Section("checksum", "", _CRC_BYTES),
    ]


def _parameter(name: str, groups: core.FrameGroups | None) -> Section:
    if groups is None:
        return Section(name, "", 0)
    lengths = groups.lengths_bytes
    if groups.coded is None:
        return Section(name, "", groups.verbatim_bytes + lengths)
    size, codings = groups.coded
    used = "+".join(sorted({_CODINGS[coding] for coding in codings}))
    return Section(name, used, size + lengths)
