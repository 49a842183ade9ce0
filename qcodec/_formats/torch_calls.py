"""The calls by which pickles make PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._base.messages import quoted
from ..dtypes import BY_NAME, BY_SAFETENSORS
from ..errors import CorruptError
from .located import Located, Unreadable
from .symbolic_pickle import Call, Global, Reference

#: Where a storage is, by its key: the offsets of its first byte and of what follows it.
Places = Mapping[str, tuple[int, int]]

_PLAIN = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
_WITH_DTYPE = ("torch._utils._rebuild_tensor_v3",)
#: Their first argument is a tensor.
_AROUND_A_TENSOR = (
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch.nn.parameter.Parameter",
)
#: Their first argument is a function, their third its arguments.
_AROUND_A_CALL = ("torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type")
#: What other functions of `torch._utils` make, and what to save instead.
_OTHERS = {
    "_rebuild_sparse_tensor": "of a sparse layout (save tensor.to_dense() instead)",
    "_rebuild_qtensor": "quantized by torch (save tensor.dequantize() or int_repr() instead)",
    "_rebuild_nested_tensor": "of a nested layout (save tensor.unbind() instead)",
    "_rebuild_meta_tensor_no_storage": "on the meta device, without elements",
}
_MAX_LAYERS = 8

_STORAGES = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16",
    "BFloat16Storage": "BF16", "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16",
    "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL", "ComplexFloatStorage": "C64",
    "UntypedStorage": "U8",
}  # fmt: skip


def element_name(storage: object) -> str | None:
    """Return the element type of a storage's class, as safetensors spells it."""
    if isinstance(storage, Global) and storage.module in ("torch", "torch.storage", "torch.cuda"):
        return _STORAGES.get(storage.name)
    return None


def torch_tensor(value: Any, places: Places) -> Located | Unreadable | None:
    """Return where the tensor is that a call would make; None if it would make none.

    Raises
    ------
    CorruptError
        If the call's arguments are not those of a tensor.
    """
    for _ in range(_MAX_LAYERS):
        if not isinstance(value, Call) or not isinstance(value.function, Global):
            return None
        arguments = value.arguments if isinstance(value.arguments, tuple) else ()
        if value.calls(*_AROUND_A_TENSOR) and arguments:
            value = arguments[0]
        elif value.calls(*_AROUND_A_CALL) and len(arguments) >= 3:
            value = Call(arguments[0], arguments[2])
        elif value.calls(*_PLAIN):
            return _rebuilt(arguments, None, places)
        elif value.calls(*_WITH_DTYPE):
            return _rebuilt(arguments, arguments[6] if len(arguments) > 6 else None, places)
        elif value.function.module == "torch._utils":
            return Unreadable(_OTHERS.get(value.function.name, f"made by {value.function.path}"))
        else:
            return None
    return Unreadable("nested too deeply")


def _rebuilt(arguments: tuple[Any, ...], dtype: Any, places: Places) -> Located | Unreadable:
    """Return the tensor of (storage, offset, shape, strides, ...)."""
    if len(arguments) < 4 or not isinstance(arguments[0], Reference):
        raise CorruptError("a torch tensor without its storage, offset, shape and strides")
    storage, offset, shape, strides = arguments[:4]
    key, kind = key_of(storage)
    if dtype is None:
        name = element_name(kind)
    else:
        known = BY_NAME.get(dtype.name) if isinstance(dtype, Global) else None
        name = None if known is None else known.safetensors
    if name is None:
        return Unreadable(f"of type {_path_of(dtype or kind)}")
    if not _is_size(offset) or not _are_sizes(shape) or not _are_sizes(strides):
        raise CorruptError("a torch tensor whose offset, shape or strides are no sizes")
    if key not in places:
        raise CorruptError(f"a torch tensor whose storage {quoted(key)} is missing")
    start, stop = places[key]
    item_size = BY_SAFETENSORS[name].itemsize
    return Located(name, tuple(shape), start + offset * item_size, stop, tuple(strides))


def _path_of(what: Any) -> str:
    return what.path if isinstance(what, Global) else "unknown"


def key_of(storage: Reference) -> tuple[str, Any]:
    """Return the key of a storage and its class.

    Raises
    ------
    CorruptError
        If the reference is not to a storage.
    """
    value = storage.value
    if not isinstance(value, tuple) or len(value) < 5 or value[0] != "storage":
        raise CorruptError("a reference that is not to a torch storage")
    if not isinstance(value[2], str):
        raise CorruptError("a torch storage whose key is no text")
    return value[2], value[1]


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 56


def _are_sizes(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(map(_is_size, value))
