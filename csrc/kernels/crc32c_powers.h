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
#define QC_CRC32C_PART 512
/* x^(8 * bytes - 33), for registers that the CRC instruction reduces: past one part, and two. */
#define QC_CRC32C_PAST_1 0xDD7E3B0Cu
#define QC_CRC32C_PAST_2 0x170076FAu

/* Bytes that are folded at once, in vectors of 16 bytes each. */
#define QC_CRC32C_FOLD 256
/* x^(8 * fold + 63) and x^(8 * fold - 1), in the upper half of 64 bits: past one fold, for the
   first and the second 8 bytes of a vector. */
#define QC_CRC32C_FOLD_FIRST  0xE9A5D8BE00000000u
#define QC_CRC32C_FOLD_SECOND 0x1426A81500000000u

#endif /* QC_CRC32C_POWERS_H */
