"""Optimal steps of a symmetric uniform quantizer, by distribution.

tools/uniform_steps.py prints the table. The source is Lin, Talathi and Annapureddy, "Fixed point
quantization of deep convolutional networks" (ICML 2016), section 3.
"""

from __future__ import annotations

#: The step at unit variance for 1, 2, ... 16 bits.
UNIFORM_STEPS: dict[str, tuple[float, ...]] = {
    "gauss": (
        1.59577, 0.995687, 0.586019, 0.335201, 0.188139, 0.104063, 0.0568677, 0.0307624,
        0.016499, 0.00878546, 0.00464984, 0.00244841, 0.00128362, 0.000670452, 0.000349059,
        0.000181224,
    ),
    "laplace": (
        1.41421, 1.08739, 0.730933, 0.460995, 0.279989, 0.165681, 0.0960989, 0.0548443,
        0.0308828, 0.0171955, 0.00948391, 0.00518856, 0.00281899, 0.00152243, 0.000817924,
        0.00043742,
    ),
    "gamma": (
        1.1547, 1.06601, 0.795737, 0.53996, 0.345949, 0.213002, 0.127312, 0.0743615,
        0.0426449, 0.0240961, 0.0134509, 0.00743317, 0.00407304, 0.00221585, 0.00119807,
        0.00064432,
    ),
}  # fmt: skip
