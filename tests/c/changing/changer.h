/*
 * A thread that keeps changing a buffer, for the promise that nobody who does so makes a reader go
 * astray: it writes runs of other bytes, and every other time puts the old ones back.
 */
#ifndef QC_TEST_CHANGER_H
#define QC_TEST_CHANGER_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "../support.h"

typedef struct changer {
    uint8_t *bytes; /* of `original`, changing */
    const uint8_t *original;
    size_t size, run; /* bytes that change at once, at most */
    int sweeps;       /* now and then all of them do: few symbols become many, and many few */
    uint8_t mask;     /* of what is written */
    atomic_size_t changes;
    atomic_int stop;
    pthread_t thread;
} changer;

static void *keep_changing(void *argument)
{
    changer *by = argument;
    uint64_t state = by->size * 0x9E3779B97F4A7C15u + 1;
    volatile uint8_t *bytes = by->bytes;
    while (!atomic_load(&by->stop)) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        int whole = by->sweeps && (state >> 59 & 3) == 0;
        size_t at = whole ? 0 : (size_t)(state >> 33) % by->size, left = by->size - at;
        size_t run = whole ? left : 1 + (size_t)(state >> 20) % by->run;
        unsigned how = (unsigned)(state >> 61);
        run = run < left ? run : left;
        for (size_t i = at; i < at + run; i++) {
            state ^= state << 7 ^ state >> 9;
            bytes[i] = (uint8_t)(how < 4    ? by->original[i]
                                 : how == 4 ? 0
                                 : how == 5 ? by->mask
                                            : state >> 30 & by->mask);
        }
        atomic_fetch_add(&by->changes, 1);
    }
    return NULL;
}

static inline void start_changing(changer *by)
{
    CHECK(pthread_create(&by->thread, NULL, keep_changing, by) == 0, "a thread");
}

static inline void stop_changing(changer *by)
{
    atomic_store(&by->stop, 1);
    CHECK(pthread_join(by->thread, NULL) == 0, "a thread");
}

/* Whether there were few changes so far: then let the other thread go on. */
static inline int has_changed_little(changer *by, size_t enough)
{
    if (atomic_load(&by->changes) >= enough)
        return 0;
    sched_yield();
    return 1;
}

/* A copy of exactly this size, so that a sanitizer sees the byte behind it. */
static inline uint8_t *exact_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    CHECK(copy != NULL, "%zu bytes", size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

#endif /* QC_TEST_CHANGER_H */
