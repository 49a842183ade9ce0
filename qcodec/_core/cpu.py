"""The instruction sets that the C core may use, as an environment variable says.

``QCODEC_DISABLE_CPU_FEATURES=AVX512,AVX2`` disables these two. The compiled module reads the
variable once, when it is loaded.
"""

from __future__ import annotations

import os
import warnings

VARIABLE = "QCODEC_DISABLE_CPU_FEATURES"
#: The bits QC_CPU_... of qcodec.h. AVX512 is not used without AVX2, nor AVX2 without SSE42.
FEATURES = {"SSE42": 1, "AVX2": 2, "AVX512": 4, "ARM_CRC": 8, "NEON": 16}


def allowed() -> int:
    """Return the features that may be used if the machine has them, as bits."""
    names = [name.strip() for name in os.environ.get(VARIABLE, "").split(",")]
    bits = sum(FEATURES.values())
    for name in filter(None, names):
        if name not in FEATURES:
            known = ", ".join(FEATURES)
            message = f"{VARIABLE} names {name!r}, allowed are {known}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        bits &= ~FEATURES.get(name, 0)
    return bits


def feature_names(bits: int) -> tuple[str, ...]:
    """Return the names of a set of features."""
    return tuple(name for name, bit in FEATURES.items() if bits & bit)
