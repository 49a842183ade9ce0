"""The tables of Deep Compression (Han, Mao and Dally, arXiv 1510.00149, tables 2 to 5), as printed.

The tables give bits per stored weight, fillers included; only this reading reproduces the rates of
their rows. Sizes are in 10^6 bytes.
"""

from __future__ import annotations

from typing import NamedTuple


class PaperLayer(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    kept : float
        Kept weights, in percent.
    weight_bits, weight_bits_coded : float
        Bits per code, before and after Huffman coding.
    index_bits, index_bits_coded : float
        Bits per gap, before and after Huffman coding.
    share, share_coded : float
        Percent of the size as float32, before and after Huffman coding.
    """

    kept: float
    weight_bits: float
    weight_bits_coded: float
    index_bits: float
    index_bits_coded: float
    share: float
    share_coded: float


#: The row of the whole net.
TOTAL = "total"

LENET_300_100 = {
    "ip1": PaperLayer(8, 6, 4.4, 5, 3.7, 3.1, 2.32),
    "ip2": PaperLayer(9, 6, 4.4, 5, 4.3, 3.8, 3.04),
    "ip3": PaperLayer(26, 6, 4.3, 5, 3.2, 15.7, 12.70),
    TOTAL: PaperLayer(8, 6, 5.1, 5, 3.7, 3.1, 2.49),
}

LENET_5 = {
    "conv1": PaperLayer(66, 8, 7.2, 5, 1.5, 78.5, 67.45),
    "conv2": PaperLayer(12, 8, 7.2, 5, 3.9, 6.0, 5.28),
    "ip1": PaperLayer(8, 5, 4.5, 5, 4.5, 2.7, 2.45),
    "ip2": PaperLayer(19, 5, 5.2, 5, 3.7, 6.9, 6.13),
    TOTAL: PaperLayer(8, 5.3, 4.1, 5, 4.4, 3.05, 2.55),
}

ALEXNET = {
    "conv1": PaperLayer(84, 8, 6.3, 4, 1.2, 32.6, 20.53),
    "conv2": PaperLayer(38, 8, 5.5, 4, 2.3, 14.5, 9.43),
    "conv3": PaperLayer(35, 8, 5.1, 4, 2.6, 13.1, 8.44),
    "conv4": PaperLayer(37, 8, 5.2, 4, 2.5, 14.1, 9.11),
    "conv5": PaperLayer(37, 8, 5.6, 4, 2.5, 14.0, 9.43),
    "fc6": PaperLayer(9, 5, 3.9, 4, 3.2, 3.0, 2.39),
    "fc7": PaperLayer(9, 5, 3.6, 4, 3.7, 3.0, 2.46),
    "fc8": PaperLayer(25, 5, 4, 4, 3.2, 7.3, 5.85),
    TOTAL: PaperLayer(11, 5.4, 4, 4, 3.2, 3.7, 2.88),
}

VGG_16 = {
    "conv1_1": PaperLayer(58, 8, 6.8, 5, 1.7, 40.0, 29.97),
    "conv1_2": PaperLayer(22, 8, 6.5, 5, 2.6, 9.8, 6.99),
    "conv2_1": PaperLayer(34, 8, 5.6, 5, 2.4, 14.3, 8.91),
    "conv2_2": PaperLayer(36, 8, 5.9, 5, 2.3, 14.7, 9.31),
    "conv3_1": PaperLayer(53, 8, 4.8, 5, 1.8, 21.7, 11.15),
    "conv3_2": PaperLayer(24, 8, 4.6, 5, 2.9, 9.7, 5.67),
    "conv3_3": PaperLayer(42, 8, 4.6, 5, 2.2, 17.0, 8.96),
    "conv4_1": PaperLayer(32, 8, 4.6, 5, 2.6, 13.1, 7.29),
    "conv4_2": PaperLayer(27, 8, 4.2, 5, 2.9, 10.9, 5.93),
    "conv4_3": PaperLayer(34, 8, 4.4, 5, 2.5, 14.0, 7.47),
    "conv5_1": PaperLayer(35, 8, 4.7, 5, 2.5, 14.3, 8.00),
    "conv5_2": PaperLayer(29, 8, 4.6, 5, 2.7, 11.7, 6.52),
    "conv5_3": PaperLayer(36, 8, 4.6, 5, 2.3, 14.8, 7.79),
    "fc6": PaperLayer(4, 5, 3.6, 5, 3.5, 1.6, 1.10),
    "fc7": PaperLayer(4, 5, 4, 5, 4.3, 1.5, 1.25),
    "fc8": PaperLayer(23, 5, 4, 5, 3.4, 7.1, 5.24),
    TOTAL: PaperLayer(7.5, 6.4, 4.1, 5, 3.1, 3.2, 2.05),
}
