/*
 * Finds the instruction sets of this machine, and keeps the choice among them. The processor is
 * asked directly: compilers only know about the machine that builds the library.
 */
#include "base/cpu.h"

#include <stdatomic.h>

#include "base/bytes.h"

/* No choice was made yet: no machine has this set. */
#define UNKNOWN (1u << 31)

/* The library's only global. It does no harm if two threads set it. */
static _Atomic uint32_t selected = UNKNOWN;

/* Those of `sets` that may be used: sets are a ladder (qcodec.h), so one that is missing takes the
   sets above it away. */
static uint32_t without_gaps(uint32_t sets)
{
    if (!(sets & QC_CPU_SSE42))
        sets &= ~(uint32_t)QC_CPU_AVX2;
    if (!(sets & QC_CPU_AVX2))
        sets &= ~(uint32_t)QC_CPU_AVX512;
    return sets;
}

/* The bits of the sets that this build has kernels for. */
#define BUILT                                                                                      \
    ((uint32_t)(QC_HAS_SSE42 * QC_CPU_SSE42 | QC_HAS_AVX2 * QC_CPU_AVX2 |                          \
                QC_HAS_AVX512 * QC_CPU_AVX512 | QC_HAS_ARM_CRC * QC_CPU_ARM_CRC |                  \
                QC_HAS_NEON * QC_CPU_NEON))

#if QC_X86

#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif

typedef struct cpuid_leaf {
    uint32_t eax, ebx, ecx, edx;
} cpuid_leaf;

/* Features of the CPU and, for wide registers, what the operating system saves. */
#define LEAF1_ECX_PCLMUL       (1u << 1)
#define LEAF1_ECX_SSE42        (1u << 20)
#define LEAF1_ECX_POPCNT       (1u << 23)
#define LEAF1_ECX_OSXSAVE      (1u << 27)
#define LEAF7_EBX_AVX2         (1u << 5)
#define LEAF7_EBX_AVX512F      (1u << 16)
#define LEAF7_EBX_AVX512BW     (1u << 30)
#define LEAF7_EBX_AVX512VL     (1u << 31)
#define LEAF7_ECX_AVX512VBMI   (1u << 1)
#define LEAF7_ECX_AVX512VBMI2  (1u << 6)
#define LEAF7_ECX_VPCLMULQDQ   (1u << 10)
#define LEAF7_ECX_AVX512BITALG (1u << 12)
#define XCR0_SSE_AVX           0x06u
#define XCR0_SSE_AVX_AVX512    0xE6u

/* All zeros if the CPU has no such leaf. */
static cpuid_leaf cpuid(uint32_t leaf)
{
    cpuid_leaf out = {0, 0, 0, 0};
#ifdef _MSC_VER
    int registers[4];
    __cpuid(registers, 0);
    if ((uint32_t)registers[0] >= leaf) {
        __cpuidex(registers, (int)leaf, 0);
        memcpy(&out, registers, sizeof out);
    }
#else
    if ((uint32_t)__get_cpuid_max(0, NULL) >= leaf)
        __cpuid_count(leaf, 0, out.eax, out.ebx, out.ecx, out.edx);
#endif
    return out;
}

/* The register sets that the operating system saves; only if the CPU has OSXSAVE. */
static uint32_t read_xcr0(void)
{
#ifdef _MSC_VER
    return (uint32_t)_xgetbv(0);
#else
    uint32_t eax, edx;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
#endif
}

static int has_all(uint32_t value, uint32_t bits) { return (value & bits) == bits; }

/* What the processor reports. */
static uint32_t ask(void)
{
    cpuid_leaf one = cpuid(1), seven = cpuid(7);
    uint32_t saved = one.ecx & LEAF1_ECX_OSXSAVE ? read_xcr0() : 0, found = 0;

    if (has_all(one.ecx, LEAF1_ECX_SSE42 | LEAF1_ECX_PCLMUL))
        found |= QC_CPU_SSE42;
    if (has_all(saved, XCR0_SSE_AVX) && (seven.ebx & LEAF7_EBX_AVX2) &&
        (one.ecx & LEAF1_ECX_POPCNT))
        found |= QC_CPU_AVX2;
    if (has_all(saved, XCR0_SSE_AVX_AVX512) &&
        has_all(seven.ebx, LEAF7_EBX_AVX512F | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL) &&
        has_all(seven.ecx, LEAF7_ECX_AVX512VBMI | LEAF7_ECX_AVX512VBMI2 | LEAF7_ECX_VPCLMULQDQ |
                               LEAF7_ECX_AVX512BITALG))
        found |= QC_CPU_AVX512;
    return found;
}

#elif QC_ARM64

#if defined(__linux__)
#include <sys/auxv.h>

#define HWCAP_BIT_CRC32 (1u << 7)

static int has_crc(void) { return (getauxval(AT_HWCAP) & HWCAP_BIT_CRC32) != 0; }
#elif defined(__APPLE__)
static int has_crc(void) { return 1; } /* every such machine has it */
#else
static int has_crc(void) { return 0; }
#endif

static uint32_t ask(void) { return QC_CPU_NEON | (has_crc() ? QC_CPU_ARM_CRC : 0); }

#else

static uint32_t ask(void) { return 0; }

#endif

uint32_t qc_cpu_detect(void) { return without_gaps(ask() & BUILT); }

uint32_t qc_cpu_selected(void)
{
    uint32_t sets = atomic_load_explicit(&selected, memory_order_relaxed);
    return sets != UNKNOWN ? sets : qc_cpu_select(~(uint32_t)0);
}

uint32_t qc_cpu_select(uint32_t allowed)
{
    uint32_t sets = without_gaps(qc_cpu_detect() & allowed);
    atomic_store_explicit(&selected, sets, memory_order_relaxed);
    return sets;
}
