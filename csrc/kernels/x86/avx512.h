/*
 * What the AVX-512 files of this folder share: when they are compiled, and for which machines.
 */
#ifndef QC_X86_AVX512_H
#define QC_X86_AVX512_H

#ifdef QC_AVX512
/* A test brings the intrinsics, in software (tests/c/simde). */
#define QC_HAS_AVX512 1
#elif defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define QC_HAS_AVX512 1
#include <immintrin.h>
/* The features that QC_CPU_AVX512 stands for (cpu.c). */
#define QC_AVX512                                                                                  \
    __attribute__((                                                                                \
        target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bitalg,vpclmulqdq")))
#else
#define QC_HAS_AVX512 0
#endif

#endif /* QC_X86_AVX512_H */
