/*
 * Pieces to words. 128 lanes share one stream of 16-bit words: whenever a lane has fewer than 16
 * bits left, the decoder gives it the next word, lanes in their order within a turn.
 *
 * An encoder that went forwards would have to write a word before it knows the bits that fill it,
 * since a lane takes its word ahead of need. So there are two passes. When a lane takes words
 * depends on the lengths of its pieces alone, so the forward pass follows the decoder's counts
 * without any bits: it notes which lanes take a word before each turn, and counts the words. Then
 * the output's end is known, and the backward pass undoes the decoder's steps: it puts a turn's
 * bits before those that the lane still holds, and where a word was taken, gives the last 16 bits
 * back as that word. At the beginning each lane holds exactly its first word.
 */
#include "kernels/kernels.h"

/* Bits << 8 | their number, of every symbol: Huffman. */
typedef uint16_t code_table[256];

/* How many bits every lane takes in a turn. */
static void count_taken(const qc_lanes_source *source, size_t turn, int8_t taken[QC_LANES])
{
    if (source->codes == NULL) {
        memcpy(taken, source->pieces[turn].counts, QC_LANES);
        return;
    }
    const uint8_t *symbols = qc_lanes_turn(&source->symbols, turn);
    const uint8_t *lengths = source->codes->lengths;
    for (unsigned i = 0; i < QC_LANES; i++)
        taken[i] = (int8_t)(lengths[symbols[2 * i]] + lengths[symbols[2 * i + 1]]);
}

/* Whether each lane takes a word before this turn (1 or 0): if the decoder then has fewer than 16
   bits, that is if `spares`, what it has - 16, is negative. Returns how many do. The lanes are
   looped over more than once so that all these loops become vectors. */
static size_t find_refills(const int8_t taken[QC_LANES], int8_t spares[QC_LANES],
                           uint8_t refills[QC_LANES])
{
    size_t words = 0;
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

/* Put bits before those that follow. */
static inline void put_before(lane *lane, uint32_t bits, uint32_t count)
{
    lane->bits |= bits << lane->count;
    lane->count += count;
}

/* A word was taken before the turn if `refill` is 1: it is the last 16 bits. Without a branch, as
   which lanes take words cannot be predicted: what is stored in vain is overwritten by the words
   before it. Returns where the word begins. */
static inline uint8_t *give_word_back(lane *lane, unsigned refill, uint8_t *end)
{
    qc_store16(end - 2, lane->bits);
    lane->bits >>= 16 * refill;
    lane->count -= 16 * refill;
    return end - 2 * refill;
}

/* Undo a turn, whose words end at `end`; returns where they begin. */
static uint8_t *undo_codes(const uint8_t *symbols, const code_table codes,
                           const uint8_t refills[QC_LANES], lane lanes[QC_LANES], uint8_t *end)
{
    for (unsigned i = QC_LANES; i-- > 0;) {
        uint32_t first = codes[symbols[2 * i]], second = codes[symbols[2 * i + 1]];
        lane lane = lanes[i];
        put_before(&lane, second >> 8, second & 255);
        put_before(&lane, first >> 8, first & 255);
        end = give_word_back(&lane, refills[i], end);
        lanes[i] = lane;
    }
    return end;
}

static uint8_t *undo_pieces(const qc_lanes_pieces *pieces, const uint8_t refills[QC_LANES],
                            lane lanes[QC_LANES], uint8_t *end)
{
    for (unsigned i = QC_LANES; i-- > 0;) {
        lane lane = lanes[i];
        put_before(&lane, pieces->bits[i], pieces->counts[i]);
        end = give_word_back(&lane, refills[i], end);
        lanes[i] = lane;
    }
    return end;
}

/* Undo all turns. */
static void undo(const qc_lanes_source *source, const uint8_t *refills, lane lanes[QC_LANES],
                 uint8_t *end)
{
    code_table codes;
    for (unsigned symbol = 0; source->codes != NULL && symbol < 256; symbol++)
        codes[symbol] =
            (uint16_t)(source->codes->bits[symbol] << 8 | source->codes->lengths[symbol]);
    for (size_t turn = qc_lanes_turn_count(&source->symbols); turn-- > 0;) {
        const uint8_t *own = refills + turn * QC_LANES;
        if (source->codes != NULL)
            end = undo_codes(qc_lanes_turn(&source->symbols, turn), codes, own, lanes, end);
        else
            end = undo_pieces(&source->pieces[turn], own, lanes, end);
    }
}

uint8_t *qc_lanes_write_words_portable(const qc_lanes_source *source,
                                       const uint8_t states[QC_LANES], unsigned state_bits,
                                       uint8_t *refills, uint8_t *out)
{
    size_t words = QC_LANES;
    int8_t spares[QC_LANES], taken[QC_LANES];
    lane lanes[QC_LANES];
    memset(spares, -(int)state_bits, sizeof spares);
    for (size_t turn = 0; turn < qc_lanes_turn_count(&source->symbols); turn++) {
        count_taken(source, turn, taken);
        words += find_refills(taken, spares, refills + turn * QC_LANES);
    }
    for (unsigned i = 0; i < QC_LANES; i++)
        lanes[i] = (lane){0, (uint32_t)(16 + spares[i])};
    undo(source, refills, lanes, out + 2 * words);
    for (unsigned i = 0; i < QC_LANES; i++)
        qc_store16(out + 2 * i, lanes[i].bits | (uint32_t)states[i] << lanes[i].count);
    return out + 2 * words;
}
