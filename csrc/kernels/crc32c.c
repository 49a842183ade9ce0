/*
 * CRC32C (polynomial 0x1EDC6F41, reflected: 0x82F63B78).
 *
 * Data is taken as a polynomial over GF(2), and the CRC is its remainder. Remainders are linear:
 * that of a sum (xor) is the sum of the remainders. All fast ways rest on this.
 *
 * - Portable C, "slicing by 8": the effect of 8 bytes is the xor of the effects of each alone,
 * followed by zeros; a table per place holds these (crc32c_table.h, written by
 * tools/make_crc32c_table.py).
 * - The CRC instructions of SSE4.2 and ARM do 8 bytes at a time (x86/crc32c_sse42.c).
 * - Carry-less multiplication moves 16 bytes past others, and adds them there ("folding",
 *   x86/crc32c_avx512.c). What is left has the same remainder, and is given to the instruction.
 *
 * After M. Kounavis and F. Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC
 * Generation", 2008, and V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ Instruction", Intel, 2009.
 */
#include "kernels/crc32c_powers.h"
#include "kernels/crc32c_table.h"
#include "kernels/kernels.h"

/* Folding has an end that fewer bytes do not pay for. */
#define MIN_TO_FOLD ((size_t)4 * QC_CRC32C_FOLD)

/* Eight bytes at a time: each of them moves the register by a table of its own. */
uint32_t qc_crc32c_portable(uint32_t crc, const uint8_t *data, size_t size)
{
    for (; size >= 8; size -= 8, data += 8) {
        uint32_t low = crc ^ qc_load32(data), high = qc_load32(data + 4);
        crc = qc_crc32c_table[7][low & 0xFF] ^ qc_crc32c_table[6][low >> 8 & 0xFF] ^
              qc_crc32c_table[5][low >> 16 & 0xFF] ^ qc_crc32c_table[4][low >> 24] ^
              qc_crc32c_table[3][high & 0xFF] ^ qc_crc32c_table[2][high >> 8 & 0xFF] ^
              qc_crc32c_table[1][high >> 16 & 0xFF] ^ qc_crc32c_table[0][high >> 24];
    }
    for (; size > 0; size--, data++)
        crc = qc_crc32c_table[0][(crc ^ *data) & 0xFF] ^ crc >> 8;
    return crc;
}

uint32_t qc_crc32c(uint32_t crc, const void *data, size_t size)
{
    const qc_kernels *kernels = qc_kernels_selected();
    const uint8_t *bytes = data;
    crc = ~crc;
    if (kernels->crc32c_fold != NULL && size >= MIN_TO_FOLD) {
        uint8_t folded[QC_CRC32C_FOLD];
        size_t done = kernels->crc32c_fold(crc, bytes, size, folded);
        crc = kernels->crc32c(0, folded, sizeof folded);
        bytes += done;
        size -= done;
    }
    return ~kernels->crc32c(crc, bytes, size);
}
