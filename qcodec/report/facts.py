"""The facts of a file, tensor by tensor, which pages, pictures and tables are made of."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from .codes import Codes
from .histogram import Histogram
from .stages import STAGES


@dataclass(frozen=True)
class TensorFacts:
    """The facts of one tensor.

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype, kind, positions : str
        As in `qcodec.Info`; kind is ``"ordinary"`` of a tensor that is not encoded, and
        ``"converted"`` of a copy of another one in another type.
    codec : str
        How it is stored, in words.
    codings : tuple of str
    elements : int
    bytes, dense_bytes : int
        In the file; as it is in memory.
    parts : dict of str to int
        `bytes` by purpose: `qcodec.report.PURPOSES`.
    same_as : str
        The tensor that it is another name or a copy of; empty: of none.
    kept : int or None
        Elements that are not zero. This and all that follow are None, or empty, if they are
        not known: they need the decoded tensor.
    stages : dict of str to int or None
        Bytes after each stage: `qcodec.report.STAGES`.
    entropy_bits : float or None
        Entropy of order 0 of the codes, bits an element; an element without a code is one more
        symbol. Of quantized tensors only.
    code_bits : float or None
        The bits an element that codes and positions take in the file, without parameters and
        heads.
    codes : Codes or None
        Of quantized tensors with at most 256 different codes.
    values : Histogram or None
        Of the decoded tensor, without zeros if it is sparse.
    original : Histogram or None
        Of the original, in bins of its own.
    sqnr_db : float or None
        Against the original; None also if it is equal.
    is_exact : bool or None
        Whether it equals the original, bit for bit; None: it was not compared.
    signal : float
        The sum of the squares of the original, for `FileFacts.sqnr_db`.
    note : str
        Why facts are missing, if they are.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    kind: str
    positions: str
    codec: str
    codings: tuple[str, ...]
    elements: int
    bytes: int
    dense_bytes: int
    parts: dict[str, int] = field(default_factory=dict)
    same_as: str = ""
    kept: int | None = None
    stages: dict[str, int] | None = None
    entropy_bits: float | None = None
    code_bits: float | None = None
    codes: Codes | None = None
    values: Histogram | None = None
    original: Histogram | None = None
    sqnr_db: float | None = None
    is_exact: bool | None = None
    signal: float = 0.0
    note: str = ""

    @property
    def bits_per_weight(self) -> float:
        """All bytes of the tensor in the file, in bits an element."""
        return 8 * self.bytes / self.elements if self.elements else 0.0

    @property
    def kept_percent(self) -> float | None:
        """The share of elements that are not zero."""
        if self.kept is None:
            return None
        return 100 * self.kept / self.elements if self.elements else 100.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self) | {
            "bits_per_weight": self.bits_per_weight,
            "kept_percent": self.kept_percent,
        }


@dataclass(frozen=True)
class FileFacts:
    """The facts of a file.

    Attributes
    ----------
    name : str
        Of the file, without its folder.
    bytes : int
    tensors : tuple of TensorFacts
        In the order of the file.
    attached : dict of str to int
        What belongs to the file and is no tensor, and the bytes of each.
    head_bytes : int
        Names, offsets and checksums of the whole file.
    original : str
        The name of the file that it was compared with; empty: of none.
    """

    name: str
    bytes: int
    tensors: tuple[TensorFacts, ...]
    attached: dict[str, int]
    head_bytes: int
    original: str = ""

    @property
    def elements(self) -> int:
        """Elements of all tensors, each counted once if it has several names."""
        return sum(tensor.elements for tensor in self.tensors if not tensor.same_as)

    @property
    def dense_bytes(self) -> int:
        """Bytes of all decoded tensors, each counted once if it has several names."""
        return sum(tensor.dense_bytes for tensor in self.tensors if not tensor.same_as)

    @property
    def parts(self) -> dict[str, int]:
        """The file's bytes by purpose; what is attached is a purpose of its own."""
        found: dict[str, int] = {}
        for tensor in self.tensors:
            for purpose, size in tensor.parts.items():
                found[purpose] = found.get(purpose, 0) + size
        heads = "names, heads, checksums"
        found[heads] = found.get(heads, 0) + self.head_bytes
        found["attached"] = sum(self.attached.values())
        return {purpose: size for purpose, size in found.items() if size}

    @property
    def stages(self) -> dict[str, int]:
        """The bytes of all tensors after each stage, then those of the file.

        Tensors whose stages are not known count as they are in the file from the second one on.
        """
        found = dict.fromkeys(STAGES, 0)
        for tensor in self.tensors:
            if tensor.same_as:
                continue
            unknown = {"float": tensor.dense_bytes} | dict.fromkeys(STAGES[1:], tensor.bytes)
            for stage, size in (tensor.stages or unknown).items():
                found[stage] += size
        return found | {"file": self.bytes}

    @property
    def sqnr_db(self) -> float | None:
        """The signal-to-noise ratio of all compared tensors together; None: all are equal."""
        compared = [tensor for tensor in self.tensors if tensor.is_exact is not None]
        noise = sum(
            tensor.signal / 10 ** (tensor.sqnr_db / 10)
            for tensor in compared
            if tensor.sqnr_db is not None
        )
        signal = sum(tensor.signal for tensor in compared)
        return 10 * math.log10(signal / noise) if noise > 0 and signal > 0 else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "name": self.name,
            "bytes": self.bytes,
            "dense_bytes": self.dense_bytes,
            "elements": self.elements,
            "head_bytes": self.head_bytes,
            "parts": self.parts,
            "stages": self.stages,
            "sqnr_db": self.sqnr_db,
            "original": self.original,
            "attached": self.attached,
            "tensors": [tensor.as_dict() for tensor in self.tensors],
        }
