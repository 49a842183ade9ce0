/*
 * Codings 4 and 5, encoded: symbols become pieces of bits (for tANS, from the last one backwards),
 * and one pass forward puts the pieces of 128 lanes into words, in the order in which the decoder
 * will take them.
 */
#include "lanes_encode.h"

#include "encoder.h"
#include "x86/avx512.h"

/* What a byte of a turn (a symbol, or a marked piece) adds to its lane: bits << 8 | their number.
 */
typedef uint32_t piece_table[256];

/* One lane. The decoder takes a word long before all of its bits are known here, so its place is
   reserved when it is taken and filled when the bits are there: two places at most wait. */
typedef struct lane {
    uint32_t bits; /* the lowest `held` wait for a word */
    unsigned held;
    int spare; /* what the decoder holds - 16 */
    unsigned reserved, filled;
    uint8_t *places[4];
} lane;

/* Without a branch, here and in reserve_word: which lanes have a whole word is anybody's guess. */
static inline void add_piece(lane *lane, unsigned bits, unsigned count)
{
    uint8_t nowhere[2];
    unsigned held = lane->held + count, full = held >> 4;
    lane->bits = lane->bits << count | bits;
    lane->held = held & 15;
    lane->spare -= (int)count;
    uint8_t *place = lane->places[lane->filled & 3];
    qc_store16(full ? place : nowhere, lane->bits >> lane->held & 0xFFFF);
    lane->filled += full;
}

/* Reserve the next word if `needs` is 1, not if it is 0. */
static inline uint8_t *reserve_word(lane *lane, unsigned needs, uint8_t *out)
{
    lane->places[lane->reserved & 3] = out;
    lane->reserved += needs;
    return out + 2 * needs;
}

/* ---- words ---- */

static uint8_t *begin_lanes(lane *lanes, const uint8_t *states, unsigned state_bits, uint8_t *out)
{
    memset(lanes, 0, QC_LANES * sizeof *lanes);
    for (unsigned i = 0; i < QC_LANES; i++) {
        out = reserve_word(&lanes[i], 1, out);
        add_piece(&lanes[i], states[i], state_bits);
    }
    return out;
}

static uint8_t *write_turn(lane *lanes, const uint8_t *turn, const uint32_t *table, uint8_t *out)
{
    for (unsigned i = 0; i < QC_LANES; i++) {
        lane *lane = &lanes[i];
        uint32_t first = table[turn[2 * i]], second = table[turn[2 * i + 1]];
        unsigned second_count = second & 255;
        unsigned needs = lane->spare < 0;
        out = reserve_word(lane, needs, out);
        lane->spare += (int)(16 * needs);
        add_piece(lane, first >> 8 << second_count | second >> 8, (first & 255) + second_count);
    }
    return out;
}

/* What is left goes to the top of the next word; words that were taken for nothing are 0. */
static void end_lanes(lane *lanes)
{
    for (unsigned i = 0; i < QC_LANES; i++)
        while (lanes[i].filled < lanes[i].reserved) {
            unsigned word = lanes[i].bits << (16 - lanes[i].held) & 0xFFFF;
            qc_store16(lanes[i].places[lanes[i].filled++ & 3], word);
            lanes[i].bits = 0;
            lanes[i].held = 0;
        }
}

/* All turns; `last` is the last one if `whole_turns` are not all. */
static uint8_t *write_words(const uint8_t *bytes, size_t whole_turns, const uint8_t *last,
                            const uint32_t *table, const uint8_t *states, unsigned state_bits,
                            uint8_t *out)
{
    lane lanes[QC_LANES];
    out = begin_lanes(lanes, states, state_bits, out);
    for (size_t turn = 0; turn < whole_turns; turn++)
        out = write_turn(lanes, bytes + turn * QC_LANES_TURN, table, out);
    if (last != NULL)
        out = write_turn(lanes, last, table, out);
    end_lanes(lanes);
    return out;
}

/* ---- symbols to pieces ---- */

/* The class of every symbol below 2^width; what has none is the escape, the last one. */
static void find_classes(const qc_lanes_code *code, uint8_t class_of[256])
{
    memset(class_of, (int)code->classes - 1, 256);
    for (unsigned index = 0; index < code->classes - code->has_escape; index++)
        memset(class_of + ((unsigned)code->values[index] << code->raw_bits), (int)index,
               (size_t)1 << code->raw_bits);
}

static void huffman_pieces(const qc_lanes_code *code, const uint8_t class_of[256],
                           piece_table table)
{
    uint8_t lengths[QC_LANES_MAX_CLASSES];
    uint32_t pieces[QC_LANES_MAX_CLASSES], next = 0;
    qc_lanes_lengths(code, lengths);
    for (unsigned index = 0; index < code->classes; index++) {
        pieces[index] = next << 8 | lengths[index];
        if (index + 1 < code->classes)
            next = (next + 1) << (lengths[index + 1] - lengths[index]);
    }
    for (unsigned symbol = 0; symbol < 256; symbol++)
        table[symbol] = pieces[class_of[symbol]];
}

/* tANS: pieces have up to 7 bits, and are kept as bytes with a 1 before them. */
static void marked_pieces(piece_table table)
{
    table[0] = 0; /* does not occur */
    for (unsigned byte = 1; byte < 256; byte++) {
        unsigned count = qc_bit_length(byte) - 1;
        table[byte] = (byte ^ 1u << count) << 8 | count;
    }
}

/* How to encode a class, from the state after it to the state before. */
typedef struct tans_class {
    uint32_t more_bits; /* (state + S + more_bits) >> 16 is the number of bits to put out */
    int32_t first;      /* of its states in `order`, minus its count */
} tans_class;

typedef struct tans_encoder {
    tans_class of_symbol[256];
    uint8_t order[QC_LANES_TABLE]; /* states by class, then by x */
    unsigned states;
} tans_encoder;

static void build_tans_encoder(const qc_lanes_code *code, const uint8_t class_of[256],
                               tans_encoder *encoder)
{
    qc_lanes_table table;
    tans_class classes[QC_TANS_MAX_CLASSES];
    unsigned at = 0;
    encoder->states = 1u << code->state_bits;
    qc_lanes_build_table(code, &table);
    for (unsigned index = 0; index < code->classes; index++) {
        unsigned count = code->counts[index];
        unsigned most = code->state_bits + 1 - qc_bit_length(count);
        /* From count << most on, `most` bits; below, one less. */
        classes[index].more_bits = (most << 16) - (count << most);
        classes[index].first = (int32_t)at - (int32_t)count;
        for (unsigned state = 0; state < encoder->states; state++)
            if (table.class_of[state] == index)
                encoder->order[at++] = (uint8_t)state;
    }
    for (unsigned symbol = 0; symbol < 256; symbol++)
        encoder->of_symbol[symbol] = classes[class_of[symbol]];
}

/* One step back: the piece that the decoder reads after `symbol`, marked. */
static inline uint8_t step_back(const tans_encoder *encoder, unsigned symbol, uint8_t *state)
{
    tans_class class = encoder->of_symbol[symbol];
    uint32_t x = *state + encoder->states;
    unsigned count = (x + class.more_bits) >> 16;
    *state = encoder->order[(int32_t)(x >> count) + class.first];
    return (uint8_t)(1u << count | (x & ((1u << count) - 1)));
}

static void turn_back(const tans_encoder *encoder, const uint8_t *symbols, uint8_t *states,
                      uint8_t *pieces)
{
    for (unsigned i = 0; i < QC_LANES; i++) {
        pieces[2 * i + 1] = step_back(encoder, symbols[2 * i + 1], &states[i]);
        pieces[2 * i] = step_back(encoder, symbols[2 * i], &states[i]);
    }
}

/* ---- raw bits and literals ---- */

/* Bit `bit` of eight symbols, gathered into a byte. */
static unsigned gather(const uint8_t *symbols, unsigned bit)
{
    uint64_t bits = qc_load64(symbols) >> bit & 0x0101010101010101u;
    return (unsigned)(bits * 0x0102040810204080u >> 56);
}

static uint8_t *write_raw_bits(const uint8_t *symbols, size_t count, unsigned raw_bits,
                               uint8_t *out)
{
    for (size_t block = 0; block < count; block += 64) {
        uint8_t padded[64] = {0};
        const uint8_t *from = symbols + block;
        if (count - block < 64)
            from = memcpy(padded, from, count - block);
        for (unsigned bit = 0; bit < raw_bits; bit++)
            for (unsigned i = 0; i < 64; i += 8)
                *out++ = (uint8_t)gather(from + i, bit);
    }
    return out;
}

static uint8_t *write_literals(const uint8_t *symbols, size_t count, const qc_lanes_code *code,
                               const uint8_t class_of[256], uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        *out = symbols[i];
        out += class_of[symbols[i]] == code->classes - 1;
    }
    return out;
}

/* ---- the body ---- */

static uint8_t *write_head(const qc_lanes_code *code, uint8_t *out)
{
    int is_tans = code->state_bits > 0;
    unsigned states = is_tans ? code->state_bits - QC_TANS_MIN_LOG : 0;
    unsigned counts = is_tans ? code->classes : QC_LANES_MAX_LENGTH;
    unsigned values = code->classes - code->has_escape;
    *out++ = (uint8_t)(code->raw_bits | code->has_escape * QC_LANES_ESCAPE |
                       states << QC_LANES_STATES_SHIFT);
    *out++ = (uint8_t)(code->classes - 1);
    memcpy(out, code->counts, counts);
    memcpy(out + counts, code->values, values);
    return out + counts + values;
}

/* The last turn, filled with a symbol of class 0. */
static const uint8_t *pad_last_turn(const qc_encoder_input *input, const qc_lanes_code *code,
                                    uint8_t last[QC_LANES_TURN])
{
    size_t rest = input->count % QC_LANES_TURN;
    const uint8_t *symbols = input->symbols;
    memset(last, code->values[0] << code->raw_bits, QC_LANES_TURN);
    if (rest > 0)
        memcpy(last, symbols + input->count - rest, rest);
    return rest > 0 ? last : NULL;
}

/* Huffman in vector registers, where there are such; NULL if not. */
static uint8_t *write_words_fast(const uint8_t *symbols, size_t whole, const uint8_t *last,
                                 const uint32_t *table, uint32_t *refills, uint8_t *out)
{
#if QC_HAS_AVX512
    if (qc_cpu_selected() & QC_CPU_AVX512) {
        qc_lanes_pieces pieces;
        for (unsigned symbol = 0; symbol < 256; symbol++) {
            pieces.bits[symbol] = (uint8_t)(table[symbol] >> 8);
            pieces.counts[symbol] = (uint8_t)table[symbol];
        }
        return qc_lanes_huffman_words_avx512(symbols, whole, last, &pieces, refills, out);
    }
#endif
    (void)symbols, (void)whole, (void)last, (void)table, (void)refills, (void)out;
    return NULL;
}

static uint8_t *write_all_words(const qc_encoder_input *input, const qc_lanes_code *code,
                                const uint8_t class_of[256], uint8_t *out)
{
    piece_table table;
    uint8_t last[QC_LANES_TURN], states[QC_LANES] = {0};
    const uint8_t *symbols = input->symbols, *padded = pad_last_turn(input, code, last);
    size_t whole = input->count / QC_LANES_TURN;
    if (code->state_bits == 0) {
        huffman_pieces(code, class_of, table);
        uint8_t *end =
            write_words_fast(symbols, whole, padded, table, (uint32_t *)input->scratch, out);
        return end != NULL ? end : write_words(symbols, whole, padded, table, states, 0, out);
    }
    tans_encoder encoder;
    uint8_t *pieces = input->scratch;
    build_tans_encoder(code, class_of, &encoder);
    if (padded != NULL)
        turn_back(&encoder, padded, states, last);
    for (size_t turn = whole; turn-- > 0;)
        turn_back(&encoder, symbols + turn * QC_LANES_TURN, states, pieces + turn * QC_LANES_TURN);
    marked_pieces(table);
    return write_words(pieces, whole, padded, table, states, code->state_bits, out);
}

/* Raw bits, words and literals are written behind room for the two counts before them. */
static size_t encode(const qc_encoder_input *input, const qc_lanes_code *code, uint8_t *out)
{
    uint8_t class_of[256], *head_end = write_head(code, out);
    uint8_t *raw = head_end + 2 * QC_VU_MAX_BYTES;
    find_classes(code, class_of);
    uint8_t *words = write_raw_bits(input->symbols, input->count, code->raw_bits, raw);
    uint8_t *literals = input->count > 0 ? write_all_words(input, code, class_of, words) : words;
    uint8_t *end = literals;
    if (code->has_escape)
        end = write_literals(input->symbols, input->count, code, class_of, literals);
    head_end += qc_write_vu(head_end, (uint64_t)(literals - words) / 2);
    if (code->has_escape)
        head_end += qc_write_vu(head_end, (uint64_t)(end - literals));
    memmove(head_end, raw, (size_t)(end - raw));
    return (size_t)(head_end - out) + (size_t)(end - raw);
}

static size_t huffman_size(qc_encoder_input *input)
{
    qc_lanes_plan *plan = &input->lanes_huffman;
    plan->bytes = QC_NO_ENCODING;
    if (input->width <= QC_LANES_MAX_WIDTH && !input->constant)
        qc_lanes_plan_huffman(input->counts, input->count, input->width, plan);
    return plan->bytes;
}

static size_t tans_size(qc_encoder_input *input)
{
    qc_lanes_plan *plan = &input->lanes_tans;
    plan->bytes = QC_NO_ENCODING;
    if (input->width <= QC_LANES_MAX_WIDTH && input->count > 0)
        qc_lanes_plan_tans(input->counts, input->count, input->width, plan);
    return plan->bytes;
}

static size_t encode_huffman(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    (void)limit; /* an estimate; the bound of every stream has room for more */
    return encode(input, &input->lanes_huffman.code, out);
}

static size_t encode_tans(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    (void)limit;
    return encode(input, &input->lanes_tans.code, out);
}

const qc_stream_encoder qc_lanes_huffman_encoder = {huffman_size, encode_huffman};
const qc_stream_encoder qc_lanes_tans_encoder = {tans_size, encode_tans};
