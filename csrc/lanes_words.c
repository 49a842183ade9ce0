/*
 * The words of 128 lanes: a pass forward finds out when each lane takes a word, a pass backward, in
 * which the bits that follow are always known, writes them.
 */
#include "lanes_encode.h"

/* Bits << 8 | their number, of every byte. */
typedef uint16_t piece_table[256];

/* Whether each lane takes a word before this turn (1 or 0): if the decoder then has fewer than 16
   bits, that is if `spares`, what it has - 16, is negative. Returns how many do. The lanes are
   looped over more than once so that all loops but the first become vectors. */
static size_t find_refills(const uint8_t *turn, const uint8_t counts[256], int8_t spares[QC_LANES],
                           uint8_t refills[QC_LANES])
{
    int8_t taken[QC_LANES];
    size_t words = 0;
    for (unsigned i = 0; i < QC_LANES; i++)
        taken[i] = (int8_t)(counts[turn[2 * i]] + counts[turn[2 * i + 1]]);
    for (unsigned i = 0; i < QC_LANES; i++) {
        uint8_t needs = spares[i] < 0;
        spares[i] = (int8_t)(spares[i] + 16 * needs - taken[i]);
        refills[i] = needs;
    }
    for (unsigned i = 0; i < QC_LANES; i++)
        words += refills[i];
    return words;
}

/* What a lane holds after some turn: the lowest `count` of its bits are still to be read. */
typedef struct lane {
    uint32_t bits, count;
} lane;

/* Undo a turn: its pieces come before the bits that follow, and where a word was taken before it,
   that word is the last 16 bits. Without a branch, as which lanes take words is anybody's guess:
   what is stored in vain is overwritten by the words before it. The words end at `end`; returns
   where they begin. */
static uint8_t *undo_turn(const uint8_t *turn, const piece_table table,
                          const uint8_t refills[QC_LANES], lane lanes[QC_LANES], uint8_t *end)
{
    for (unsigned i = QC_LANES; i-- > 0;) {
        uint32_t first = table[turn[2 * i]], second = table[turn[2 * i + 1]];
        lane lane = lanes[i];
        lane.bits |= second >> 8 << lane.count;
        lane.count += second & 255;
        lane.bits |= first >> 8 << lane.count;
        lane.count += first & 255;
        qc_store16(end - 2, lane.bits);
        lanes[i].bits = lane.bits >> 16 * refills[i];
        lanes[i].count = lane.count - 16 * refills[i];
        end -= 2 * refills[i];
    }
    return end;
}

uint8_t *qc_lanes_words_portable(const qc_lanes_turns *turns, const qc_lanes_pieces *pieces,
                                 const uint8_t states[QC_LANES], unsigned state_bits,
                                 uint8_t *refills, uint8_t *out)
{
    size_t words = QC_LANES, all = turns->whole + (turns->last != NULL);
    int8_t spares[QC_LANES];
    piece_table table;
    lane lanes[QC_LANES];
    memset(spares, -(int)state_bits, sizeof spares);
    for (size_t turn = 0; turn < all; turn++)
        words += find_refills(qc_lanes_turn(turns, turn), pieces->counts, spares,
                              refills + turn * QC_LANES);
    for (unsigned byte = 0; byte < 256; byte++)
        table[byte] = (uint16_t)(pieces->bits[byte] << 8 | pieces->counts[byte]);
    for (unsigned i = 0; i < QC_LANES; i++)
        lanes[i] = (lane){0, (uint32_t)(16 + spares[i])};
    uint8_t *end = out + 2 * words;
    for (size_t turn = all; turn-- > 0;)
        end = undo_turn(qc_lanes_turn(turns, turn), table, refills + turn * QC_LANES, lanes, end);
    for (unsigned i = 0; i < QC_LANES; i++) {
        uint32_t state = states[i] & ((1u << state_bits) - 1);
        qc_store16(out + 2 * i, lanes[i].bits | state << lanes[i].count);
    }
    return out + 2 * words;
}
