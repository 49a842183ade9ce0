"""Write csrc/kernels/expand_table.h: byte shuffles that spread words over lanes that need one."""

from __future__ import annotations

import sys
from pathlib import Path

TABLE = Path(__file__).parents[1] / "csrc" / "kernels" / "expand_table.h"
HEADER = """/*
 * For every set of eight lanes: the byte shuffle that gives each of them, in order, the next word,
 * and all others 0. Written by tools/make_expand_table.py.
 */
#ifndef QC_EXPAND_TABLE_H
#define QC_EXPAND_TABLE_H

#include <stdint.h>

static const uint8_t qc_expand_table[256][16] = {
"""
FOOTER = """};

#endif /* QC_EXPAND_TABLE_H */
"""
_ZERO = 0x80  # what makes a byte shuffle give 0


def shuffle_of(lanes: int) -> list[int]:
    """The 16 places for a set of lanes, bit 0 being the first one.

    >>> shuffle_of(0b110)[:6]
    [128, 128, 0, 1, 2, 3]
    """
    places, word = [], 0
    for lane in range(8):
        if lanes >> lane & 1:
            places += [2 * word, 2 * word + 1]
            word += 1
        else:
            places += [_ZERO, _ZERO]
    return places


def text() -> str:
    """The whole header."""
    rows = [f"    {{{', '.join(map(str, shuffle_of(lanes)))}}},\n" for lanes in range(256)]
    return HEADER + "".join(rows) + FOOTER


def main() -> int:
    """Write the file."""
    TABLE.write_text(text(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
