/*
 * The instruction sets that this build has kernels for: 1 or 0 each. kernels/kernels.c builds its
 * tables by them, qc_cpu_detect reports no others, and a file in kernels/x86 or kernels/arm is
 * empty without its set. -DQC_PORTABLE is a build without those two folders. A test may set one of
 * them itself, to compile a set in software.
 */
#ifndef QC_CPU_H
#define QC_CPU_H

#if defined(QC_PORTABLE)
#define QC_X86   0
#define QC_ARM64 0
#elif defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#define QC_X86   1
#define QC_ARM64 0
#elif defined(__aarch64__) || defined(_M_ARM64)
#define QC_X86   0
#define QC_ARM64 1
#else
#define QC_X86   0
#define QC_ARM64 0
#endif

/* The CRC kernels compile everywhere, the others where a function can name the sets that it uses
   (gcc, clang), and NEON on little-endian machines. */
#ifndef QC_HAS_SSE42
#define QC_HAS_SSE42 QC_X86
#endif
#ifndef QC_HAS_ARM_CRC
#define QC_HAS_ARM_CRC QC_ARM64
#endif
#if defined(__GNUC__)
#ifndef QC_HAS_AVX2
#define QC_HAS_AVX2 QC_X86
#endif
#ifndef QC_HAS_AVX512
#define QC_HAS_AVX512 QC_X86
#endif
#ifndef QC_HAS_NEON
#define QC_HAS_NEON (QC_ARM64 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#endif
#else
#define QC_HAS_AVX2   0
#define QC_HAS_AVX512 0
#define QC_HAS_NEON   0
#endif

#endif /* QC_CPU_H */
