"""qcodec: small neural-network weights, given back at memory speed.

`encode` and `decode` work on one tensor, `save_file`, `load_file` and `safe_open` on
files of many. What is stored is chosen by a codec: `Lossless` (the default),
`Codebook`, `Affine`, `FixedPoint`, `Ternary`, `Sparse`, `DeepCompression`,
`TrainedTernary`, `Delta`, `Raw`.
"""

from .about import get_include, show_config
from .codecs import (
    Affine,
    Codebook,
    Codec,
    DeepCompression,
    Delta,
    FixedPoint,
    Lossless,
    Raw,
    Sparse,
    Ternary,
    TrainedTernary,
    from_config,
)
from .encoded import Encoded
from .errors import (
    BaseError,
    ChecksumError,
    CorruptError,
    LimitError,
    MissingTensorError,
    QCodecError,
    TruncatedError,
    UnsupportedError,
)
from .files import load, load_file, safe_open, save, save_file
from .inspection import Info, Section
from .limits import Limits
from .prunings import Density, NOfM, Pruning, Quality, Threshold
from .quantize import Groups, Quantized, sqnr
from .recipes import Recipe
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
    "LimitError",
    "Limits",
    "Lossless",
    "MissingTensorError",
    "NOfM",
    "Pruning",
    "QCodecError",
    "Quality",
    "Quantized",
    "Raw",
    "Recipe",
    "Section",
    "Sparse",
    "Ternary",
    "Threshold",
    "TrainedTernary",
    "TruncatedError",
    "UnsupportedError",
    "decode",
    "encode",
    "from_config",
    "get_include",
    "info",
    "load",
    "load_file",
    "safe_open",
    "save",
    "save_file",
    "show_config",
    "sqnr",
]
