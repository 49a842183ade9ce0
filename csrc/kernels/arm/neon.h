/*
 * What the NEON files of this folder share. Each of them is empty in a build without NEON.
 */
#ifndef QC_ARM_NEON_H
#define QC_ARM_NEON_H

#include "kernels/kernels.h"

#if QC_HAS_NEON

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

#endif /* QC_HAS_NEON */
#endif /* QC_ARM_NEON_H */
