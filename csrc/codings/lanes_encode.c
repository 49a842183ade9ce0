/*
 * Codings 4 and 5, encoded: the parts of a body, and the tables from which its words are written.
 *
 * The words cannot be written forwards. The decoder takes a word for a lane when the lane has
 * fewer than 16 bits, long before all bits of this word are decoded; an encoder that goes forwards
 * does not know them yet. So there are two passes (kernels/lanes_words.c): one forwards, which
 * only counts the bits that each lane takes and so learns when each lane takes a word, and one
 * backwards, which puts bits before those that follow and writes a word whenever the first pass
 * says that one was taken.
 *
 * tANS goes backwards by itself (kernels/lanes_step_back.c): a decoder's state and the bits it
 * reads determine the next state, so an encoder starts from the last state, which is 0, and finds
 * for each symbol the state before it and the bits that lead back. Of a class with c states, the
 * one that leads to state s is found by the number of bits: x = (S + s) >> bits is the number of a
 * state of the class, if the bits are as many as bring x into the range c to 2c - 1. There is
 * exactly one such state, so each symbol can be encoded from any state.
 */
#include "codings/lanes_code.h"
#include "codings/stream_encode.h"
#include "kernels/kernels.h"

/* ---- tables ---- */

/* The class of every symbol below 2^width; what has none is the escape, the last one. */
static void find_classes(const qc_lanes_code *code, uint8_t class_of[256])
{
    memset(class_of, (int)code->classes - 1, 256);
    for (unsigned index = 0; index < code->classes - code->has_escape; index++)
        memset(class_of + ((unsigned)code->values[index] << code->low_bits), (int)index,
               (size_t)1 << code->low_bits);
}

static void find_codes(const qc_lanes_code *code, const uint8_t class_of[256], unsigned width,
                       qc_lanes_codes *codes)
{
    uint8_t lengths[QC_LANES_MAX_CLASSES], bits[QC_LANES_MAX_CLASSES];
    unsigned next = 0;
    memset(codes, 0, sizeof *codes);
    qc_lanes_lengths(code, lengths);
    for (unsigned index = 0; index < code->classes; index++) {
        bits[index] = (uint8_t)next;
        if (index + 1 < code->classes)
            next = (next + 1) << (lengths[index + 1] - lengths[index]);
    }
    for (unsigned symbol = 0; symbol < 1u << width; symbol++) {
        codes->bits[symbol] = bits[class_of[symbol]];
        codes->lengths[symbol] = lengths[class_of[symbol]];
    }
}

static void build_tans_encoder(const qc_lanes_code *code, const uint8_t class_of[256],
                               qc_tans_encoder *encoder)
{
    qc_lanes_table table;
    unsigned at = 0, states = 1u << code->state_bits;
    qc_lanes_build_table(code, &table);
    memset(encoder, 0, sizeof *encoder);
    encoder->state_bits = code->state_bits;
    encoder->classes = code->classes;
    memcpy(encoder->class_of, class_of, 256);
    for (unsigned index = 0; index < code->classes; index++) {
        unsigned count = code->counts[index];
        unsigned max = code->state_bits + 1 - qc_bit_length(count);
        encoder->max_bits[index] = (uint8_t)max;
        encoder->threshold[index] = (uint8_t)((count << max) - states);
        encoder->first[index] = (uint8_t)(at - count);
        for (unsigned state = 0; state < states; state++)
            if (table.class_of[state] == index)
                encoder->states[at++] = (uint8_t)state;
    }
}

/* ---- the parts of a body ---- */

static uint8_t *write_low_bits(const qc_encoder_input *input, unsigned low_bits, uint8_t *out)
{
    qc_lanes_write_low_bits_kernel *write = qc_kernels_selected()->lanes_write_low_bits;
    size_t blocks = input->count / QC_LANES_BLOCK, rest = input->count % QC_LANES_BLOCK;
    const uint8_t *symbols = input->symbols;
    uint8_t padded[QC_LANES_BLOCK] = {0};
    if (low_bits == 0)
        return out;
    memcpy(padded, symbols + blocks * QC_LANES_BLOCK, rest);
    out = write(symbols, blocks, low_bits, out);
    return write(padded, rest > 0, low_bits, out);
}

static uint8_t *write_escapes(const qc_encoder_input *input, const qc_lanes_code *code,
                              const uint8_t class_of[256], uint8_t *out)
{
    size_t blocks = input->count / QC_LANES_BLOCK;
    const uint8_t *symbols = input->symbols;
    uint8_t is_escaped[256];
    for (unsigned symbol = 0; symbol < 256; symbol++)
        is_escaped[symbol] = class_of[symbol] == code->classes - 1;
    out = qc_kernels_selected()->lanes_write_escapes(symbols, blocks, is_escaped, out);
    for (size_t i = blocks * QC_LANES_BLOCK; i < input->count; i++)
        if (is_escaped[symbols[i]])
            *out++ = symbols[i];
    return out;
}

static uint8_t *write_head(const qc_lanes_code *code, uint8_t *out)
{
    int is_tans = code->state_bits > 0;
    unsigned states = is_tans ? code->state_bits - QC_TANS_MIN_LOG : 0;
    unsigned counts = is_tans ? code->classes : QC_LANES_MAX_LENGTH;
    unsigned values = code->classes - code->has_escape;
    *out++ = (uint8_t)(code->low_bits | code->has_escape * QC_LANES_ESCAPE |
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
    memset(last, code->values[0] << code->low_bits, QC_LANES_TURN);
    if (rest > 0)
        memcpy(last, symbols + input->count - rest, rest);
    return rest > 0 ? last : NULL;
}

static uint8_t *write_all_words(const qc_encoder_input *input, const qc_lanes_code *code,
                                const uint8_t class_of[256], uint8_t *out)
{
    const qc_kernels *kernels = qc_kernels_selected();
    uint8_t last[QC_LANES_TURN], states[QC_LANES] = {0};
    qc_lanes_codes codes;
    qc_lanes_source source = {.symbols = {input->symbols, input->count / QC_LANES_TURN,
                                          pad_last_turn(input, code, last)}};
    uint8_t *refills = input->scratch;
    if (code->state_bits == 0) {
        find_codes(code, class_of, input->width, &codes);
        source.codes = &codes;
    } else {
        qc_tans_encoder encoder;
        qc_lanes_pieces *pieces = (void *)input->scratch;
        build_tans_encoder(code, class_of, &encoder);
        kernels->tans_step_back(&source.symbols, &encoder, states, pieces);
        source.pieces = pieces;
        refills = (uint8_t *)(pieces + qc_lanes_turn_count(&source.symbols));
    }
    return kernels->lanes_write_words(&source, states, code->state_bits, refills, out);
}

/* Low bits, words and literals are written behind room for the two counts before them. */
static size_t encode(const qc_encoder_input *input, const qc_lanes_code *code, uint8_t *out)
{
    uint8_t class_of[256], *head_end = write_head(code, out);
    uint8_t *low = head_end + 2 * QC_VU_MAX_BYTES;
    find_classes(code, class_of);
    uint8_t *words = write_low_bits(input, code->low_bits, low);
    uint8_t *literals = input->count > 0 ? write_all_words(input, code, class_of, words) : words;
    uint8_t *end = literals;
    if (code->has_escape)
        end = write_escapes(input, code, class_of, literals);
    head_end += qc_write_vu(head_end, (uint64_t)(literals - words) / 2);
    if (code->has_escape)
        head_end += qc_write_vu(head_end, (uint64_t)(end - literals));
    memmove(head_end, low, (size_t)(end - low));
    return (size_t)(head_end - out) + (size_t)(end - low);
}

static size_t huffman_size(qc_encoder_input *input)
{
    qc_lanes_plan *plan = &input->lanes_huffman;
    plan->bytes = QC_NO_ENCODING;
    if (input->width <= QC_LANES_MAX_WIDTH && !input->constant)
        qc_lanes_plan_huffman(input->counts, input->count, input->width, input->smallest, plan);
    return plan->bytes;
}

static size_t tans_size(qc_encoder_input *input)
{
    qc_lanes_plan *plan = &input->lanes_tans;
    plan->bytes = QC_NO_ENCODING;
    if (input->width <= QC_LANES_MAX_WIDTH && input->count > 0)
        qc_lanes_plan_tans(input->counts, input->count, input->width, input->smallest, plan);
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
