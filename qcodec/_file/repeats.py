"""Tensors of a file that are there already: under another name, or in another element type."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

import numpy as np

from .._base.arrays import as_array, bytes_of, cast, unusual_tensor
from .._base.delta_base import Base
from ..dtypes import BY_NAME, ElementType
from ..errors import naming
from .container import Alias

Array = np.ndarray[Any, Any]

#: The types that copies of float32 masters have.
_NARROW = ("bfloat16", "float16")
#: So many elements are compared before all are.
_SAMPLE = 256

#: What says how a tensor is encoded, by its name, shape and element type; None: it is not.
Treatment = Callable[[str, tuple[int, ...], str], Any]
#: Arrays with no more bytes are compared by these, which are read sooner than a digest.
_SHORT_BYTES = 1 << 11
#: Address, shape, strides, and element type.
_Memory = tuple[int, tuple[int, ...], tuple[int, ...], Any]


class _Tensor(NamedTuple):
    name: str
    array: Array
    element: ElementType


def repeats(tensors: Mapping[str, Any], treatment: Treatment, exact: Treatment) -> dict[str, Alias]:
    """Find the tensors that need not be stored, and what they stand for.

    A tensor with the memory of an earlier one is another name of that. One with the same elements,
    or with a master's elements rounded to a narrower type, is a tensor of its own when it is read.

    Parameters
    ----------
    tensors : mapping of str to array_like
        Only of a dict are the elements compared: another mapping may load each array on demand,
        into the memory of a freed one.
    treatment : callable
        Equal tensors are stored once only if they are treated in the same way.
    exact : callable
        Whether every bit of a tensor is kept.
    """
    if not isinstance(tensors, dict):
        return {}
    found: dict[str, Alias] = {}
    memories: dict[_Memory, list[tuple[str, Any]]] = {}
    by_shape: dict[tuple[int, ...], list[_Tensor]] = {}
    for name, value in tensors.items():
        memory = _memory(value)
        if memory is None:
            continue
        with naming(name):
            array, element = as_array(value)
            how = treatment(name, array.shape, element.name)
        if how is None:
            continue
        others = memories.setdefault(memory, [])
        original = next((other for other, its in others if its == how), None)
        if original is not None:
            found[name] = Alias(original)
        else:
            others.append((name, how))
            by_shape.setdefault(array.shape, []).append(_Tensor(name, array, element))
    # What has two names stays a tensor, so that a name never stands for what stands for another.
    named_twice = {alias.target for alias in found.values()}
    for alike in by_shape.values():
        copies = _equal(alike, named_twice, treatment)
        masters = [tensor for tensor in alike if tensor.name not in copies]
        found |= copies | _rounded(masters, named_twice, exact)
    return found


def _equal(tensors: list[_Tensor], stored: Set[str], treatment: Treatment) -> dict[str, Alias]:
    """Find tensors with the same bits as an earlier one; digests tell which to compare."""
    found: dict[str, Alias] = {}
    if len(tensors) < 2:
        return found
    first: dict[tuple[str, bytes], _Tensor] = {}
    for one in tensors:
        name, array, element = one
        digest = array.tobytes() if array.nbytes <= _SHORT_BYTES else Base.of(array).digest
        other = first.setdefault((element.name, digest), one)
        if other is one or name in stored:
            continue
        if not np.array_equal(bytes_of(array), bytes_of(other.array)):
            continue
        shape, dtype = array.shape, element.name
        if treatment(name, shape, dtype) == treatment(other.name, shape, dtype):
            found[name] = Alias(other.name, dtype)
    return found


def _rounded(tensors: list[_Tensor], stored: Set[str], exact: Treatment) -> dict[str, Alias]:
    """Find tensors of a narrow type that are a float32 tensor, rounded."""
    wide = BY_NAME["float32"]
    found: dict[str, Alias] = {}
    if not any(one.element.name in _NARROW for one in tensors):
        return found
    masters = [one for one in tensors if one.element is wide and _is_exact(one, exact)]
    for one in tensors:
        if one.element.name not in _NARROW or one.name in stored or not _is_exact(one, exact):
            continue
        for master in masters:
            if all(
                np.array_equal(bytes_of(cast(part, wide, one.element)), bytes_of(copy))
                for part, copy in _sample_and_whole(master.array, one.array)
            ):
                found[one.name] = Alias(master.name, one.element.name)
                break
    return found


def _is_exact(tensor: _Tensor, exact: Treatment) -> bool:
    return bool(exact(tensor.name, tensor.array.shape, tensor.element.name))


def _sample_and_whole(master: Array, copy: Array) -> list[tuple[Array, Array]]:
    flat, other = master.reshape(-1), copy.reshape(-1)
    return [(flat[:_SAMPLE], other[:_SAMPLE]), (flat, other)]


def _memory(value: Any) -> _Memory | None:
    """Return what identifies a tensor's memory; None if it has no memory of its own."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        if unusual_tensor(value) or not value.data_ptr():
            return None
        # With the negative or the conjugate bit, values are negated or conjugated ones of memory.
        kind = f"{value.dtype} {value.device} {value.is_neg()} {value.is_conj()}"
        return (value.data_ptr(), tuple(value.shape), value.stride(), kind)
    if isinstance(value, np.ndarray) and value.size and not isinstance(value, np.ma.MaskedArray):
        # Of dtypes and addresses, these are what takes the least time.
        address = value.__array_interface__["data"][0]
        return (address, value.shape, value.strides, value.dtype)
    return None
