/*
 * Checks of the kernels of codings 4 and 5, against the portable ones: of every kind of code, with
 * words at random, as any bits are some symbols' code.
 */
#ifndef CHECKASM_LANES_H
#define CHECKASM_LANES_H

#include "../lanes/codes.h"
#include "checkasm.h"
#include "codings/lanes_code.h"

#define MAX_TURNS 6
#define MAX_BYTES ((size_t)MAX_TURNS * QC_LANES_TURN)

/* Lanes that have begun to read `words`, at a place where each needs a word or has some bits. */
static void begin_lanes(qc_lanes_state *state, const uint8_t *words)
{
    memset(state->buffer, 0, sizeof state->buffer);
    memset(state->state, 0, sizeof state->state);
    memset(state->value_of, 0, sizeof state->value_of);
    qc_lanes_build_table(&state->code, &state->table);
    state->escape = 255;
    state->is_built = 0;
    state->words = words;
    for (unsigned i = 0; i < QC_LANES_TABLE; i++) {
        unsigned class = state->table.class_of[i];
        int escapes = state->code.has_escape && class == state->code.classes - 1;
        state->value_of[i] = escapes ? state->escape : state->code.values[class];
    }
    for (unsigned lane = 0; lane < QC_LANES; lane++) {
        int min = state->code.state_bits == QC_TANS_MAX_LOG ? 0 : 2; /* a turn takes 16 or 14 */
        int bits = min + (int)random_below(32 - (unsigned)min);      /* valid ones */
        state->spare[lane] = (int8_t)(bits - 16);
        if (bits > 0)
            state->buffer[lane] = (uint32_t)random_bits() << (32 - bits);
        if (state->code.state_bits > 0)
            state->state[lane] = (uint8_t)random_below(1u << state->code.state_bits);
    }
}

static const char *check_lanes(qc_lanes_decode_kernel *kernel, int is_tans)
{
    static qc_lanes_state found, right;
    static uint8_t plain[MAX_BYTES];
    for (unsigned round = 0; round < 300; round++) {
        size_t turns = 1 + random_below(MAX_TURNS), size = turns * QC_LANES_TURN;
        uint8_t *words = last_bytes(input, size + QC_LANES_SLACK), *out = room(output, size);
        fill(words, size + QC_LANES_SLACK, round % 8);
        random_code(&right.code, is_tans);
        begin_lanes(&right, words);
        found = right;
        if (is_tans)
            qc_lanes_tans_portable(&right, plain, turns);
        else
            qc_lanes_huffman_portable(&right, plain, turns);
        COMPLETE(kernel(&found, out, turns));
        if (!is_same(out, plain, size) || found.words != right.words ||
            memcmp(found.buffer, right.buffer, sizeof right.buffer) != 0 ||
            memcmp(found.spare, right.spare, sizeof right.spare) != 0 ||
            memcmp(found.state, right.state, sizeof right.state) != 0)
            WRONG("%zu turns, %u classes, %u state bits", turns, right.code.classes,
                  right.code.state_bits);
    }
    return NULL;
}

static const char *check_lanes_huffman(const qc_kernels *kernels)
{
    return check_lanes(kernels->lanes_huffman, 0);
}

static const char *check_lanes_tans(const qc_kernels *kernels)
{
    return check_lanes(kernels->lanes_tans, 1);
}

/* A code of at most QC_NO_PLANES classes, all of whose values are below 16. */
static void random_code_of_items(qc_lanes_code *code, int is_tans)
{
    do
        random_code(code, is_tans);
    while (code->classes > QC_NO_PLANES);
    code->has_escape = code->low_bits = 0;
    for (unsigned i = 0; i < code->classes; i++)
        code->values[i] = (uint8_t)random_below(QC_NO_PLANES);
}

static const char *check_lanes_items(qc_lanes_items_kernel *kernel, int is_tans)
{
    static qc_lanes_state found, right;
    static qc_look_up_table table = {.entries = QC_NO_PLANES};
    static uint8_t codes[QC_KEPT_CODES + MAX_BYTES], kept[QC_KEPT_CODES], plain[4 * MAX_BYTES];
    size_t done_in_all = 0;
    for (unsigned round = 0; round < 600; round++) {
        size_t turns = 1 + random_below(MAX_TURNS), count = turns * QC_LANES_TURN;
        size_t item = round % 2 == 0 ? 4 : 2, keep = random_below((unsigned)(64 / item));
        int past_cache = (int)(round / 2 % 2);
        uint8_t *words = last_bytes(input, count + QC_LANES_SLACK),
                *out = room(output, item * count);
        const qc_item_run run = {&table, out, keep, kept, past_cache};
        fill(words, count + QC_LANES_SLACK, round / 4 % 8);
        fill(table.items, sizeof table.items, 0);
        table.item_size = item;
        random_code_of_items(&right.code, is_tans);
        begin_lanes(&right, words);
        found = right;
        for (size_t i = 0; i < QC_KEPT_CODES; i++)
            codes[i] = kept[i] = (uint8_t)random_below(QC_NO_PLANES);
        (is_tans ? qc_lanes_tans_portable
                 : qc_lanes_huffman_portable)(&right, codes + QC_KEPT_CODES, turns);
        for (size_t i = 0; i < count; i++)
            memcpy(plain + item * i, table.items + item * codes[QC_KEPT_CODES - keep + i], item);
        size_t done = PARTIAL(kernel(&found, &run, turns));
        qc_look_up_fence();
        done_in_all += done;
        if (done == 0)
            continue;
        if (done != turns || !is_same(out, plain, item * count) || found.words != right.words ||
            memcmp(found.buffer, right.buffer, sizeof right.buffer) != 0 ||
            memcmp(found.spare, right.spare, sizeof right.spare) != 0 ||
            memcmp(found.state, right.state, sizeof right.state) != 0 ||
            memcmp(kept + QC_KEPT_CODES - keep, codes + QC_KEPT_CODES + count - keep, keep) != 0)
            WRONG("%zu turns, %u classes, %u state bits, items of %zu bytes, %zu kept", turns,
                  right.code.classes, right.code.state_bits, item, keep);
    }
    if (done_in_all == 0)
        WRONG("no work");
    return NULL;
}

static const char *check_lanes_huffman_items(const qc_kernels *kernels)
{
    return check_lanes_items(kernels->lanes_huffman_items, 0);
}

static const char *check_lanes_tans_items(const qc_kernels *kernels)
{
    return check_lanes_items(kernels->lanes_tans_items, 1);
}

static const char *check_lanes_add_low_bits(const qc_kernels *kernels)
{
    static uint8_t right[MAX_COUNT];
    for (unsigned low_bits = 1; low_bits <= QC_LANES_MAX_LOW_BITS; low_bits++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            size_t size = (count + QC_LANES_BLOCK - 1) / QC_LANES_BLOCK * 8 * low_bits;
            uint8_t *low = last_bytes(input, size), *out = last_bytes(output, count);
            fill(low, size, (unsigned)count);
            fill(out, count, 0);
            for (size_t i = 0; i < count; i++) {
                unsigned bits = 0;
                out[i] >>= low_bits;
                for (unsigned bit = 0; bit < low_bits; bit++) {
                    size_t at = (i / QC_LANES_BLOCK * low_bits + bit) * 8 + i % QC_LANES_BLOCK / 8;
                    bits |= (low[at] >> i % 8 & 1u) << bit;
                }
                right[i] = (uint8_t)((unsigned)out[i] << low_bits | bits);
            }
            COMPLETE(kernels->lanes_add_low_bits(out, count, low, low_bits));
            if (!is_same(out, right, count))
                WRONG("%zu symbols, %u low bits", count, low_bits);
        }
    return NULL;
}

static const char *check_lanes_fill_escapes(const qc_kernels *kernels)
{
    static uint8_t right[MAX_COUNT];
    for (unsigned round = 0; round < 36; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            unsigned width = 1 + round % 8;
            const uint8_t escape = (uint8_t)random_bits();
            uint8_t *out = last_bytes(output, count);
            size_t escapes = 0, used = 0, taken = 0, bad = count;
            for (size_t i = 0; i < count; i++) {
                out[i] = (uint8_t)random_bits();
                if (random_below(1 + round) == 0)
                    out[i] = escape;
                escapes += out[i] == escape;
            }
            size_t left = round % 3 == 1 ? random_below((unsigned)escapes + 1) : escapes;
            uint8_t *literals = last_bytes(input, left);
            for (size_t i = 0; i < left; i++)
                literals[i] = (uint8_t)random_below(1u << width);
            if (round % 3 == 2 && left > 0 && width < 8)
                literals[bad = random_below((unsigned)left)] = (uint8_t)(1u << width);
            memcpy(right, out, count);
            size_t done = PARTIAL(
                kernels->lanes_fill_escapes(out, count, escape, width, literals, left, &used));
            for (size_t i = 0; i < done && i < count; i++)
                if (right[i] == escape && taken < left && taken != bad)
                    right[i] = literals[taken++];
                else if (right[i] == escape)
                    WRONG("literal %zu is none", taken);
            int must = left == escapes && bad >= left;
            if ((must && !is_enough(done, count)) || done > count || used != taken ||
                !is_same(out, right, count))
                WRONG("%zu of %zu symbols, %zu of %zu literals", done, count, used, left);
        }
    return NULL;
}

static void build_encoder(const qc_lanes_code *code, qc_tans_encoder *encoder)
{
    qc_lanes_table table;
    unsigned at = 0, states = 1u << code->state_bits;
    qc_lanes_build_table(code, &table);
    memset(encoder, 0, sizeof *encoder);
    encoder->state_bits = code->state_bits;
    encoder->classes = code->classes;
    /* The shapes of symbols that codes have: runs of a power of two of them in a class. */
    unsigned shift = random_below(4);
    for (unsigned symbol = 0; symbol < 256; symbol++)
        encoder->class_of[symbol] = (uint8_t)((symbol >> shift) % code->classes);
    for (unsigned class = 0; class < code->classes; class ++) {
        unsigned count = code->counts[class], bits = 0;
        while (count << (bits + 1) < 2 * states) /* the most that keeps x in its range */
            bits++;
        encoder->max_bits[class] = (uint8_t)bits;
        encoder->threshold[class] = (uint8_t)((count << bits) - states);
        encoder->first[class] = (uint8_t)(at - count);
        for (unsigned state = 0; state < states; state++)
            if (table.class_of[state] == class)
                encoder->states[at++] = (uint8_t)state;
    }
}

/* Some whole turns, and perhaps one behind them that is elsewhere. */
static qc_lanes_turns random_turns(unsigned round)
{
    size_t whole = random_below(MAX_TURNS);
    uint8_t *bytes = last_bytes(input, whole * QC_LANES_TURN);
    uint8_t *last = last_bytes(more_input, QC_LANES_TURN);
    fill(bytes, whole * QC_LANES_TURN, round);
    fill(last, QC_LANES_TURN, round);
    return (qc_lanes_turns){bytes, whole, round % 2 == 0 ? last : NULL};
}

static const char *check_tans_step_back(const qc_kernels *kernels)
{
    static qc_lanes_pieces right[MAX_TURNS];
    for (unsigned round = 0; round < 300; round++) {
        qc_lanes_code code;
        qc_tans_encoder encoder;
        uint8_t states[QC_LANES], right_states[QC_LANES];
        qc_lanes_turns turns = random_turns(round);
        size_t size = qc_lanes_turn_count(&turns) * sizeof *right;
        qc_lanes_pieces *pieces = (qc_lanes_pieces *)room(output, size);
        random_code(&code, 1);
        build_encoder(&code, &encoder);
        for (unsigned lane = 0; lane < QC_LANES; lane++)
            right_states[lane] = states[lane] = (uint8_t)random_below(1u << code.state_bits);
        qc_tans_step_back_portable(&turns, &encoder, right_states, right);
        COMPLETE(kernels->tans_step_back(&turns, &encoder, states, pieces));
        if (!is_same(pieces, right, size) || memcmp(states, right_states, sizeof states) != 0)
            WRONG("%zu turns, %u classes, %u state bits", size / sizeof *right, code.classes,
                  code.state_bits);
    }
    return NULL;
}

static const char *check_lanes_write_words(const qc_kernels *kernels)
{
    enum { ROOM = 2 * QC_LANES * (MAX_TURNS + 1) };
    static uint8_t right[ROOM], found[ROOM], refills[QC_LANES * MAX_TURNS];
    static qc_lanes_pieces pieces[MAX_TURNS];
    static qc_lanes_codes codes;
    for (unsigned round = 0; round < 300; round++) {
        unsigned state_bits = round % 3 == 0 ? 0 : QC_TANS_MIN_LOG + random_below(4);
        unsigned max = state_bits == 0 ? 7 : round % 3 == 1 ? 16 : 14;
        uint8_t states[QC_LANES] = {0};
        qc_lanes_source source = {random_turns(round / 3), &codes, NULL};
        for (unsigned symbol = 0; symbol < 256; symbol++) {
            codes.lengths[symbol] = (uint8_t)random_below(max / 2 + 1);
            codes.bits[symbol] = (uint8_t)random_below(1u << codes.lengths[symbol]);
        }
        if (state_bits > 0)
            source = (qc_lanes_source){source.symbols, NULL, pieces};
        for (unsigned i = 0; i < MAX_TURNS * QC_LANES; i++) {
            unsigned count = random_below(max + 1);
            pieces[i / QC_LANES].counts[i % QC_LANES] = (uint8_t)count;
            pieces[i / QC_LANES].bits[i % QC_LANES] = (uint16_t)random_below(1u << count);
        }
        for (unsigned lane = 0; lane < QC_LANES && state_bits > 0; lane++)
            states[lane] = (uint8_t)random_below(1u << state_bits);
        memset(found, 0xA5, sizeof found);
        memset(right, 0xA5, sizeof right);
        uint8_t *end = qc_lanes_write_words_portable(&source, states, state_bits, refills, right);
        uint8_t *found_end = found;
        COMPLETE(found_end =
                     kernels->lanes_write_words(&source, states, state_bits, refills, found));
        if (found_end - found != end - right || !is_same(found, right, sizeof right))
            WRONG("%td bytes, not %td, of %zu turns, %u state bits", found_end - found, end - right,
                  qc_lanes_turn_count(&source.symbols), state_bits);
    }
    return NULL;
}

static const char *check_lanes_write_low_bits(const qc_kernels *kernels)
{
    static uint8_t right[MAX_COUNT];
    for (unsigned round = 0; round < 16; round++)
        for (size_t blocks = 0; blocks <= 12; blocks++) {
            unsigned low_bits = 1 + round % QC_LANES_MAX_LOW_BITS;
            size_t size = 8 * low_bits * blocks;
            uint8_t *symbols = last_bytes(input, blocks * QC_LANES_BLOCK), *out;
            uint8_t *begin = room(output, size);
            fill(symbols, blocks * QC_LANES_BLOCK, round / 4);
            memset(right, 0, size);
            for (size_t i = 0; i < blocks * QC_LANES_BLOCK; i++)
                for (unsigned bit = 0; bit < low_bits; bit++) {
                    size_t at = (i / QC_LANES_BLOCK * low_bits + bit) * 8 + i % QC_LANES_BLOCK / 8;
                    right[at] |= (uint8_t)((symbols[i] >> bit & 1u) << i % 8);
                }
            out = begin;
            COMPLETE(out = kernels->lanes_write_low_bits(symbols, blocks, low_bits, begin));
            if (out != begin + size || !is_same(begin, right, size))
                WRONG("%zu blocks, %u low bits", blocks, low_bits);
        }
    return NULL;
}

static const char *check_lanes_write_escapes(const qc_kernels *kernels)
{
    static uint8_t right[MAX_COUNT];
    for (unsigned round = 0; round < 64; round++)
        for (size_t blocks = 0; blocks <= 12; blocks++) {
            uint8_t *symbols = last_bytes(input, blocks * QC_LANES_BLOCK), is_escaped[256];
            size_t size = 0;
            unsigned run = random_below(4), one_in = 1 + round / 4;
            for (unsigned symbol = 0; symbol < 256; symbol++)
                is_escaped[symbol] =
                    symbol % (1u << run) != 0 ? is_escaped[symbol - 1] : random_below(one_in) == 0;
            fill(symbols, blocks * QC_LANES_BLOCK, round);
            for (size_t i = 0; i < blocks * QC_LANES_BLOCK; i++)
                if (is_escaped[symbols[i]])
                    right[size++] = symbols[i];
            uint8_t *begin = room(output, size), *out = begin;
            COMPLETE(out = kernels->lanes_write_escapes(symbols, blocks, is_escaped, begin));
            if (out != begin + size || !is_same(begin, right, size))
                WRONG("%td escapes, not %zu, of %zu blocks", out - begin, size, blocks);
        }
    return NULL;
}

#endif /* CHECKASM_LANES_H */
