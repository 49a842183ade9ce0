#include "kernels/crc32c.h"
#include "kernels/crc32c_powers.h"
#include "kernels/crc32c_table.h"
#include "kernels/x86/avx512.h"

/* Folding has an end that fewer bytes do not pay for. */
#define LEAST_TO_FOLD ((size_t)4 * QC_CRC32C_FOLD)

/* Eight bytes at a time: each of them moves the register by a table of its own. */
static uint32_t portable(uint32_t crc, const uint8_t *data, size_t size)
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

/* The register after some bytes. */
static uint32_t update(uint32_t crc, const uint8_t *data, size_t size)
{
#ifdef QC_CRC32C_X86
    if (qc_cpu_selected() & QC_CPU_SSE42)
        return qc_crc32c_sse42(crc, data, size);
#endif
#ifdef QC_CRC32C_ARM
    if (qc_cpu_selected() & QC_CPU_ARM_CRC)
        return qc_crc32c_arm(crc, data, size);
#endif
    return portable(crc, data, size);
}

uint32_t qc_crc32c(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    crc = ~crc;
#if QC_HAS_AVX512
    if ((qc_cpu_selected() & QC_CPU_AVX512) && size >= LEAST_TO_FOLD) {
        uint8_t folded[QC_CRC32C_FOLD];
        size_t done = qc_crc32c_fold_avx512(crc, bytes, size, folded);
        crc = update(0, folded, sizeof folded);
        bytes += done;
        size -= done;
    }
#endif
    return ~update(crc, bytes, size);
}
