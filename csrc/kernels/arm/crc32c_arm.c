/*
 * CRC32C by ARM's instruction: 8 bytes at a time.
 */
#include "kernels/kernels.h"

#if QC_HAS_ARM_CRC

/* By the compilers' own names: older arm_acle.h hide the intrinsics unless the whole file is built
   for machines that have them. */
#if defined(__clang__)
#define CRC32C_8    __builtin_arm_crc32cd
#define CRC32C_1    __builtin_arm_crc32cb
#define WITH_CRC32C __attribute__((target("crc")))
#elif defined(__GNUC__)
#define CRC32C_8    __builtin_aarch64_crc32cx
#define CRC32C_1    __builtin_aarch64_crc32cb
#define WITH_CRC32C __attribute__((target("+crc")))
#else
#include <intrin.h>
#define CRC32C_8 __crc32cd
#define CRC32C_1 __crc32cb
#define WITH_CRC32C
#endif

WITH_CRC32C uint32_t qc_crc32c_arm(uint32_t crc, const uint8_t *data, size_t size)
{
    for (; size >= 8; size -= 8, data += 8)
        crc = CRC32C_8(crc, qc_load64(data));
    for (; size > 0; size--, data++)
        crc = CRC32C_1(crc, *data);
    return crc;
}

#endif
