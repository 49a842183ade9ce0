/*
 * What the C tests share: a check that says where it failed, random numbers, and memory that ends
 * at a page nobody may touch, so that reading or writing one byte too far is a fault even without
 * a sanitizer.
 */
#ifndef QC_TEST_SUPPORT_H
#define QC_TEST_SUPPORT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "qcodec.h"

#define CHECK(ok, ...)                                                                             \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #ok);                               \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* A call that has to be refused, by this rule: `call` is given `&error`. */
#define REFUSED(call, expected, rule)                                                              \
    do {                                                                                           \
        qc_error error = {"nothing", 0, 0, 0};                                                     \
        qc_status status_ = (call);                                                                \
        CHECK(status_ == (expected), "%s, not %s: %s", qc_status_name(status_),                    \
              qc_status_name(expected), error.what);                                               \
        CHECK(strcmp(error.what, rule) == 0, "%s", error.what);                                    \
    } while (0)

/* xorshift64: the same numbers on every machine. */
static inline uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Memory before a guard page. */
typedef struct guarded {
    uint8_t *guard; /* the first byte that must not be touched */
    size_t room;
} guarded;

static inline guarded guarded_memory(size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (room + page - 1) / page * page;
    uint8_t *base = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    CHECK(base != MAP_FAILED, "mmap of %zu bytes", pages);
    CHECK(mprotect(base + pages, page, PROT_NONE) == 0, "mprotect");
    return (guarded){base + pages, pages};
}

/* The last `size` bytes before the guard page. */
static inline uint8_t *last_bytes(guarded memory, size_t size)
{
    CHECK(size <= memory.room, "%zu bytes of %zu", size, memory.room);
    return memory.guard - size;
}

#endif /* QC_TEST_SUPPORT_H */
