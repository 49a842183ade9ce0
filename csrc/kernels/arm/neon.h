/*
 * What the NEON files of this folder share: when they are compiled. Every such machine runs them.
 */
#ifndef QC_ARM_NEON_H
#define QC_ARM_NEON_H

#if defined(__GNUC__) && defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define QC_HAS_NEON 1
#include <arm_neon.h>
/* For the parts of a loop whose registers must not go through memory between them. */
#define QC_NEON_INLINE static inline __attribute__((always_inline))
/* For a function that keeps tables in four registers each: clang cannot say so in the debug
   information of Windows, and stops ("unknown codeview register"). */
#if defined(__clang__) && defined(_WIN32)
#define QC_NEON_TABLES __attribute__((nodebug))
#else
#define QC_NEON_TABLES
#endif
#else
#define QC_HAS_NEON 0
#endif

#endif /* QC_ARM_NEON_H */
