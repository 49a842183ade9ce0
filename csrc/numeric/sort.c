/*
 * Sorts floats by their bits, 11 at a time from the lowest (radix sort, least significant digit
 * first). The time depends on the number of values alone, whatever they are, and every pass can be
 * interrupted.
 *
 * A float becomes an unsigned integer of the same order: of negative ones all bits are flipped, of
 * the others only the sign. One pass makes these keys and counts all three digits of each. Then
 * each digit has a pass that moves every key behind those with a lower digit. These passes are
 * stable: keys with equal digits keep their order, so after the last pass keys are ordered by all
 * digits. A digit that all keys share needs no pass.
 */
#include "base/float_bits.h"
#include "base/ticker.h"
#include "qcodec_numeric.h"

#define DIGIT_BITS 11
#define DIGITS     ((size_t)1 << DIGIT_BITS)
#define PASSES     3 /* of 33 bits */

/* Values between two questions to the ticker, and how many of them are one of its steps. */
#define PIECE      ((size_t)1 << 16)
#define STEP_PARTS 4

typedef size_t digit_counts[PASSES][DIGITS];

size_t qc_sort_workspace(size_t count) { return sizeof(digit_counts) + count * sizeof(float); }

/* Keys are stored as bytes, as the caller's memory holds floats. */
static inline uint32_t load(const uint8_t *keys, size_t i)
{
    uint32_t key;
    memcpy(&key, keys + i * sizeof key, sizeof key);
    return key;
}

static inline void store(uint8_t *keys, size_t i, uint32_t key)
{
    memcpy(keys + i * sizeof key, &key, sizeof key);
}

static inline uint32_t key_of(uint32_t bits)
{
    return bits ^ (bits & QC_F32_SIGN ? ~(uint32_t)0 : QC_F32_SIGN);
}

static inline uint32_t bits_of(uint32_t key)
{
    return key ^ (key & QC_F32_SIGN ? QC_F32_SIGN : ~(uint32_t)0);
}

static inline size_t digit_of(uint32_t key, unsigned pass)
{
    return key >> (pass * DIGIT_BITS) & (DIGITS - 1);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Floats to keys, in place. */
static qc_status make_keys(uint8_t *keys, size_t count, digit_counts counts, qc_ticker *ticker,
                           qc_error *error)
{
    memset(counts, 0, sizeof(digit_counts));
    for (size_t i = 0; i < count;) {
        size_t end = i + smaller(PIECE, count - i);
        QC_TICK(ticker, PIECE / STEP_PARTS);
        for (; i < end; i++) {
            uint32_t key = key_of(load(keys, i));
            store(keys, i, key);
            for (unsigned pass = 0; pass < PASSES; pass++)
                counts[pass][digit_of(key, pass)]++;
        }
    }
    return QC_OK;
}

/* From how often each digit occurs to the place of its first key. Returns 0 if one has them all. */
static int find_places(size_t counts[DIGITS], size_t count)
{
    size_t before = 0;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t of_digit = counts[digit];
        if (of_digit == count)
            return 0;
        counts[digit] = before;
        before += of_digit;
    }
    return 1;
}

static qc_status move_keys(const uint8_t *keys, size_t count, unsigned pass, size_t places[DIGITS],
                           uint8_t *out, qc_ticker *ticker, qc_error *error)
{
    for (size_t i = 0; i < count;) {
        size_t end = i + smaller(PIECE, count - i);
        QC_TICK(ticker, PIECE / STEP_PARTS);
        for (; i < end; i++) {
            uint32_t key = load(keys, i);
            store(out, places[digit_of(key, pass)]++, key);
        }
    }
    return QC_OK;
}

qc_status qc_sort(float *values, size_t count, void *workspace, const qc_poll *poll,
                  qc_error *error)
{
    size_t(*counts)[DIGITS] = workspace;
    qc_ticker ticker = qc_ticker_of(poll);
    uint8_t *keys = (uint8_t *)values, *other = (uint8_t *)workspace + sizeof(digit_counts);
    QC_TRY(make_keys(keys, count, counts, &ticker, error));
    for (unsigned pass = 0; pass < PASSES; pass++) {
        if (!find_places(counts[pass], count))
            continue;
        QC_TRY(move_keys(keys, count, pass, counts[pass], other, &ticker, error));
        uint8_t *sorted = other;
        other = keys;
        keys = sorted;
    }
    for (size_t i = 0; i < count; i++)
        store((uint8_t *)values, i, bits_of(load(keys, i)));
    return QC_OK;
}
