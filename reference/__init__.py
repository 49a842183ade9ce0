"""A slow decoder of qcodec's bytes, written from docs/format.md and nothing else.

Its modules follow the sections of that document. Read them beside the text; tests compare the
fast decoder with them. They import only the standard library.

Examples
--------
Three elements of kind bytes, bitpacked:

>>> frame = bytes.fromhex("5143 81 00 02 04 01 03 09  01 03 07 08 09  35 83 fb 60")
>>> list(decode(frame).data)
[7, 8, 9]
"""

from .conventions import Checksum, Corrupt, FormatError, Limit, Truncated, Unsupported
from .frame import Tensor, decode, notes_of, verify
from .pack import decode_entry, read_pack, table_of

__all__ = [
    "Checksum",
    "Corrupt",
    "FormatError",
    "Limit",
    "Tensor",
    "Truncated",
    "Unsupported",
    "decode",
    "decode_entry",
    "notes_of",
    "read_pack",
    "table_of",
    "verify",
]
