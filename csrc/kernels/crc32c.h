/*
 * CRC32C by instruction set. All of them work on the register: the CRC before its final
 * complement.
 */
#ifndef QC_CRC32C_H
#define QC_CRC32C_H

#include "base/bytes.h"

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#define QC_CRC32C_X86 1
/* Needs QC_CPU_SSE42. */
uint32_t qc_crc32c_sse42(uint32_t crc, const uint8_t *data, size_t size);
/* Write to `folded` QC_CRC32C_FOLD bytes that move a register of 0 to where the first bytes of
   `data` move `crc`. Returns how many bytes that are: at least QC_CRC32C_FOLD, as `size` has to be,
   and less than that many are left. Needs QC_CPU_AVX512. */
size_t qc_crc32c_fold_avx512(uint32_t crc, const uint8_t *data, size_t size, uint8_t *folded);
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define QC_CRC32C_ARM 1
/* Needs QC_CPU_ARM_CRC. */
uint32_t qc_crc32c_arm(uint32_t crc, const uint8_t *data, size_t size);
#endif

#endif /* QC_CRC32C_H */
