/*
 * The calling thread's floating-point mode. A program may have told its threads to flush subnormals
 * to zero or to round another way, for speed or through a library built with -ffast-math; numbers
 * here must not depend on that. The mode is a register of the thread, so nothing is shared.
 */
#include "base/bytes.h"

#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)

#include <immintrin.h>

#ifdef _MSC_VER
#define SSE
#else
#define SSE __attribute__((target("sse"))) /* i386 has SSE without being told */
#endif

/* MXCSR: bits 0 to 5 are flags of what has happened, and not part of the mode. */
#define FLAGS    0x3Fu
#define STANDARD 0x1F80u /* every exception masked, to nearest, subnormals kept */

SSE static uint32_t mode_now(void) { return _mm_getcsr(); }
SSE static void set_mode(uint32_t mode) { _mm_setcsr(mode); }

#elif defined(__aarch64__)

/* FPCR */
#define FLAGS    0u
#define STANDARD 0u

static uint32_t mode_now(void)
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return (uint32_t)mode;
}

static void set_mode(uint32_t mode)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)mode) : "memory");
}

#elif defined(_M_ARM64)

#include <intrin.h>

#define FLAGS    0u
#define STANDARD 0u

static uint32_t mode_now(void) { return (uint32_t)_ReadStatusReg(ARM64_FPCR); }
static void set_mode(uint32_t mode) { _WriteStatusReg(ARM64_FPCR, mode); }

#else

/* Other machines keep subnormals in the instructions that C compiles to. */
#define FLAGS    0u
#define STANDARD 0u

static uint32_t mode_now(void) { return STANDARD; }
static void set_mode(uint32_t mode) { (void)mode; }

#endif

uint32_t qc_float_mode_enter(void)
{
    uint32_t before = mode_now();
    if ((before & ~FLAGS) != STANDARD)
        set_mode(STANDARD | (before & FLAGS));
    return before;
}

void qc_float_mode_leave(uint32_t before)
{
    if ((before & ~FLAGS) != STANDARD)
        set_mode(before);
}
