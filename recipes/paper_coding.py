"""The coding of Deep Compression's authors for the same numbers, as real streams.

It has gaps of a fixed width with fillers, codes of a fixed width, and Huffman coding of both, with
one Huffman code each (arXiv 1510.00149, sections 2 and 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qcodec import streams
from qcodec._frame.layout import filler_code
from qcodec.quantized import Quantized


@dataclass(frozen=True)
class PaperCoding:
    """One layer in the authors' coding.

    Attributes
    ----------
    stored : int
        Stored weights and fillers.
    bitpacked_bytes : int
        Codes and gaps at their widths, and the codebook.
    huffman_bytes : int
        The same with Huffman codes and their tables, or at fixed width where that is smaller.
    """

    stored: int
    bitpacked_bytes: int
    huffman_bytes: int


def paper_coding(quantized: Quantized, gap_bits: int) -> PaperCoding:
    """Code a layer as the authors do.

    Parameters
    ----------
    quantized : Quantized
        Of kind codebook, with positions and a codebook that has an entry 0.
    gap_bits : int
        1 to 8.

    Raises
    ------
    ValueError
        If the tensor has no positions, or its codebook has no entry 0, which fillers need.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> weights = np.zeros((40, 50), np.float32)
    >>> weights[:, ::5] = np.linspace(-1, 1, 400).reshape(40, 10)
    >>> coding = paper_coding(qcodec.DeepCompression(4).quantize(weights), gap_bits=4)
    >>> coding.stored, coding.bitpacked_bytes, coding.huffman_bytes
    (400, 464, 324)
    """
    zero = filler_code(quantized)
    if quantized.positions is None or quantized.codebook is None or zero < 0:
        raise ValueError("the authors' coding needs positions, a codebook, and an entry 0 in it")
    gaps, sources = streams.relative_index(quantized.positions, gap_bits)
    codes = np.where(sources < 0, zero, quantized.codes[sources]).astype(np.uint8)
    symbols = ((gaps, gap_bits), (codes, quantized.bits))
    packed = [-(-len(values) * width // 8) for values, width in symbols]
    coded = [_huffman_bytes(values, width) for values, width in symbols]
    book = quantized.codebook.values.nbytes
    smaller = sum(min(pair) for pair in zip(packed, coded, strict=True))
    return PaperCoding(len(gaps), sum(packed) + book, smaller + book)


def _huffman_bytes(symbols: np.ndarray, width: int) -> int:
    if len(symbols) == 0 or symbols.min() == symbols.max():
        return 0  # fewer than two symbols need no code
    return len(streams.encode(symbols, "huffman", width))
