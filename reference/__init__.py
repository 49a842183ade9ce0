"""A slow and clear decoder of the qcodec format, version 1, candidate 1, written from its document.

The modules, by the sections of the document:

1. `conventions`: errors, integers, the CRC, readers
2. `frame`, `head`: frames, heads, notes
3. `element_types`
4. `values`, `planes`, `delta`: what a stored element is; `groups`
5. `parameters`, `coded_floats`
6. `chunk`, `positions`, `copies`; streams are in `codings`
7. `codings`: streams, 7.1, 7.2, 7.6; `huffman`: 7.3; `contexts` and `routers`: 7.4;
   `lanes` and `lane_classes`: 7.5
8. `pack`
9. `safetensors`
"""

from .conventions import Base, Checksum, Corrupt, FormatError, Limit, Truncated, Unsupported
from .frame import Tensor, decode, notes_of, verify
from .pack import Entry, decode_entry, read_pack, table_of
from .safetensors import read_safetensors

__all__ = [
    "Base",
    "Checksum",
    "Corrupt",
    "Entry",
    "FormatError",
    "Limit",
    "Tensor",
    "Truncated",
    "Unsupported",
    "decode",
    "decode_entry",
    "notes_of",
    "read_pack",
    "read_safetensors",
    "table_of",
    "verify",
]
