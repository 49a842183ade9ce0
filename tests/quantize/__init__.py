"""Quantization: the numbers that quantizers and codecs choose, and their error."""
