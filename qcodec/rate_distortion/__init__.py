"""One price per bit for all tensors of a model: trades the bytes of a file against its error.

`Codebook` and `Affine` with a `rate` trade squared error against bits, for each tensor relative
to its own variance. A common price, in squared error per bit, spends the bits of a file where
they reduce the error most (Shoham and Gersho 1988). The same price lets each tensor choose among
several codecs.
"""

from .calibration import sensitivities
from .offers import OFFERED, offers
from .search import Point, at_bytes, at_error, at_price, curve

__all__ = [
    "OFFERED",
    "Point",
    "at_bytes",
    "at_error",
    "at_price",
    "curve",
    "offers",
    "sensitivities",
]
