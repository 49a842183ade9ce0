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
 * Remainders of parts are joined in the same way: that of the first is moved past the bytes of the
 * second, which multiplies it by a power of x, and that of the second is added.
 *
 * After M. Kounavis and F. Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC
 * Generation", 2008, and V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ Instruction", Intel, 2009.
 */
#include "kernels/crc32c_run.h"
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

void qc_crc32c_begin(qc_crc32c_run *run, uint32_t crc)
{
    run->crc = crc;
    run->is_folded = 0;
}

/* The first bytes are those that the next ones are folded into: a register is the same as its bytes
   added to the first four, after a register of 0. */
static void begin_folding(qc_crc32c_run *run, const uint8_t *bytes)
{
    memcpy(run->folded, bytes, QC_CRC32C_FOLD);
    qc_store32(run->folded, qc_load32(bytes) ^ run->crc);
    run->is_folded = 1;
}

void qc_crc32c_take(qc_crc32c_run *run, const uint8_t *bytes, size_t size)
{
    const qc_kernels *kernels = qc_kernels_selected();
    if (kernels->crc32c_fold != NULL && size >= MIN_TO_FOLD) {
        size_t done = 0;
        if (!run->is_folded) {
            begin_folding(run, bytes);
            done = QC_CRC32C_FOLD;
        }
        done += kernels->crc32c_fold(run->folded, bytes + done, size - done);
        bytes += done;
        size -= done;
    }
    if (size > 0)
        run->crc = kernels->crc32c(qc_crc32c_register(run), bytes, size);
}

uint32_t qc_crc32c_register(qc_crc32c_run *run)
{
    if (run->is_folded)
        run->crc = qc_kernels_selected()->crc32c(0, run->folded, QC_CRC32C_FOLD);
    run->is_folded = 0;
    return run->crc;
}

uint32_t qc_crc32c(uint32_t crc, const void *data, size_t size)
{
    qc_crc32c_run run;
    qc_crc32c_begin(&run, ~crc);
    qc_crc32c_take(&run, data, size);
    return ~qc_crc32c_register(&run);
}

/* The product of two polynomials. */
static uint32_t product(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    for (unsigned bit = 32; bit-- > 0;) {
        sum ^= b & (0 - (a >> bit & 1));
        b = b >> 1 ^ (0x82F63B78u & (0 - (b & 1)));
    }
    return sum;
}

uint32_t qc_crc32c_join(uint32_t first, uint32_t second, size_t second_bytes)
{
    static const uint32_t squares[] = QC_CRC32C_SQUARES;
    const unsigned count = sizeof squares / sizeof *squares;
    for (unsigned k = 3; second_bytes > 0; k++, second_bytes >>= 1) /* x^8 is 8 bits of 0 */
        if (second_bytes & 1)
            first = product(squares[k % count], first);
    return first ^ second;
}
