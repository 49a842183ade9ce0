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

/* x^(2^k) for k from 0 on. x^(2^31) is x again. */
#define QC_CRC32C_SQUARES { \
    0x40000000u, 0x20000000u, 0x08000000u, 0x00800000u, 0x00008000u, 0x82F63B78u, \
    0x6EA2D55Cu, 0x18B8EA18u, 0x510AC59Au, 0xB82BE955u, 0xB8FDB1E7u, 0x88E56F72u, \
    0x74C360A4u, 0xE4172B16u, 0x0D65762Au, 0x35D73A62u, 0x28461564u, 0xBF455269u, \
    0xE2EA32DCu, 0xFE7740E6u, 0xF946610Bu, 0x3C204F8Fu, 0x538586E3u, 0x59726915u, \
    0x734D5309u, 0xBC1AC763u, 0x7D0722CCu, 0xD289CABEu, 0xE94CA9BCu, 0x05B74F3Fu, \
    0xA51E1F42u \
}

#endif /* QC_CRC32C_POWERS_H */
