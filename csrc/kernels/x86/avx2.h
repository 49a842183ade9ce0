/*
 * What the AVX2 files of this folder share: when they are compiled, and for which machines.
 */
#ifndef QC_X86_AVX2_H
#define QC_X86_AVX2_H

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define QC_HAS_AVX2 1
#include <immintrin.h>
#define QC_AVX2 __attribute__((target("avx2,popcnt")))
/* For the parts of a loop whose registers must not go through memory between them. */
#define QC_AVX2_INLINE QC_AVX2 static inline __attribute__((always_inline))
#else
#define QC_HAS_AVX2 0
#endif

#endif /* QC_X86_AVX2_H */
