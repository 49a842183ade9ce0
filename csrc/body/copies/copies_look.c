/*
 * A quick look at a tensor: whether the search for copies is worth its time.
 */
#include "base/log2_fixed.h"
#include "body/copies/copies_elements.h"

/* A sample is RANGES ranges of up to RANGE elements: copies are made inside a chunk. Of the
   elements (of single bytes: of windows of 8) about LANDMARKS are compared, which are chosen by
   their hashes, so that an element is compared with its repeats, wherever they are. Where few
   elements differ, none of them may be chosen: so some are compared with those just before them. */
#define RANGES      2
#define RANGE       16384
#define LANDMARKS   2048
#define SLOT_BITS   10
#define LEAST       32 /* elements */
#define NEAR        64
#define NEAR_STRIDE 2039 /* a prime: rows do not begin there */
#define STATISTICS  4096 /* elements whose frequencies are counted */
#define LOOKED_FOR  40   /* bits of a repeat that is no accident */
#define MAX_REPEAT  1024
/* Of so many elements one has to recur. */
#define FAR_PART  256
#define NEAR_PART 8

typedef struct sample {
    qc_copy_elements of;
    size_t far, far_hits, near, near_hits;
    unsigned part_bits; /* an element is chosen if so many bits of its hash are 1 */
    uint32_t bits[256]; /* of an element, by its hash, in units of 2^-8; at most 12 bits */
    uint32_t slots[1 << SLOT_BITS];
} sample;

static inline unsigned part_of(uint64_t element) { return (unsigned)(qc_copy_mix(element) >> 56); }

static void count_elements(sample *sample)
{
    const qc_copy_elements *s = &sample->of;
    uint32_t total = 0;
    memset(sample->bits, 0, sizeof sample->bits);
    for (size_t i = 0; i < s->count; i += s->count / STATISTICS + 1, total++)
        sample->bits[part_of(qc_copy_load(s, i, s->item_size))]++;
    for (unsigned i = 0; i < 256; i++)
        sample->bits[i] =
            qc_log2_fixed(total) - (sample->bits[i] > 0 ? qc_log2_fixed(sample->bits[i]) : 0);
}

/* Whether the elements from `at` on repeat those at `from`, for so long that it is no accident. */
static inline int recurs(const sample *sample, size_t at, size_t from, int mirrored, size_t size,
                         qc_copy_rule rule)
{
    const qc_copy_elements *s = &sample->of;
    int64_t step = qc_copy_step(s, at, from, size, rule);
    uint32_t bits = 0;
    for (size_t i = 0; i < MAX_REPEAT && at + i < s->count && (!mirrored || i <= from); i++) {
        if (!qc_is_copy(s, at + i, mirrored ? from - i : from + i, step, size, rule))
            return 0;
        bits += sample->bits[part_of(qc_copy_load(s, at + i, size))];
        if (bits > LOOKED_FOR * QC_LOG2_ONE)
            return 1;
    }
    return 0;
}

static inline int recurs_near(const sample *sample, size_t at, size_t size, qc_copy_rule rule)
{
    for (size_t from = at > NEAR ? at - NEAR : 0; from < at; from++)
        if (recurs(sample, at, from, 0, size, rule) || recurs(sample, at, from, 1, size, rule))
            return 1;
    return 0;
}

/* What is compared at an element: the same for all its repeats. */
static inline uint64_t landmark(const qc_copy_elements *s, size_t at, size_t size,
                                qc_copy_rule rule)
{
    if (size == 1)
        return qc_load64(s->values + at);
    if (rule == QC_COPY_STEPS) {
        int64_t by =
            qc_copy_difference(qc_copy_load(s, at + 1, size), qc_copy_load(s, at, size), size);
        return qc_copy_magnitude(by);
    }
    return qc_copy_load(s, at, size) << (rule == QC_COPY_SIGNS) << (64 - 8 * size);
}

static inline void look(sample *sample, size_t first, size_t end, size_t size, qc_copy_rule rule)
{
    const qc_copy_elements *s = &sample->of;
    for (size_t at = first; at < end; at++) {
        uint64_t key = landmark(s, at, size, rule) * UINT64_C(0x9E3779B97F4A7C15);
        if (QC_LIKELY(~key >> 1 >> (63 - sample->part_bits) !=
                      0)) /* elements of 0 are not chosen */
            continue;
        uint32_t *slot = &sample->slots[key >> (64 - 8 - SLOT_BITS) & ((1 << SLOT_BITS) - 1)];
        sample->far++;
        sample->far_hits += *slot != QC_COPY_NONE && (recurs(sample, at, *slot, 0, size, rule) ||
                                                      recurs(sample, at, *slot, 1, size, rule));
        *slot = (uint32_t)at;
    }
    size_t stride = end - first < NEAR_STRIDE ? end - first : NEAR_STRIDE;
    for (size_t at = first + stride / 2; at < end; at += stride) {
        sample->near++;
        sample->near_hits += (unsigned)recurs_near(sample, at, size, rule);
    }
}

static void look_by_type(sample *sample, size_t first, size_t end)
{
    const qc_copy_elements *s = &sample->of;
#define LOOK(size)                                                                                 \
    (s->rule == QC_COPY_EXACT   ? look(sample, first, end, size, QC_COPY_EXACT)                    \
     : s->rule == QC_COPY_SIGNS ? look(sample, first, end, size, QC_COPY_SIGNS)                    \
                                : look(sample, first, end, size, QC_COPY_STEPS))
    switch (s->item_size) {
    case 1: LOOK(1); break;
    case 2: LOOK(2); break;
    case 4: LOOK(4); break;
    default: LOOK(8);
    }
#undef LOOK
}

int qc_copies_may_pay(const void *values, size_t count, size_t item_size, qc_dtype dtype)
{
    sample sample = {.of = {.values = values, .count = count, .item_size = item_size}};
    sample.of.rule = dtype <= QC_F64   ? QC_COPY_SIGNS
                     : dtype <= QC_I64 ? QC_COPY_STEPS
                                       : QC_COPY_EXACT;
    if (count < LEAST)
        return 0;
    size_t starts = count - 8; /* a landmark may take so many elements */
    size_t length = starts < RANGE ? starts : RANGE, ranges = item_size > 1 ? RANGES : 1;
    ranges = starts / length < ranges ? starts / length : ranges;
    sample.part_bits = qc_bit_length(ranges * length / LANDMARKS);
    memset(sample.slots, 0xFF, sizeof sample.slots);
    count_elements(&sample);
    for (size_t i = 0; i < ranges; i++) {
        size_t first = ranges > 1 ? (starts - length) / (ranges - 1) * i : 0;
        look_by_type(&sample, first, first + length);
    }
    return sample.far_hits * FAR_PART > sample.far || sample.near_hits * NEAR_PART > sample.near;
}
