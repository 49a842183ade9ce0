"""Section 9: safetensors files.

The document does not describe the layout of these. It is: 8 bytes with the length of the header,
the header in JSON, then the bytes of the entries, one after the other. The header says for each
entry its type, its shape, and where its bytes begin and end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .conventions import BitString, Corrupt, Reader, Truncated, Unsupported, require
from .element_types import BY_NAME
from .frame import Tensor, decode
from .pack import ATTACHED, decode_entry, read_pack

FRAME_SUFFIX = ".qcodec"
PACK_NAME = "qcodec.pack"
HEADER_LENGTH_BYTES = 8
METADATA = "__metadata__"
FIELDS = {"dtype", "shape", "data_offsets"}

DTYPES = {
    **{name.upper(): name for name in ("f16", "f32", "f64", "bf16", "bool", "c64", "f4")},
    **{sign.upper() + bits: sign + bits for sign in "ui" for bits in ("8", "16", "32", "64")},
    "F6_E2M3": "f6e2m3",
    "F6_E3M2": "f6e3m2",
    "F8_E4M3": "f8e4m3",
    "F8_E5M2": "f8e5m2",
    "F8_E8M0": "e8m0",
    "F8_E4M3FNUZ": "f8e4m3fnuz",
    "F8_E5M2FNUZ": "f8e5m2fnuz",
}
"""The types of safetensors: all of them are element types of section 3."""

PACKED = ("f4", "f6e2m3", "f6e3m2")
"""Types whose elements share bytes in safetensors files: the first one has the lowest bits."""


@dataclass(frozen=True)
class StoredEntry:
    """An entry of the file."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @property
    def is_u8_with_one_dimension(self) -> bool:
        """Only such an entry is a frame or a pack."""
        return self.dtype == "U8" and len(self.shape) == 1

    def tensor(self) -> Tensor:
        """What an ordinary tensor holds."""
        require(self.dtype in DTYPES, f"dtype {self.dtype}", Unsupported)
        dtype = DTYPES[self.dtype]
        if dtype not in PACKED:
            return Tensor(dtype, self.shape, self.data)
        bits = BitString(self.data, "elements")
        elements = [bits.take(BY_NAME[dtype].bits) for _ in range(math.prod(self.shape))]
        return Tensor(dtype, self.shape, bytes(elements))


def read_safetensors(data: bytes, bases: Mapping[str, bytes] | None = None) -> dict[str, Tensor]:
    """The tensors of a file by name. `bases` has the elements of the bases of those that need one.

    A frame and the pack are inputs of their own: one that ends too early is Truncated.
    """
    tensors: dict[str, Tensor] = {}

    def add(name: str, tensor: Tensor) -> None:
        require(name not in tensors, f"two tensors of the name {name!r}")
        tensors[name] = tensor

    bases = {} if bases is None else bases
    entries = _read_entries(data)
    pack = entries.get(PACK_NAME)
    if pack is not None and pack.is_u8_with_one_dimension:
        del entries[PACK_NAME]
    else:
        pack = None
    for name, entry in entries.items():
        if name.endswith(FRAME_SUFFIX) and entry.is_u8_with_one_dimension:
            tensor_name = name.removesuffix(FRAME_SUFFIX)
            add(tensor_name, decode(entry.data, base=bases.get(tensor_name)))
        else:
            add(name, entry.tensor())
    if pack is not None:
        around = dict(tensors)
        in_pack = read_pack(pack.data, around)
        for name, packed in in_pack.items():
            if packed.role != ATTACHED:
                add(name, decode_entry(in_pack, name, base=bases.get(name)))
    return tensors


def _read_entries(data: bytes) -> dict[str, StoredEntry]:
    """The entries in the order of their bytes, which follow each other without holes."""
    reader = Reader(data, length_is_known=False)
    length = int.from_bytes(reader.take(HEADER_LENGTH_BYTES, "length of the header"), "little")
    header = _parse_header(reader.take(length, "header"))
    metadata = header.pop(METADATA, None) or {}
    are_texts = isinstance(metadata, dict) and all(isinstance(it, str) for it in metadata.values())
    require(are_texts, "metadata that are not texts")
    for name, fields in header.items():
        require(_is_entry(fields), f"the entry {name!r} of the header")
    entries = {}
    at = 0
    for name, fields in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = fields["data_offsets"]
        require(begin == at, f"a hole or an overlap before {name!r}")
        require(end <= at + reader.left, f"{name!r} is not all there", Truncated)
        values = reader.take(end - begin, name)
        entries[name] = StoredEntry(fields["dtype"], tuple(fields["shape"]), values)
        at = end
    reader.at_end("entries")
    return entries


def _parse_header(header: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(header.decode("utf-8"), object_pairs_hook=_unique)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or header[:1] != b"{":
        raise Corrupt("the header is no JSON object")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    require(len(members) == len(pairs), "a name twice in the header")
    return members


def _is_entry(fields: Any) -> bool:
    """Whether these are a type, a shape, and offsets that fit them."""
    if not isinstance(fields, dict) or fields.keys() != FIELDS:
        return False
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not (isinstance(dtype, str) and _are_sizes(shape) and _are_sizes(offsets)):
        return False
    if len(offsets) != 2 or offsets[1] < offsets[0]:
        return False
    if dtype not in DTYPES:
        return True
    form = BY_NAME[DTYPES[dtype]]
    bits = form.bits if form.name in PACKED else 8 * form.item_size
    return bool(math.prod(shape) * bits == 8 * (offsets[1] - offsets[0]))


def _are_sizes(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(it) is int and it >= 0 for it in numbers)
