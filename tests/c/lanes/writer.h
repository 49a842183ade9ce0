/*
 * A plain encoder of codings 4 and 5, for tests: bit by bit, lane by lane, straight from
 * docs/format.md, section 7.5. It writes with any code, also where ours would choose another.
 */
#ifndef LANES_WRITER_H
#define LANES_WRITER_H

#include <stdlib.h>

#include "codings/lanes_code.h"

/* A lane's bits, one a byte. */
typedef struct lane_bits {
    uint8_t *bits;
    size_t count;
    size_t next; /* to be put into a word */
} lane_bits;

static void put_bits(lane_bits *lane, unsigned value, unsigned count)
{
    for (unsigned i = count; i-- > 0;)
        lane->bits[lane->count++] = value >> i & 1;
}

/* The next 16 bits; zeros behind the last. */
static uint8_t *put_word(uint8_t *out, lane_bits *lane)
{
    unsigned word = 0;
    for (unsigned i = 0; i < 16; i++, lane->next++)
        word = word << 1 | (lane->next < lane->count ? lane->bits[lane->next] : 0);
    qc_store16(out, word);
    return out + 2;
}

/* The class of a symbol, or the escape (the last one). */
static unsigned class_of_symbol(const qc_lanes_code *code, unsigned symbol)
{
    for (unsigned i = 0; i < code->classes - code->has_escape; i++)
        if (code->values[i] == symbol >> code->low_bits)
            return i;
    return code->classes - 1;
}

/* Bits of the two symbols of every turn: lengths[turn]. */
static void write_huffman_lane(const qc_lanes_code *code, const uint8_t *classes, size_t turns,
                               lane_bits *lane, uint8_t *lengths)
{
    uint8_t length_of[QC_LANES_MAX_CLASSES];
    unsigned codes[QC_LANES_MAX_CLASSES] = {0};
    qc_lanes_lengths(code, length_of);
    for (unsigned i = 1; i < code->classes; i++)
        codes[i] = (codes[i - 1] + 1) << (length_of[i] - length_of[i - 1]);
    for (size_t turn = 0; turn < turns; turn++) {
        const uint8_t *pair = classes + turn * QC_LANES_TURN;
        put_bits(lane, codes[pair[0]], length_of[pair[0]]);
        put_bits(lane, codes[pair[1]], length_of[pair[1]]);
        lengths[turn] = (uint8_t)(length_of[pair[0]] + length_of[pair[1]]);
    }
}

/* tANS goes backwards: the state that decodes a class and leads to the state after it. */
static void write_tans_lane(const qc_lanes_code *code, const uint8_t *classes, size_t turns,
                            lane_bits *lane, uint8_t *lengths)
{
    qc_lanes_table table;
    unsigned states = 1u << code->state_bits, state = 0;
    uint8_t *path = malloc(2 * turns + 1);
    qc_lanes_build_table(code, &table);
    for (size_t i = 2 * turns; i-- > 0;) {
        unsigned class = classes[i / 2 * QC_LANES_TURN + i % 2], before = 0;
        path[i] = (uint8_t)state;
        while (table.class_of[before] != class || state < table.base_of[before] ||
               (state - table.base_of[before]) >> table.bits_of[before] != 0)
            before++;
        state = before % states;
    }
    put_bits(lane, state, code->state_bits);
    for (size_t i = 0; i < 2 * turns; i++) {
        unsigned bits = table.bits_of[state];
        put_bits(lane, path[i] - table.base_of[state], bits);
        lengths[i / 2] = (uint8_t)(i % 2 == 0 ? bits : lengths[i / 2] + bits);
        state = path[i];
    }
    free(path);
}

/* Words in the order in which the lanes take them. */
static uint8_t *write_words(uint8_t *out, lane_bits *lanes, const uint8_t *lengths, size_t turns,
                            unsigned state_bits)
{
    int spare[QC_LANES];
    for (unsigned lane = 0; lane < QC_LANES; lane++) {
        out = put_word(out, &lanes[lane]);
        spare[lane] = -(int)state_bits;
    }
    for (size_t turn = 0; turn < turns; turn++)
        for (unsigned lane = 0; lane < QC_LANES; lane++) {
            if (spare[lane] < 0) {
                out = put_word(out, &lanes[lane]);
                spare[lane] += 16;
            }
            spare[lane] -= lengths[lane * turns + turn];
        }
    return out;
}

static uint8_t *write_low_bits(uint8_t *out, const qc_lanes_code *code, const uint8_t *symbols,
                               size_t count)
{
    for (size_t block = 0; block < count; block += 64)
        for (unsigned bit = 0; bit < code->low_bits; bit++, out += 8) {
            uint64_t plane = 0;
            for (size_t i = block; i < count && i < block + 64; i++)
                plane |= (uint64_t)(symbols[i] >> bit & 1) << (i - block);
            qc_store64(out, plane);
        }
    return out;
}

static uint8_t *write_lanes_head(uint8_t *out, const qc_lanes_code *code)
{
    unsigned is_tans = code->state_bits > 0;
    unsigned states = is_tans ? code->state_bits - QC_TANS_MIN_LOG : 0;
    unsigned counts = is_tans ? code->classes : QC_LANES_MAX_LENGTH;
    unsigned values = code->classes - code->has_escape;
    *out++ = (uint8_t)(code->low_bits | code->has_escape << 3 | states << QC_LANES_STATES_SHIFT);
    *out++ = (uint8_t)(code->classes - 1);
    memcpy(out, code->counts, counts);
    memcpy(out + counts, code->values, values);
    return out + counts + values;
}

/* Write a body; `out` has room for 4 * count + 4096 bytes. Returns its length. */
static size_t write_lanes_body(const uint8_t *symbols, size_t count, const qc_lanes_code *code,
                               uint8_t *out)
{
    size_t turns = (count + QC_LANES_TURN - 1) / QC_LANES_TURN, escapes = 0;
    uint8_t *classes = calloc(turns + 1, QC_LANES_TURN), *words = malloc(4 * count + 4096);
    uint8_t *lengths = calloc(turns + 1, QC_LANES), *at = words, *start = out;
    for (size_t i = 0; i < count; i++) {
        classes[i] = (uint8_t)class_of_symbol(code, symbols[i]);
        escapes += code->has_escape && classes[i] == code->classes - 1;
    }
    lane_bits lanes[QC_LANES] = {{NULL, 0, 0}};
    for (unsigned lane = 0; lane < QC_LANES && turns > 0; lane++) {
        lanes[lane].bits = malloc(16 * turns + 8);
        (code->state_bits > 0 ? write_tans_lane : write_huffman_lane)(
            code, classes + 2 * lane, turns, &lanes[lane], lengths + lane * turns);
    }
    if (turns > 0)
        at = write_words(words, lanes, lengths, turns, code->state_bits);
    out = write_lanes_head(out, code);
    out += qc_write_vu(out, (uint64_t)(at - words) / 2);
    if (code->has_escape)
        out += qc_write_vu(out, escapes);
    out = write_low_bits(out, code, symbols, count);
    memcpy(out, words, (size_t)(at - words));
    out += at - words;
    for (size_t i = 0; i < count; i++)
        if (code->has_escape && classes[i] == code->classes - 1)
            *out++ = symbols[i];
    for (unsigned lane = 0; lane < QC_LANES; lane++)
        free(lanes[lane].bits);
    free(classes), free(words), free(lengths);
    return (size_t)(out - start);
}

/* A whole stream: coding, body length, body. */
static inline size_t write_lanes(const uint8_t *symbols, size_t count, const qc_lanes_code *code,
                                 uint8_t *out)
{
    uint8_t *body = malloc(4 * count + 8192);
    size_t size = write_lanes_body(symbols, count, code, body);
    out[0] = code->state_bits > 0 ? QC_LANES_TANS : QC_LANES_HUFFMAN;
    size_t head = 1 + qc_write_vu(out + 1, size);
    memcpy(out + head, body, size);
    free(body);
    return head + size;
}

#endif /* LANES_WRITER_H */
