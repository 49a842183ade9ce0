/*
 * Every pattern of 12 cells at every gap width: the gaps lead back to the pattern, fillers stand
 * only where no entry can reach, and a limit that the last position meets is refused.
 */
#include "support.h"

#define CELLS 12

static unsigned gap_at(const void *gaps, size_t i, unsigned width)
{
    return width <= 8 ? ((const uint8_t *)gaps)[i] : ((const uint16_t *)gaps)[i];
}

/* Positions may have changed since their gaps were counted: nothing is written beyond the room.
 */
static void check_room(const uint32_t *positions, size_t count, unsigned width, size_t stored)
{
    size_t room = stored - 1;
    uint16_t gaps[128];
    uint32_t entry_of[128] = {0};
    memset(gaps, 0, sizeof gaps);
    CHECK(qc_relative_index_encode(positions, count, width, gaps, entry_of, &room, NULL) ==
              QC_NO_SPACE,
          "width %u", width);
    for (size_t i = stored - 1; i < 128; i++)
        CHECK(gap_at(gaps, i, width) == 0 && entry_of[i] == 0, "entry %zu, width %u", i, width);
}

static void check(const uint32_t *positions, size_t count, unsigned width)
{
    uint16_t gaps[128];
    uint32_t entry_of[128], back[128];
    size_t stored = qc_relative_index_count(positions, count, width), k = 0, written = 128;
    uint32_t next = 0;

    CHECK(stored <= 128, "%zu stored gaps", stored);
    CHECK(qc_relative_index_encode(positions, count, width, gaps, entry_of, &written, NULL) ==
              QC_OK,
          "width %u", width);
    CHECK(written == stored, "%zu stored gaps, %zu written", stored, written);
    for (size_t i = 0; i < stored; i++) {
        unsigned gap = gap_at(gaps, i, width), largest = (1u << width) - 1;
        CHECK(gap <= largest, "gap %u, width %u", gap, width);
        next += gap + 1;
        if (entry_of[i] == UINT32_MAX) {
            CHECK(gap == largest && k < count && next <= positions[k], "filler %zu, width %u", i,
                  width);
        } else {
            CHECK(entry_of[i] == k && next - 1 == positions[k], "entry %zu, width %u", i, width);
            k++;
        }
    }
    CHECK(k == count, "%zu of %zu positions", k, count);
    if (count == 0)
        return;
    check_room(positions, count, width, stored);
    CHECK(qc_relative_index_decode(gaps, stored, width, next, back, NULL) == QC_OK, "width %u",
          width);
    for (size_t i = 0; i < stored; i++)
        if (entry_of[i] != UINT32_MAX)
            CHECK(back[i] == positions[entry_of[i]], "entry %zu, width %u", i, width);
    CHECK(qc_relative_index_decode(gaps, stored, width, next - 1, back, NULL) == QC_CORRUPT,
          "width %u", width);
}

static void check_width_choice(const uint32_t *positions, size_t count, unsigned value_bits)
{
    unsigned chosen = qc_relative_index_width(positions, count, value_bits);
    size_t bits = qc_relative_index_count(positions, count, chosen) * (chosen + value_bits);
    CHECK(chosen >= 1 && chosen <= 16, "width %u", chosen);
    for (unsigned width = 1; width <= 16; width++)
        CHECK(qc_relative_index_count(positions, count, width) * (width + value_bits) >= bits,
              "width %u is better than %u", width, chosen);
}

int main(void)
{
    for (unsigned pattern = 0; pattern < 1u << CELLS; pattern++) {
        uint32_t positions[CELLS];
        size_t count = 0;
        for (uint32_t cell = 0; cell < CELLS; cell++)
            if (pattern >> cell & 1)
                positions[count++] = cell;
        for (unsigned width = 1; width <= 16; width++)
            check(positions, count, width);
        check_width_choice(positions, count, 4);
    }
    for (unsigned width = 1; width <= 16; width++) { /* runs around the largest gap, twice over */
        for (uint32_t step = 0; step < 4; step++) {
            uint32_t first = (1u << width) - 2 + step;
            uint32_t positions[2] = {first, 2 * first + (2u << width) + 1};
            check(positions, 2, width);
        }
    }
    uint32_t equal[2] = {3, 3}, descending[2] = {4, 3}, entry_of[8];
    uint16_t gaps[8];
    size_t room = 8;
    CHECK(qc_relative_index_encode(equal, 2, 4, gaps, entry_of, &room, NULL) == QC_INVALID,
          "equal");
    CHECK(qc_relative_index_encode(descending, 2, 4, gaps, entry_of, &room, NULL) == QC_INVALID,
          "descending");
    CHECK(qc_relative_index_encode(equal, 1, 17, gaps, entry_of, &room, NULL) == QC_INVALID,
          "width 17");
    CHECK(qc_relative_index_decode(gaps, 1, 0, 8, entry_of, NULL) == QC_INVALID, "width 0");
    return 0;
}
