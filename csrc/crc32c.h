/*
 * CRC32C by instruction set. All of them work on the register: the CRC before its final
 * complement.
 */
#ifndef QC_CRC32C_H
#define QC_CRC32C_H

#include "bytes.h"

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#define QC_CRC32C_X86 1
/* Needs QC_CPU_SSE42. */
uint32_t qc_crc32c_sse42(uint32_t crc, const uint8_t *data, size_t size);
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define QC_CRC32C_ARM 1
/* Needs QC_CPU_ARM_CRC. */
uint32_t qc_crc32c_arm(uint32_t crc, const uint8_t *data, size_t size);
#endif

#endif /* QC_CRC32C_H */
