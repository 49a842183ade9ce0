"""Write csrc/base/log2_table.h: where the logarithms of csrc/base/log2_fixed.h take their steps."""

from __future__ import annotations

import sys
from pathlib import Path

TABLE = Path(__file__).parents[1] / "csrc" / "base" / "log2_table.h"
HEADER = """/*
 * Binary logarithms of 1 to 2, in units of 2^-8, as a step function of 16 bits behind the binary
 * point. Written by tools/make_log2_table.py.
 */
#ifndef QC_LOG2_TABLE_H
#define QC_LOG2_TABLE_H

#include <stdint.h>

/* clang-format off */

/* The logarithm at the first fraction with these upper 8 bits. */
static const uint8_t qc_log2_first[256] = {
"""
MIDDLE = """};

/* The first fraction with each logarithm; of the last one, none. */
static const uint32_t qc_log2_steps[257] = {
"""
FOOTER = """};

#endif /* QC_LOG2_TABLE_H */
"""
_ONE = 1 << 16
_COLUMNS = 12


def log2_of(fraction: int) -> int:
    """The logarithm of 1 + fraction / 2^16, rounded down, by squaring eight times.

    >>> log2_of(0), log2_of(_ONE // 2), log2_of(_ONE - 1)
    (0, 149, 255)
    """
    mantissa, result = (_ONE + fraction) << 16, 0
    for _ in range(8):
        mantissa = (mantissa >> 16) ** 2
        above = mantissa >> 33
        mantissa >>= above
        result = result << 1 | above
    return result


def _rows(numbers: list[int]) -> str:
    rows = [numbers[i : i + _COLUMNS] for i in range(0, len(numbers), _COLUMNS)]
    return "".join(f"    {', '.join(map(str, row))},\n" for row in rows)


def text() -> str:
    """The whole header."""
    logarithms = [log2_of(fraction) for fraction in range(_ONE)]
    steps = [_ONE] * 257
    for fraction in reversed(range(_ONE)):
        steps[logarithms[fraction]] = fraction
    return HEADER + _rows(logarithms[::256]) + MIDDLE + _rows(steps) + FOOTER


def main() -> int:
    """Write the file."""
    TABLE.write_text(text(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
