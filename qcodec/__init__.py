"""qcodec: small neural-network weights, decoded at memory speed.

`encode` and `decode` work on one tensor; `save_file`, `load_file` and `safe_open` work on
files of many tensors. A codec chooses what is stored: `Lossless` (the default),
`Codebook`, `Affine`, `FixedPoint`, `Levels`, `Ternary`, `Sparse`, `DeepCompression`,
`TrainedTernary`, `Delta`, `Verbatim`.

Submodules are imported when they are first used:

| submodule | contents |
|---|---|
| `qcodec.checkpoints` | checkpoint folders of Hugging Face's libraries |
| `qcodec.dtypes` | element types, and the NumPy dtypes that hold them |
| `qcodec.interop` | other formats: `dcnet` reads and writes Deep Compression's `.net` files |
| `qcodec.quantize` | the quantization methods as functions |
| `qcodec.rate_distortion` | one price per bit for a whole model |
| `qcodec.recipes` | rules, and the ready-made recipes |
| `qcodec.report` | what is in a file: facts, a page, a picture |
| `qcodec.sparse` | SciPy's sparse matrices |
| `qcodec.streams` | the integer codings alone |
| `qcodec.torch` | pruning, weight sharing and rounding during training; needs torch |
| `qcodec.transformers` | makes transformers load compressed checkpoints; needs transformers |
| `qcodec.dead_neurons` | zeroes or removes the dead neurons of a pruned net |
| `qcodec.neuron_order` | sorts the neurons of a pruned net, so that its file is smaller |
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import _core  # noqa: F401 (an installation without it fails here, and says what to do)

if _TYPE_CHECKING:
    from ._base.installation import get_include, show_config
    from ._frame.encoded import Encoded
    from ._frame.inspection import Info, Section
    from ._frame.notes import Notes
    from .codecs import (
        Affine,
        Codebook,
        Codec,
        DeepCompression,
        Delta,
        FixedPoint,
        Levels,
        Lossless,
        Sparse,
        Ternary,
        TrainedTernary,
        Verbatim,
        from_config,
    )
    from .codecs.pruning import Density, NOfM, Pruning, Quality, Threshold
    from .errors import (
        BaseError,
        ChecksumError,
        CorruptError,
        LimitError,
        LimitWarning,
        MissingTensorError,
        QCodecError,
        QCodecWarning,
        TruncatedError,
        UnsupportedError,
    )
    from .files import load, load_file, safe_open, save, save_file
    from .limits import Limits
    from .quantize import Groups, Quantized, sqnr
    from .recipes import Recipe
    from .state_dict import lazy_state_dict
    from .summary import Summary
    from .tensor import decode, encode, info

__all__ = [
    "Affine",
    "BaseError",
    "ChecksumError",
    "Codebook",
    "Codec",
    "CorruptError",
    "DeepCompression",
    "Delta",
    "Density",
    "Encoded",
    "FixedPoint",
    "Groups",
    "Info",
    "Levels",
    "LimitError",
    "LimitWarning",
    "Limits",
    "Lossless",
    "MissingTensorError",
    "NOfM",
    "Notes",
    "Pruning",
    "QCodecError",
    "QCodecWarning",
    "Quality",
    "Quantized",
    "Recipe",
    "Section",
    "Sparse",
    "Summary",
    "Ternary",
    "Threshold",
    "TrainedTernary",
    "TruncatedError",
    "UnsupportedError",
    "Verbatim",
    "decode",
    "encode",
    "from_config",
    "get_include",
    "info",
    "lazy_state_dict",
    "load",
    "load_file",
    "safe_open",
    "save",
    "save_file",
    "show_config",
    "sqnr",
]

# Where the names come from. Their modules are imported when a name is first used, because all of
# them together take as long as NumPy.
_HOMES = {
    "_base.installation": "get_include show_config",
    "_frame.encoded": "Encoded",
    "_frame.inspection": "Info Section",
    "_frame.notes": "Notes",
    "codecs": "Affine Codebook Codec DeepCompression Delta FixedPoint Levels Lossless Sparse "
    "Ternary TrainedTernary Verbatim from_config",
    "codecs.pruning": "Density NOfM Pruning Quality Threshold",
    "errors": "BaseError ChecksumError CorruptError LimitError LimitWarning MissingTensorError "
    "QCodecError QCodecWarning TruncatedError UnsupportedError",
    "files": "load load_file safe_open save save_file",
    "limits": "Limits",
    "quantize": "Groups Quantized sqnr",
    "recipes": "Recipe",
    "state_dict": "lazy_state_dict",
    "summary": "Summary",
    "tensor": "decode encode info",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_SUBMODULES = (
    "checkpoints",
    "dtypes",
    "interop",
    "quantize",
    "rate_distortion",
    "recipes",
    "report",
    "sparse",
    "streams",
    "torch",
    "transformers",
    "dead_neurons",
    "neuron_order",
)


# Submodules that are not documented, and whose names above are.
_OTHER_SUBMODULES = (
    "codecs",
    "errors",
    "files",
    "limits",
    "quantized",
    "state_dict",
    "summary",
    "tensor",
)


def __getattr__(name: str) -> _Any:
    if name in _HOME_OF:
        value = getattr(_import_module(f".{_HOME_OF[name]}", __name__), name)
        globals()[name] = value
        return value
    if name not in (*_SUBMODULES, *_OTHER_SUBMODULES):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return _import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:  # hasattr() returns False only on an AttributeError
        message = f"{__name__}.{name} cannot be imported: {error}"
        raise AttributeError(message) from error


def __dir__() -> list[str]:
    special = [name for name in globals() if name.startswith("__")]
    return sorted([*special, *__all__, *_SUBMODULES])
