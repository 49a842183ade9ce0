"""Write csrc/kernels/crc32c_table.h and csrc/kernels/crc32c_powers.h: the constants of CRC32C.

Run it from the project's root; a test compares the files with its output.
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

POWERS_HEADER = """\
/*
 * Written by tools/make_crc32c_table.py: powers of x modulo the polynomial of CRC32C, reflected as
 * its register is. Multiplying by one moves a CRC past a fixed number of bytes.
 *
 * A carry-less product of reflected numbers is the product times x, and the CRC instruction
 * multiplies by x^32 more.
 */
#ifndef QC_CRC32C_POWERS_H
#define QC_CRC32C_POWERS_H

/* clang-format off */

/* Bytes of each of the three parts that are read side by side. */
#define QC_CRC32C_PART @PART@
/* x^(8 * bytes - 33), for registers that the CRC instruction reduces: past one part, and two. */
#define QC_CRC32C_PAST_1 @PAST_1@
#define QC_CRC32C_PAST_2 @PAST_2@

/* Bytes that are folded at once, in vectors of 16 bytes each. */
#define QC_CRC32C_FOLD @FOLD@
/* x^(8 * fold + 63) and x^(8 * fold - 1), in the upper half of 64 bits: past one fold, for the
   first and the second 8 bytes of a vector. */
#define QC_CRC32C_FOLD_FIRST  @FOLD_FIRST@
#define QC_CRC32C_FOLD_SECOND @FOLD_SECOND@

/* x^(2^k) for k from 0 on. x^(2^31) is x again. */
#define QC_CRC32C_SQUARES @SQUARES@

#endif /* QC_CRC32C_POWERS_H */
"""
PART = 512
FOLD = 256
SQUARES = 31
SQUARES_PER_LINE = 6


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


def power(exponent: int) -> int:
    """x to the exponent modulo the polynomial, reflected: bit 31 is the coefficient of 1."""
    register = 1 << 31
    for _ in range(exponent):
        register = register >> 1 ^ (POLYNOMIAL if register & 1 else 0)
    return register


def product(a: int, b: int) -> int:
    """Of two polynomials, modulo the polynomial; reflected."""
    result = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            result ^= b
        b = b >> 1 ^ (POLYNOMIAL if b & 1 else 0)
    return result


def squares() -> str:
    """The initializer of an array of x, its square, the square of that, and so on."""
    values = [power(1)]
    while len(values) < SQUARES:
        values.append(product(values[-1], values[-1]))
    words = [f"0x{value:08X}u" for value in values]
    lines = [
        ", ".join(words[start : start + SQUARES_PER_LINE])
        for start in range(0, SQUARES, SQUARES_PER_LINE)
    ]
    return "{ \\\n    " + ", \\\n    ".join(lines) + " \\\n}"


def powers_header() -> str:
    """The text of the header file of powers."""
    values = {
        "PART": f"{PART}",
        "PAST_1": f"0x{power(8 * PART - 33):08X}u",
        "PAST_2": f"0x{power(16 * PART - 33):08X}u",
        "FOLD": f"{FOLD}",
        "FOLD_FIRST": f"0x{power(8 * FOLD + 63):08X}00000000u",
        "FOLD_SECOND": f"0x{power(8 * FOLD - 1):08X}00000000u",
        "SQUARES": squares(),
    }
    text = POWERS_HEADER
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


if __name__ == "__main__":
    Path("csrc/kernels/crc32c_powers.h").write_text(powers_header())
    Path("csrc/kernels/crc32c_table.h").write_text(header())
