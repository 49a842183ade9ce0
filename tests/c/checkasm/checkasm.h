/*
 * How kernels are checked one by one, after dav1d's checkasm: a check runs one kernel of a table on
 * random and on extreme inputs of many lengths, whose buffers end at a page that nobody may touch,
 * and compares what it writes with portable C. A check returns what is wrong, or NULL.
 *
 * Checks are checked too. Each runs twice more with a kernel that is broken on purpose, and must
 * then find fault: once the kernel does no work, and once a byte of its output is another one.
 */
#ifndef CHECKASM_H
#define CHECKASM_H

#include "../support.h"
#include "kernels/kernels.h"

typedef const char *kernel_check(const qc_kernels *kernels);

#define MAX_COUNT 1000
/* Elements that a partial kernel may leave of any number of them. */
#define MAX_LEFT 192

enum { AS_IT_IS, IDLE, WRONG_BYTE };
static int sabotage = AS_IT_IS;

static guarded input, more_input, output;
static char complaint[256];

#define WRONG(...) return (snprintf(complaint, sizeof complaint, __VA_ARGS__), complaint)

/* A call of a partial kernel, which returns how much it did; or of a complete one. */
#define PARTIAL(call) (sabotage == IDLE ? 0 : (call))
#define COMPLETE(call)                                                                             \
    do {                                                                                           \
        if (sabotage != IDLE)                                                                      \
            (call);                                                                                \
    } while (0)

/* The next count to try: all small ones, so that output begins at every place in a line and ends at
   every place in a vector, then a few. */
static inline size_t next_count(size_t count) { return count + (count < 140 ? 1 : 86); }

static inline int is_enough(size_t done, size_t count)
{
    return done <= count && count - done <= MAX_LEFT;
}

/* Random, or all bits 0, or all bits 1. */
static inline void fill(uint8_t *bytes, size_t size, unsigned round)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = round % 4 == 2 ? 0 : round % 4 == 3 ? 255 : (uint8_t)(random_bits() >> 13);
}

/* Room for output, full of bytes that no kernel wrote. */
static inline uint8_t *room(guarded memory, size_t size)
{
    return memset(last_bytes(memory, size), 0xA5, size);
}

static inline int is_same(void *found, const void *expected, size_t size)
{
    if (sabotage == WRONG_BYTE && size > 0)
        ((uint8_t *)found)[random_bits() % size] ^= 1;
    return memcmp(found, expected, size) == 0;
}

#endif /* CHECKASM_H */
