"""Print the tensor of a frame, or the tensors of a pack: ``python -m reference FILE``."""

from __future__ import annotations

import sys
from pathlib import Path

from . import FormatError, Tensor, decode, decode_entry, read_pack
from .element_types import BY_NAME, float_of

_SHOWN = 64


def values_of(tensor: Tensor) -> list[float | int | bool]:
    """A tensor's elements as Python numbers, in C order."""
    row = BY_NAME[tensor.dtype]
    parts = [tensor.data[at : at + row.size] for at in range(0, len(tensor.data), row.size)]
    if row.is_float:
        return [float_of(part, row.name) for part in parts]
    if row.name == "bool":
        return [part != b"\0" for part in parts]
    signed = row.name.startswith("i")
    return [int.from_bytes(part, "little", signed=signed) for part in parts]


def show(name: str, tensor: Tensor) -> None:
    """Print a tensor on one line."""
    values = values_of(tensor)
    text = " ".join(map(str, values[:_SHOWN])) + (" ..." if len(values) > _SHOWN else "")
    print(f"{name}: {tensor.dtype} {list(tensor.shape)}: {text}")


def main(arguments: list[str]) -> int:
    """Print the tensors of a file, and return the exit status."""
    if len(arguments) != 1:
        print("usage: python -m reference FILE", file=sys.stderr)
        return 2
    data = Path(arguments[0]).read_bytes()
    try:
        if data[:2] == b"QP":
            entries = read_pack(data)
            for name in entries:
                show(name, decode_entry(entries, name))
        else:
            show(arguments[0], decode(data))
    except FormatError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
