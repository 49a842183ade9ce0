"""Write csrc/crc32c_table.h: the tables of the portable CRC32C.

Run it from the project's root; a test compares the file with what this prints.
"""

from pathlib import Path

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41, reflected
SLICES = 8
PER_LINE = 6
HEADER = """\
/*
 * Written by tools/make_crc32c_table.py. qc_crc32c_table[k][b] is the CRC32C (without its
 * complements) of the byte b and k bytes of 0 after it.
 */
#ifndef QC_CRC32C_TABLE_H
#define QC_CRC32C_TABLE_H

#include <stdint.h>

/* clang-format off */

"""


def shift_byte(crc: int) -> int:
    """The CRC after eight more bits of 0."""
    for _ in range(8):
        crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    return crc


def slices() -> list[list[int]]:
    """The tables: SLICES rows of 256."""
    rows = [[shift_byte(byte) for byte in range(256)]]
    while len(rows) < SLICES:
        rows.append([shift_byte(crc) for crc in rows[-1]])
    return rows


def header() -> str:
    """The text of the header file."""
    lines = [f"static const uint32_t qc_crc32c_table[{SLICES}][256] = {{"]
    for row in slices():
        words = [f"0x{crc:08X}," for crc in row]
        starts = range(0, len(words), PER_LINE)
        text = [" ".join(words[start : start + PER_LINE]) for start in starts]
        lines += ["    {" + text[0], *("     " + line for line in text[1:-1])]
        lines += ["     " + text[-1].rstrip(",") + "},"]
    lines[-1] = lines[-1].rstrip(",")
    lines += ["};", "", "#endif /* QC_CRC32C_TABLE_H */", ""]
    return HEADER + "\n".join(lines)


if __name__ == "__main__":
    Path("csrc/crc32c_table.h").write_text(header())
