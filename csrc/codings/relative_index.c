/*
 * Relative index (docs/format.md, section 6, gaps): positions as the gaps between them.
 *
 * A gap above the largest one, 2^w - 1, is bridged by fillers. Each filler has the largest gap and
 * so moves 2^w positions forward: a gap of g takes g >> w fillers, and g mod 2^w is left for the
 * position itself.
 */
#include "base/bytes.h"

#define MAX_GAP_WIDTH 16

size_t qc_relative_index_count(const uint32_t *positions, size_t count, unsigned gap_width)
{
    size_t stored = count;
    uint32_t expected = 0;
    for (size_t i = 0; i < count; i++) {
        stored += (positions[i] - expected) >> gap_width;
        expected = positions[i] + 1;
    }
    return stored;
}

unsigned qc_relative_index_width(const uint32_t *positions, size_t count, unsigned value_bits)
{
    unsigned best = MAX_GAP_WIDTH;
    uint64_t best_bits = UINT64_MAX;
    for (unsigned width = 1; width <= MAX_GAP_WIDTH; width++) {
        uint64_t bits =
            (uint64_t)qc_relative_index_count(positions, count, width) * (width + value_bits);
        if (bits < best_bits) {
            best = width;
            best_bits = bits;
        }
    }
    return best;
}

static inline void store_gap(void *gaps, size_t i, unsigned gap_width, uint32_t gap)
{
    if (gap_width <= 8)
        ((uint8_t *)gaps)[i] = (uint8_t)gap;
    else
        ((uint16_t *)gaps)[i] = (uint16_t)gap;
}

qc_status qc_relative_index_encode(const uint32_t *positions, size_t count, unsigned gap_width,
                                   void *gaps, uint32_t *index_of, size_t *stored, qc_error *error)
{
    uint64_t expected = 0; /* the smallest position that may come next */
    size_t at = 0, room = *stored;

    QC_CHECK(gap_width >= 1 && gap_width <= MAX_GAP_WIDTH, QC_INVALID, "relative index: gap width",
             0, gap_width, MAX_GAP_WIDTH);
    uint32_t max_gap = (1u << gap_width) - 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t position = positions[i]; /* read once: the room was found by an earlier reading */
        QC_CHECK(position >= expected, QC_INVALID,
                 "relative index: positions are not strictly ascending", i, position, expected);
        uint32_t gap = position - (uint32_t)expected, fillers = gap >> gap_width;
        QC_CHECK(fillers < room - at, QC_NO_SPACE, "relative index: stored gaps", i, room,
                 (uint64_t)at + fillers + 1);
        for (; fillers > 0; fillers--, at++) {
            store_gap(gaps, at, gap_width, max_gap);
            if (index_of != NULL)
                index_of[at] = UINT32_MAX;
        }
        store_gap(gaps, at, gap_width, gap & max_gap);
        if (index_of != NULL)
            index_of[at] = (uint32_t)i;
        at++;
        expected = (uint64_t)position + 1;
    }
    *stored = at;
    return QC_OK;
}

qc_status qc_relative_index_decode(const void *gaps, size_t stored, unsigned gap_width,
                                   size_t limit, uint32_t *positions, qc_error *error)
{
    const uint8_t *narrow = gaps;
    const uint16_t *wide = gaps;
    uint64_t next = 0;

    QC_CHECK(gap_width >= 1 && gap_width <= MAX_GAP_WIDTH, QC_INVALID, "relative index: gap width",
             0, gap_width, MAX_GAP_WIDTH);
    QC_CHECK(limit <= (size_t)UINT32_MAX, QC_INVALID, "relative index: limit", 0, limit,
             UINT32_MAX);
    for (size_t i = 0; i < stored; i++) {
        next += (uint64_t)(gap_width <= 8 ? narrow[i] : wide[i]) + 1;
        positions[i] = (uint32_t)(next - 1);
    }
    /* Positions ascend, so the last one is the largest. */
    QC_CHECK(next <= limit, QC_CORRUPT, "relative index: last position is not below the limit", 0,
             next - 1, limit);
    return QC_OK;
}
