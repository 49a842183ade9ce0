"""Methods that choose the numbers: an array goes in, a `Quantized` comes out."""

from ..quantized import Groups, Quantized
from .affine import quantize_affine
from .codebook import quantize_codebook
from .fixed_point import quantize_fixed_point
from .metrics import sqnr
from .prune import density_mask, n_of_m_mask, quality_mask, threshold_mask
from .raw import nonzero_bits_mask, quantize_raw
from .ternary import quantize_ternary

__all__ = [
    "Groups",
    "Quantized",
    "density_mask",
    "n_of_m_mask",
    "nonzero_bits_mask",
    "quality_mask",
    "quantize_affine",
    "quantize_codebook",
    "quantize_fixed_point",
    "quantize_raw",
    "quantize_ternary",
    "sqnr",
    "threshold_mask",
]
