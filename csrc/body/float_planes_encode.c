/*
 * Kind planes of floats, encoded: how a chunk's floats are taken apart, and the symbols that this
 * makes.
 *
 * A symbol of 8 bits has the exponent, counted from a base, and as many mantissa bits as pay.
 * Exponents outside the window that symbols can name are escapes. A sample of the chunk decides:
 * for each number of mantissa bits, the window that holds the most exponents, and the bytes that
 * this would take.
 */
#include "body/float_planes.h"
#include "body/values_encode.h"
#include "codings/stream_encode.h"

/* Mantissa bits that are tried: one more saves a few thousandths of a percent. */
#define MAX_MANTISSA 3

/* Of fewer floats, more symbols would cost more to learn than mantissa bits save. */
#define FEW_FLOATS 64

/* The words that a plan is made from: blocks, evenly spread. */
#define SAMPLE_BLOCK  512
#define SAMPLE_BLOCKS 128

/* More mantissa bits decode slower, so where speed counts they have to save this part. */
#define WORTHWHILE_PART 1024

static inline uint16_t upper_word(const uint8_t *element, size_t size)
{
    /* Of larger elements, the sign goes below these bits. */
    uint32_t top = size == 2   ? (uint32_t)qc_load16(element) << 16
                   : size == 4 ? qc_load32(element)
                               : (uint32_t)(qc_load64(element) >> 32);
    return (uint16_t)(size == 2 ? top >> 15 | top >> 31 : top >> 15);
}

/* The uppermost 16 bits of `count` elements of a float type, little-endian, rotated left by one. */
static void upper_words(const uint8_t *elements, size_t count, size_t item_size, uint16_t *words)
{
    /* The size is a constant in each loop. */
    if (item_size == 2)
        for (size_t i = 0; i < count; i++)
            words[i] = upper_word(elements + 2 * i, 2);
    else if (item_size == 4)
        for (size_t i = 0; i < count; i++)
            words[i] = upper_word(elements + 4 * i, 4);
    else
        for (size_t i = 0; i < count; i++)
            words[i] = upper_word(elements + 8 * i, 8);
}

/* ---- the plan ---- */

/* How often the upper bits of words occur, and exponents. */
typedef struct sample {
    unsigned exponent_bits, max_mantissa;
    uint64_t total;      /* words of the chunk */
    uint32_t words;      /* counted */
    uint32_t *exponents; /* counts */
    uint32_t *upper;     /* counts by exponent and `max_mantissa` bits */
} sample;

/* Scratch memory for plan_fields, aligned as a uint64_t. */
static size_t plan_workspace(qc_dtype dtype)
{
    size_t exponents = (size_t)1 << qc_exponent_bits(dtype);
    return (exponents + (exponents << QC_EXPONENTS_MAX_MANTISSA)) * sizeof(uint32_t);
}

static void take_sample(sample *s, const uint16_t *words, size_t count)
{
    unsigned shift = 16 - s->exponent_bits - s->max_mantissa;
    size_t blocks = count / SAMPLE_BLOCK + 1,
           taken = blocks < SAMPLE_BLOCKS ? blocks : SAMPLE_BLOCKS;
    for (size_t i = 0; i < taken; i++) {
        size_t first = i * blocks / taken * SAMPLE_BLOCK;
        size_t end = count - first < SAMPLE_BLOCK ? count : first + SAMPLE_BLOCK;
        for (size_t j = first; j < end; j++)
            s->upper[words[j] >> shift]++;
        s->words += (uint32_t)(end - first);
    }
    for (size_t i = 0; i < (size_t)1 << (s->exponent_bits + s->max_mantissa); i++)
        s->exponents[i >> s->max_mantissa] += s->upper[i];
}

/* The window of `window` exponents that holds the most words. If there are several, the middle one:
   exponents that the sample missed may be on both sides. */
static unsigned best_base(const sample *s, unsigned window)
{
    unsigned exponents = 1u << s->exponent_bits, first = 0, last = 0;
    uint32_t inside = 0, max = 0;
    if (window >= exponents)
        return 0;
    for (unsigned e = 0; e < window; e++)
        inside += s->exponents[e];
    max = inside;
    for (unsigned base = 1; base + window <= exponents; base++) {
        inside += s->exponents[base + window - 1] - s->exponents[base - 1];
        if (inside > max)
            first = base;
        if (inside >= max)
            last = base;
        max = inside > max ? inside : max;
    }
    return first + (last - first) / 2;
}

/* Counts of symbols as they would be of the whole chunk; returns how many are escapes. */
static uint64_t count_symbols(const sample *s, const qc_exponents *fields, uint64_t counts[256])
{
    unsigned dropped = s->max_mantissa - fields->mantissa_bits;
    unsigned window = qc_exponents_escape(fields) >> fields->mantissa_bits;
    uint64_t escapes = 0;
    memset(counts, 0, 256 * sizeof *counts);
    for (unsigned i = 0; i < 1u << (s->exponent_bits + s->max_mantissa); i++) {
        unsigned k = (i >> s->max_mantissa) - fields->base; /* below the base: wraps */
        unsigned mantissa = i >> dropped & ((1u << fields->mantissa_bits) - 1);
        k = k < window ? k : window;
        counts[k << fields->mantissa_bits | mantissa] += s->upper[i];
        escapes += k == window ? s->upper[i] : 0;
    }
    for (unsigned i = 0; i < 256; i++)
        counts[i] = counts[i] * s->total / s->words;
    return escapes * s->total / s->words;
}

/* The mantissa bits and the base that promise the fewest bytes under the profile.
   `stream_workspace` has QC_STABLE_WORKSPACE(0) bytes. */
static void plan_fields(const uint16_t *words, size_t count, qc_dtype dtype, uint64_t codings,
                        qc_profile profile, qc_exponents *plan, void *workspace,
                        void *stream_workspace)
{
    unsigned exponent_bits = qc_exponent_bits(dtype);
    unsigned min_bits = exponent_bits < 8 ? 8 - exponent_bits : 0;
    sample s = {exponent_bits, MAX_MANTISSA, count, 0, workspace, NULL};
    uint64_t best = UINT64_MAX, counts[256];
    s.upper = s.exponents + ((size_t)1 << exponent_bits);
    memset(workspace, 0, plan_workspace(dtype));
    *plan = (qc_exponents){exponent_bits, min_bits, 16 - exponent_bits - min_bits, 0};
    if (count == 0)
        return;
    take_sample(&s, words, count);
    int is_learnt = count < FEW_FLOATS && profile != QC_FAST;
    unsigned max_bits = is_learnt ? min_bits : MAX_MANTISSA;
    for (unsigned bits = min_bits; bits <= max_bits; bits++) {
        qc_exponents tried = {exponent_bits, bits, 16 - exponent_bits - bits, 0};
        tried.base = best_base(&s, qc_exponents_escape(&tried) >> bits);
        uint64_t escapes = count_symbols(&s, &tried, counts);
        uint64_t bytes = qc_stream_estimate(counts, 8, codings, profile, stream_workspace);
        bytes += (count * tried.rest_bits + escapes * exponent_bits) / 8;
        bytes += tried.base > 0 ? qc_vu_size(tried.base) : 0;
        uint64_t worth = profile == QC_SMALL ? 0 : bytes / WORTHWHILE_PART;
        if (best == UINT64_MAX || bytes + worth < best) {
            best = bytes;
            *plan = tried;
        }
    }
}

/* ---- symbols ---- */

/* Symbols, and the rest bits, of every word. Returns the number of escapes. */
static size_t take_apart(const qc_exponents *fields, const uint16_t *restrict words, size_t count,
                         uint8_t *restrict symbols, uint8_t *restrict rest)
{
    unsigned shift = fields->rest_bits, escape = qc_exponents_escape(fields);
    uint16_t base = (uint16_t)(fields->base << (16 - fields->exponent_bits));
    uint16_t rest_mask = (uint16_t)((1u << shift) - 1), mantissa_mask = (uint16_t)~escape & 255;
    size_t escapes = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t symbol = (uint16_t)((uint16_t)(words[i] - base) >> shift);
        int inside = symbol < escape;
        symbols[i] = (uint8_t)(inside ? symbol : escape | (symbol & mantissa_mask));
        rest[i] = (uint8_t)(words[i] & rest_mask);
        escapes += !inside;
    }
    return escapes;
}

/* The exponents of those words that are escapes by their symbols: uint8_t, or uint16_t if they have
   more than 8 bits. */
static void collect_escapes(const qc_exponents *fields, const uint16_t *words,
                            const uint8_t *symbols, size_t count, void *escapes)
{
    unsigned min_escape = qc_exponents_escape(fields), below = 16 - fields->exponent_bits;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (QC_LIKELY(symbols[i] < min_escape))
            continue;
        if (fields->exponent_bits <= 8)
            ((uint8_t *)escapes)[at++] = (uint8_t)(words[i] >> below);
        else
            ((uint16_t *)escapes)[at++] = (uint16_t)(words[i] >> below);
    }
}

/* ---- as a kind ---- */

static size_t float_planes_bound(const qc_frame *frame, size_t stored)
{
    return 1 + 2 * QC_VU_MAX_BYTES +
           qc_stream_bound(stored, qc_exponent_bits(frame->stored_dtype)) +
           frame->value_streams * qc_stream_bound(stored, frame->width);
}

static size_t float_planes_workspace(const qc_frame *frame, size_t stored)
{
    /* Words, escapes, the rest, symbols or a plane. */
    return 2 * qc_arena_size(2 * stored) + 2 * qc_arena_size(stored) +
           qc_arena_size(plan_workspace(frame->stored_dtype));
}

static void write_head(qc_chunk_encoder *encoder, const qc_exponents *fields, size_t escaped)
{
    unsigned byte = fields->mantissa_bits | (fields->base > 0 ? QC_PLANES_BASE : 0) |
                    (escaped > 0 ? QC_PLANES_ESCAPES : 0);
    encoder->out[encoder->size++] = (uint8_t)byte;
    if (fields->base > 0)
        encoder->size += qc_write_vu(encoder->out + encoder->size, fields->base);
    if (escaped > 0)
        encoder->size += qc_write_vu(encoder->out + encoder->size, escaped);
}

/* Head, escapes, and streams 0 and 1. */
static qc_status write_upper(qc_chunk_encoder *encoder, uint8_t *symbols)
{
    const qc_frame *frame = encoder->frame;
    size_t stored = encoder->stored;
    uint16_t *words = qc_arena_take(&encoder->arena, 2 * stored);
    void *escapes = qc_arena_take(&encoder->arena, 2 * stored);
    uint8_t *rest = qc_arena_take(&encoder->arena, stored);
    void *workspace = qc_arena_take(&encoder->arena, plan_workspace(frame->stored_dtype));
    qc_encoding encoding = qc_encoding_of_exponents(encoder, stored);
    qc_exponents fields;
    upper_words(encoder->values, stored, qc_stored_size(frame), words);
    plan_fields(words, stored, frame->stored_dtype, encoding.codings, encoding.profile, &fields,
                workspace, encoder->stream_workspace);
    size_t escaped = take_apart(&fields, words, stored, symbols, rest);
    if (escaped > 0)
        collect_escapes(&fields, words, symbols, stored, escapes);
    write_head(encoder, &fields, escaped);
    if (escaped > 0)
        QC_TRY(qc_write_stream(encoder, escapes, escaped, fields.exponent_bits));
    QC_TRY(qc_write_exponents(encoder, symbols, stored, &encoding));
    return qc_write_stream(encoder, rest, stored, fields.rest_bits);
}

static qc_status write_float_planes(qc_chunk_encoder *encoder)
{
    uint8_t *symbols = qc_arena_take(&encoder->arena, encoder->stored);
    qc_prepare_elements(encoder);
    QC_TRY(write_upper(encoder, symbols));
    return qc_write_planes(encoder, 2, symbols);
}

const qc_kind_encoder qc_float_planes_kind_encoder = {
    .bound = float_planes_bound, .workspace = float_planes_workspace, .write = write_float_planes};
