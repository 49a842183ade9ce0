/*
 * What the AVX-512 files of this folder share. Each of them is empty in a build without AVX-512.
 */
#ifndef QC_X86_AVX512_H
#define QC_X86_AVX512_H

#include "kernels/kernels.h"

#if QC_HAS_AVX512

#ifndef QC_AVX512 /* a test brings the intrinsics, in software (tests/c/simde) */
#include <immintrin.h>
/* The features that QC_CPU_AVX512 stands for (base/cpu.c). */
#define QC_AVX512                                                                                  \
    __attribute__((                                                                                \
        target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bitalg,vpclmulqdq")))
#endif

#endif /* QC_HAS_AVX512 */
#endif /* QC_X86_AVX512_H */
