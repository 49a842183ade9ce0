"""`python -m reference FILE [BASE]` prints the tensors of a file, a line each.

FILE holds a frame or a pack, or is a safetensors file, if that is its suffix. BASE holds what
frames of kind delta were stored against: the bytes of its elements or, for a safetensors file,
another one with tensors of the same names.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from . import FormatError, Tensor, decode, decode_entry, read_pack, read_safetensors
from .element_types import BY_NAME, FLOAT_TYPES, float_of, split_elements
from .pack import MAGIC

MOST_VALUES = 64

Number = bool | int | float | complex


def values_of(tensor: Tensor) -> list[Number]:
    """The elements as Python numbers; those of f4, f6 and fnuz types as they are stored."""
    elements = split_elements(tensor.data, BY_NAME[tensor.dtype].item_size)
    return [_value_of(element, tensor.dtype) for element in elements]


def _value_of(element: bytes, dtype: str) -> Number:
    if dtype in FLOAT_TYPES:
        return float_of(element, dtype)
    if dtype == "c64":
        return complex(*struct.unpack("<ff", element))
    number = int.from_bytes(element, "little", signed=BY_NAME[dtype].signed)
    return bool(number) if dtype == "bool" else number


def line_of(name: str, tensor: Tensor) -> str:
    """`name: dtype [dims]: values`."""
    size = BY_NAME[tensor.dtype].item_size
    shown = Tensor(tensor.dtype, tensor.shape, tensor.data[: MOST_VALUES * size])
    more = " ..." if len(tensor.data) > MOST_VALUES * size else ""
    values = "".join(f" {_text_of(value)}" for value in values_of(shown))
    return f"{name}: {tensor.dtype} {list(tensor.shape)}:{values}{more}"


def _text_of(value: Number) -> str:
    """Whole numbers are written without a point, as in section 10, except -0.0."""
    is_whole = isinstance(value, float) and value.is_integer() and str(value) != "-0.0"
    return str(value).removesuffix(".0") if is_whole else str(value)


def _lines_of(path: Path, base: Path | None) -> list[str]:
    data = path.read_bytes()
    of_base = None if base is None else base.read_bytes()
    if path.suffix == ".safetensors":
        held = {} if of_base is None else read_safetensors(of_base)
        bases = {name: tensor.data for name, tensor in held.items()}
        return [line_of(name, tensor) for name, tensor in read_safetensors(data, bases).items()]
    if data[:2] == MAGIC:
        entries = read_pack(data)
        return [line_of(name, decode_entry(entries, name, base=of_base)) for name in entries]
    return [line_of(path.name, decode(data, base=of_base))]


def main(arguments: list[str]) -> int:
    """Print the tensors; an error is one line on stderr, and the exit status 1."""
    if len(arguments) not in (1, 2):
        print("usage: python -m reference FILE [BASE]", file=sys.stderr)
        return 2
    file, *base = map(Path, arguments)
    try:
        lines = _lines_of(file, base[0] if base else None)
    except (FormatError, OSError) as error:
        print(f"{type(error).__name__}: {error}".replace("\n", " "), file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
