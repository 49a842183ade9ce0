"""Tables of qcodec files in the form of Deep Compression's tables: bits and bytes by layer.

Every byte of the file is counted in exactly one row. A **layer** is a float tensor of two or more
dimensions. Its row counts its codes or elements, its positions, and its codebook or scales. Three
rows below count the rest: biases and other tensors, with everything stored for them; heads and
checksums of the layers; and names and places. Of a frame that several tensors share, each has a
share by its elements. A tensor that is stored as a copy of another one takes no bytes, and is
among the others.

**Kept** weights are nonzero after decoding. Bits are per kept weight, before coding (at fixed
width) and after coding (as in the file), so that always

    kept * (weight bits + index bits) / 8 = bytes, without the codebook

**Weight bits** before coding are the width of a code or element; after coding, they are all
streams of values. **Index bits** before coding locate the kept weights: one bit per weight for a
mask, or the gaps and the codes of fillers; after coding, they are the streams of masks, gaps and
row counts. A **dense** layer has no positions, because its values show its zeros. Its index bits
before coding are the codes of its zeros; after coding, these are part of its weight bits, and the
table has a dash for its index bits.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import qcodec
from qcodec.cli.inspect import describe
from qcodec.dtypes import BY_NAME

from .deep_compression_tables import TOTAL, PaperLayer

_INDEX_SECTIONS = ("gaps", "mask", "row counts")
_PARAMETER_SECTIONS = ("codebook", "scales", "zero points")
_HEAD_SECTIONS = ("head", "directory", "checksum", "counts")

_DENSE = "dense"

_COLUMNS = (
    "layer", "weights", "kept %", "weight bits", "coded", "index bits", "coded", "positions",
    "bytes", "% of float32",
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """One layer of a file.

    Attributes
    ----------
    name : str
    elements, kept : int
        The numbers of all weights, and of nonzero weights.
    positions : str
        The form of positions; for gaps with their width.
    fixed_weight_bits, fixed_index_bits : int
        Size at fixed width, in bits: codes of kept weights, and everything else.
    weight_bytes, index_bytes, parameter_bytes, head_bytes : int
        Size in the file: codes; positions; codebook, scales and zero points; head, directory and
        checksum.
    """

    name: str
    elements: int
    kept: int
    positions: str
    fixed_weight_bits: int
    fixed_index_bits: int
    weight_bytes: int
    index_bytes: int
    parameter_bytes: int
    head_bytes: int

    @property
    def is_dense(self) -> bool:
        """Whether the layer is stored dense; for a total, whether any layer is."""
        return self.positions == _DENSE

    @property
    def bytes(self) -> int:
        """The bytes that the layer's row counts."""
        return self.weight_bytes + self.index_bytes + self.parameter_bytes


@dataclass(frozen=True)
class Report:
    """The bytes of a file, each counted once.

    Attributes
    ----------
    layers : tuple of Layer
    other_elements, other_bytes : int
        Biases and other tensors.
    name_bytes : int
        Names, places, and their checksums.
    bytes : int
        The length of the file.
    """

    layers: tuple[Layer, ...]
    other_elements: int
    other_bytes: int
    name_bytes: int
    bytes: int

    @property
    def head_bytes(self) -> int:
        """The bytes of heads and checksums of the layers."""
        return sum(layer.head_bytes for layer in self.layers)

    @property
    def elements(self) -> int:
        """The number of elements of all tensors."""
        return self.other_elements + sum(layer.elements for layer in self.layers)

    @property
    def share(self) -> float:
        """The size in percent of all tensors as float32."""
        return 25 * self.bytes / self.elements if self.elements else 0.0

    def total(self) -> Layer:
        """The sum of all layers."""
        counts = [asdict(layer) for layer in self.layers]
        is_dense = any(layer.is_dense for layer in self.layers)
        sums = {
            key: sum(row[key] for row in counts)
            for key in Layer.__annotations__
            if key not in ("name", "positions")
        }
        return Layer(name=TOTAL, positions=_DENSE if is_dense else "", **sums)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; bits and percentages as in the table."""
        return {
            "layers": [_plain(layer) for layer in self.layers],
            "total": _plain(self.total()),
            "other_elements": self.other_elements,
            "other_bytes": self.other_bytes,
            "head_bytes": self.head_bytes,
            "name_bytes": self.name_bytes,
            "bytes": self.bytes,
            "share": self.share,
        }

    def markdown(self, paper: Mapping[str, PaperLayer] | None = None) -> str:
        """The table, with the paper's figures in brackets where there are any.

        Parameters
        ----------
        paper : mapping of str to PaperLayer, optional
            Keys are names of layers, with or without ``.weight``, and ``"total"``.
        """
        paper = paper or {}
        found = {layer.name: _paper_row(paper, layer.name) for layer in self.layers}
        rows = [_cells(layer, found[layer.name]) for layer in self.layers]
        rows.append(_cells(self.total(), paper.get(TOTAL)))
        rows.append(_size_cells("biases and others", self.other_bytes, self.other_elements))
        rows.append(_size_cells("heads, checksums", self.head_bytes))
        rows.append(_size_cells("names, places", self.name_bytes))
        rows.append(_size_cells("**file**", self.bytes, self.elements, f"{self.share:.2f}"))
        return table(_COLUMNS, rows)


def report(path: str | os.PathLike[str]) -> Report:
    """Read a file and account for its bytes.

    Parameters
    ----------
    path : path-like
        A pack or a safetensors file of qcodec.

    Returns
    -------
    Report

    Raises
    ------
    QCodecError
        If the file is invalid.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, qcodec
    >>> weights = np.zeros((40, 50), np.float32)
    >>> weights[:, ::5] = np.linspace(1, 2, 400).reshape(40, 10)
    >>> tensors = {"fc.weight": weights, "fc.bias": np.ones(40, np.float32)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "net.qcodec")
    ...     size = qcodec.save_file(tensors, path, recipe={"weight": qcodec.DeepCompression(4)})
    ...     found = report(path)
    >>> layer = found.layers[0]
    >>> layer.name, layer.kept, found.bytes == size
    ('fc.weight', 400, True)
    """
    with qcodec.safe_open(path) as file:
        described = describe(file)
        layers, others = [], []
        for tensor in described["tensors"]:
            if _is_layer(tensor):
                kept = int(np.count_nonzero(file.get_tensor(tensor["name"])))
                layers.append(_layer(tensor, kept))
            else:
                others.append(tensor)
    return Report(
        layers=tuple(layers),
        other_elements=sum(tensor["elements"] for tensor in others if "alias_of" not in tensor),
        other_bytes=sum(tensor["bytes"] for tensor in others),
        name_bytes=described["safetensors_header_bytes"] + described["pack_table_bytes"],
        bytes=described["bytes"],
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown: the first column is aligned left, the others right."""
    lines = [f"| {' | '.join(columns)} |", f"|---|{'---:|' * (len(columns) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def bits(total: float, kept: int) -> float:
    """Bits per kept weight; 0 if none is kept."""
    return total / kept if kept else 0.0


def _is_layer(tensor: Mapping[str, Any]) -> bool:
    element = BY_NAME.get(tensor["dtype"])
    is_float = element is not None and element.is_float
    is_stored = tensor["kind"] not in ("ordinary", "converted") and "alias_of" not in tensor
    return is_stored and is_float and len(tensor["shape"]) >= 2


def _layer(tensor: Mapping[str, Any], kept: int) -> Layer:
    sizes = {section["name"]: section["bytes"] for section in tensor["sections"]}

    def sum_of(names: tuple[str, ...]) -> int:
        return sum(sizes.get(name, 0) for name in names)

    index, parameters, heads = map(sum_of, (_INDEX_SECTIONS, _PARAMETER_SECTIONS, _HEAD_SECTIONS))
    form, gap_width = tensor["positions"], tensor["gap_width"]
    width = tensor["code_bits"] or 8 * BY_NAME[tensor["dtype"]].itemsize
    zeros = tensor["stored"] - kept
    return Layer(
        name=tensor["name"],
        elements=tensor["elements"],
        kept=kept,
        positions=f"{form} {gap_width}" if gap_width else form,
        fixed_weight_bits=kept * width,
        fixed_index_bits=zeros * width + _position_bits(tensor),
        weight_bytes=tensor["bytes"] - index - parameters - heads,
        index_bytes=index,
        parameter_bytes=parameters,
        head_bytes=heads,
    )


def _position_bits(tensor: Mapping[str, Any]) -> int:
    """The size of the positions at fixed width, in bits."""
    form, shape = tensor["positions"], tensor["shape"]
    if form in ("mask", "bit_mask"):
        return int(tensor["elements"])
    gaps: int = tensor["stored"] * tensor["gap_width"]
    if form == "csr":
        gaps += shape[0] * max(math.prod(shape[1:]).bit_length(), 1)
    return gaps


def _plain(layer: Layer) -> dict[str, Any]:
    return {
        **asdict(layer),
        "kept_percent": 100 * bits(layer.kept, layer.elements),
        "weight_bits": bits(layer.fixed_weight_bits, layer.kept),
        "weight_bits_coded": bits(8 * layer.weight_bytes, layer.kept),
        "index_bits": bits(layer.fixed_index_bits, layer.kept),
        "index_bits_coded": bits(8 * layer.index_bytes, layer.kept),
        "bytes": layer.bytes,
        "share": 25 * bits(layer.bytes, layer.elements),
    }


def _paper_row(paper: Mapping[str, PaperLayer], name: str) -> PaperLayer | None:
    return paper.get(name, paper.get(name.removesuffix(".weight")))


def _cells(layer: Layer, paper: PaperLayer | None) -> tuple[str, ...]:
    row = _plain(layer)
    return (
        layer.name.removesuffix(".weight"),
        f"{layer.elements:,}",
        _beside(f"{row['kept_percent']:.1f}", paper and paper.kept),
        _beside(_short(row["weight_bits"]), paper and paper.weight_bits),
        _beside(_short(row["weight_bits_coded"]), paper and paper.weight_bits_coded),
        _beside("-" if layer.is_dense else _short(row["index_bits"]), paper and paper.index_bits),
        _beside(
            _short(row["index_bits_coded"]) if layer.index_bytes else "-",
            paper and paper.index_bits_coded,
        ),
        "" if layer.name == TOTAL else layer.positions,
        f"{layer.bytes:,}",
        _beside(f"{row['share']:.2f}", paper and paper.share_coded),
    )


def _size_cells(name: str, size: int, elements: int = 0, share: str = "") -> tuple[str, ...]:
    return (name, f"{elements:,}" if elements else "", *[""] * 6, f"{size:,}", share)


def _beside(ours: str, paper: float | None) -> str:
    return ours if paper is None else f"{ours} ({paper:g})"


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
