/*
 * What the AVX2 files of this folder share. Each of them is empty in a build without AVX2.
 */
#ifndef QC_X86_AVX2_H
#define QC_X86_AVX2_H

#include "kernels/kernels.h"

#if QC_HAS_AVX2

#include <immintrin.h>

#define QC_AVX2 __attribute__((target("avx2,popcnt")))
/* For the parts of a loop whose registers must not go through memory between them. */
#define QC_AVX2_INLINE QC_AVX2 static inline __attribute__((always_inline))

#endif /* QC_HAS_AVX2 */
#endif /* QC_X86_AVX2_H */
