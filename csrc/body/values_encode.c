/*
 * The values of a chunk, encoded: codes, bytes, planes, fields and deltas.
 */
#include "body/chunk_encode.h"
#include "body/delta_encode.h"
#include "body/exponents_encode.h"

/* Of so many floats in a chunk adaptive coding takes too long to decode, of more plain Huffman. */
#define MOST_ADAPTIVE_FLOATS ((size_t)16 * 1024)
#define MOST_HUFFMAN_FLOATS  ((size_t)96 * 1024)

/* ---- bounds ---- */

size_t qc_values_bound(const qc_frame *frame, size_t entries)
{
    if (frame->kind == QC_RAW)
        return qc_stream_bound(entries * frame->item_size, frame->width);
    if (frame->kind == QC_DELTA) /* codes, low bits, escapes */
        return 2 * QC_VU_MAX_BYTES + qc_stream_bound(entries, 8) +
               qc_stream_bound(entries * (frame->item_size - 1), 8) +
               qc_stream_bound(entries * frame->item_size, 8);
    size_t bound = frame->value_streams * qc_stream_bound(entries, frame->width);
    if (frame->kind == QC_FIELDS)
        bound += 1 + 2 * QC_VU_MAX_BYTES + qc_stream_bound(entries, qc_exponent_bits(frame->dtype));
    return bound;
}

static size_t low_room(const qc_frame *frame, size_t entries)
{
    return entries * (frame->item_size - 1) + 8;
}

static size_t delta_workspace(const qc_frame *frame, size_t entries)
{
    return qc_arena_size(entries) + qc_arena_size(low_room(frame, entries)) +
           qc_arena_size(entries * frame->item_size) +
           qc_arena_size((QC_DELTA_HISTORY + entries) * sizeof(int32_t));
}

size_t qc_values_workspace(const qc_frame *frame, size_t entries)
{
    size_t bytes = 0;
    if (qc_is_bytes(frame))
        bytes += qc_arena_size(entries); /* a plane */
    if (frame->kind == QC_DELTA)
        bytes += delta_workspace(frame, entries);
    if (frame->kind == QC_FIELDS) /* words, the rest, escapes */
        bytes += 2 * qc_arena_size(2 * entries) + qc_arena_size(entries) +
                 qc_arena_size(qc_fields_plan_workspace(frame->dtype));
    return bytes;
}

/* ---- how floats are coded ---- */

/* Whether so many floats are kept that their streams have to decode fast. */
static int has_many_floats(const qc_chunk_encoder *encoder, size_t entries)
{
    const qc_frame *frame = encoder->frame;
    return qc_is_bytes(frame) && frame->dtype <= QC_F64 && entries >= MOST_ADAPTIVE_FLOATS;
}

/* Codings for floats: adaptive coding would save about 0.1 % of many, and decode twenty times as
   slowly as plain Huffman. */
static uint64_t float_codings(const qc_chunk_encoder *encoder, size_t entries)
{
    uint64_t slow = has_many_floats(encoder, entries) ? QC_CODING_MASK(QC_ADAPTIVE) : 0;
    return encoder->encoding.codings & ~slow;
}

/* Balanced: of the codings that are fast enough the smallest, as exponents take a small part of the
   time. Plain Huffman is not where it would take longer than everything else together; but beside
   fewer symbols the heads of lanes weigh more. */
static qc_encoding encoding_of_exponents(const qc_chunk_encoder *encoder, size_t entries)
{
    qc_encoding encoding = encoder->encoding;
    encoding.codings = float_codings(encoder, entries);
    if (encoding.profile == QC_BALANCED && has_many_floats(encoder, entries)) {
        if (entries >= MOST_HUFFMAN_FLOATS)
            encoding.codings &= ~QC_CODING_MASK(QC_HUFFMAN);
        encoding.profile = QC_SMALL;
    }
    return encoding;
}

/* ---- values ---- */

/* Byte `plane` (0: the most significant) of every element, rotated left by one if it is a float.
   Each size has words of its own, so that vectors hold as many as they can. */
static void split_plane(const qc_frame *frame, const uint8_t *restrict elements, size_t count,
                        unsigned plane, uint8_t *restrict out)
{
    unsigned size = (unsigned)frame->item_size, bits = 8 * size, shift = bits - 8 - 8 * plane;
    unsigned left = frame->dtype <= QC_F64, right = left ? bits - 1 : 0;
    if (size == 1)
        memcpy(out, elements, count);
    else if (size == 2)
        for (size_t i = 0; i < count; i++) {
            uint16_t word = (uint16_t)qc_load16(elements + 2 * i);
            out[i] = (uint8_t)((uint16_t)(word << left | word >> right) >> shift);
        }
    else if (size == 4)
        for (size_t i = 0; i < count; i++) {
            uint32_t word = qc_load32(elements + 4 * i);
            out[i] = (uint8_t)((word << left | word >> right) >> shift);
        }
    else
        for (size_t i = 0; i < count; i++) {
            uint64_t word = qc_load64(elements + 8 * i);
            out[i] = (uint8_t)((word << left | word >> right) >> shift);
        }
}

/* Head, escapes, and streams 0 and 1. */
static qc_status write_fields(qc_chunk_encoder *encoder, const uint8_t *elements, size_t entries,
                              const qc_encoding *exponents, uint8_t *symbols)
{
    const qc_frame *frame = encoder->frame;
    uint16_t *words = qc_arena_take(&encoder->arena, 2 * entries);
    void *escapes = qc_arena_take(&encoder->arena, 2 * entries);
    uint8_t *rest = qc_arena_take(&encoder->arena, entries);
    void *workspace = qc_arena_take(&encoder->arena, qc_fields_plan_workspace(frame->dtype));
    qc_fields fields;
    qc_upper_words(elements, entries, frame->item_size, words);
    qc_fields_plan(words, entries, frame->dtype, exponents->codings, exponents->profile, &fields,
                   workspace, encoder->stream_workspace);
    size_t escaped = qc_fields_take_apart(&fields, words, entries, symbols, rest);
    if (escaped > 0)
        qc_fields_escapes(&fields, words, symbols, entries, escapes);
    encoder->out[encoder->size++] = (uint8_t)fields.mantissa_bits;
    encoder->size += qc_write_vu(encoder->out + encoder->size, fields.base);
    encoder->size += qc_write_vu(encoder->out + encoder->size, escaped);
    QC_TRY(qc_write_stream(encoder, escapes, escaped, fields.exponent_bits));
    QC_TRY(qc_write_exponents(encoder, symbols, entries, exponents));
    return qc_write_stream(encoder, rest, entries, fields.rest_bits);
}

static qc_status write_delta(qc_chunk_encoder *encoder, const void *values, size_t entries)
{
    const qc_frame *frame = encoder->frame;
    size_t item = frame->item_size;
    qc_delta_symbols symbols;
    symbols.codes = qc_arena_take(&encoder->arena, entries);
    symbols.low = qc_arena_take(&encoder->arena, low_room(frame, entries));
    symbols.escapes = qc_arena_take(&encoder->arena, entries * item);
    symbols.steps = qc_arena_take(&encoder->arena, (QC_DELTA_HISTORY + entries) * sizeof(int32_t));
    qc_delta_split(frame, values, (const uint8_t *)frame->base + encoder->source->first * item,
                   entries, &symbols);
    encoder->size += qc_write_vu(encoder->out + encoder->size, symbols.low_bytes);
    encoder->size += qc_write_vu(encoder->out + encoder->size, symbols.escape_count);
    QC_TRY(qc_write_stream(encoder, symbols.codes, entries, 8));
    QC_TRY(qc_write_stream(encoder, symbols.low, symbols.low_bytes, 8));
    return qc_write_stream(encoder, symbols.escapes, symbols.escape_count * item, 8);
}

qc_status qc_write_values(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    size_t entries = encoder->entries;
    uint8_t *elements = encoder->values;
    if (!qc_is_bytes(frame))
        return qc_write_located(encoder, elements, entries, frame->width, qc_code_geometry(frame));
    if (frame->kind == QC_DELTA)
        return write_delta(encoder, elements, entries);
    encoder->encoding.codings = float_codings(encoder, entries);
    qc_swap_if_big_endian(elements, frame->item_size, entries);
    if (frame->kind == QC_RAW)
        return qc_write_stream(encoder, elements, entries * frame->item_size, frame->width);
    uint8_t *symbols = qc_arena_take(&encoder->arena, entries);
    qc_encoding exponents = encoding_of_exponents(encoder, entries);
    unsigned plane = 0;
    if (frame->kind == QC_FIELDS) {
        QC_TRY(write_fields(encoder, elements, entries, &exponents, symbols));
        plane = 2;
    }
    for (; plane < frame->value_streams; plane++) {
        split_plane(frame, elements, entries, plane, symbols);
        QC_TRY(plane == 0 ? qc_write_exponents(encoder, symbols, entries, &exponents)
                          : qc_write_stream(encoder, symbols, entries, frame->width));
    }
    return QC_OK;
}
