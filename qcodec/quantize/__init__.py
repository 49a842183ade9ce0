"""Quantizers: functions that turn an array into a `Quantized`, and masks for pruning."""

from ..quantized import Groups, Quantized
from .affine import quantize_affine
from .codebook import quantize_codebook
from .fixed_point import quantize_fixed_point
from .levels import quantize_levels
from .metrics import sqnr
from .pruning import density_mask, n_of_m_mask, quality_mask, threshold_mask
from .ternary import quantize_ternary
from .verbatim import nonzero_bits_mask, quantize_verbatim

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
    "quantize_levels",
    "quantize_ternary",
    "quantize_verbatim",
    "sqnr",
    "threshold_mask",
]
