/*
 * What the fuzz targets share: promises that end the run when they are broken, buffers of exact
 * size, so that the sanitizers notice a single byte too many, and libFuzzer's entry points.
 */
#ifndef QC_FUZZ_HARNESS_H
#define QC_FUZZ_HARNESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcodec.h"

#ifdef __has_feature
#if __has_feature(memory_sanitizer)
#define QC_FUZZ_MSAN
#include <sanitizer/msan_interface.h>
#endif
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Larger tensors are valid but make the fuzzer slow; decode_large is for them. */
#ifndef MAX_ELEMENTS
#define MAX_ELEMENTS ((size_t)1 << 12)
#endif

/* The base of every frame of kind delta: any bits, some of them floats with few different
 * exponents. */
static inline const uint8_t *fuzz_base(void)
{
    static uint64_t base[MAX_ELEMENTS];
    uint64_t state = 1;
    if (base[0] != 0)
        return (const uint8_t *)base;
    for (size_t i = 0; i < MAX_ELEMENTS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        base[i] = i % 4 == 0 ? state : (state & 0x83FFFFFF83FFFFFF) | 0x3C0000003C000000;
    }
    return (const uint8_t *)base;
}

/* A promise of the library: a finding if it does not hold. */
#define PROMISE(holds)                                                                             \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #holds);            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Some byte of the input chooses the instruction sets that it is run on: none, those of AVX2, all.
   Returns 0 for none, which is portable C. The memory sanitizer runs that alone: clang takes all of
   a shuffle's result for undefined if some of its table is, used or not. */
static inline int select_path(unsigned byte)
{
    static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
    size_t path = byte % (sizeof paths / sizeof *paths);
#ifdef QC_FUZZ_MSAN
    path = 0;
#endif
    qc_cpu_select(paths[path]);
    return path != 0;
}

/* Memory whose bytes must not be used before they are written, as far as a sanitizer can tell. */
static inline void forget(void *memory, size_t size)
{
#ifdef QC_FUZZ_MSAN
    __msan_poison(memory, size);
#else
    (void)memory;
    (void)size;
#endif
}

/* libFuzzer's own mutation; its code is not instrumented, so that the memory sanitizer takes the
   bytes that it wrote for undefined. */
static inline size_t mutate(uint8_t *data, size_t size, size_t max_size)
{
    size = LLVMFuzzerMutate(data, size, max_size);
#ifdef QC_FUZZ_MSAN
    __msan_unpoison(data, size);
#endif
    return size;
}

/* `size` bytes of their own, filled with `fill` or undefined: the sanitizer's red zone begins
   after them. */
static inline uint8_t *buffer_of(size_t size, int fill)
{
    uint8_t *buffer = malloc(size > 0 ? size : 1);
    if (buffer == NULL)
        abort();
    memset(buffer, fill, size);
    forget(buffer, size);
    return buffer;
}

static inline uint8_t *copy_of(const uint8_t *data, size_t size)
{
    uint8_t *copy = buffer_of(size, 0);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

/* Refusing input is right, if it is the input that is blamed, and with a reason. */
static inline int refused(qc_status status, const qc_error *error)
{
    if (status == QC_OK)
        return 0;
    PROMISE(status >= QC_TRUNCATED && status <= QC_LIMIT);
    PROMISE(error->what != NULL && error->what[0] != '\0');
    return 1;
}

#endif /* QC_FUZZ_HARNESS_H */
