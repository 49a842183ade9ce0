/*
 * Kinds that store elements, encoded: the codings of floats, and elements as bytes of planes.
 */
#include "body/values_encode.h"
#include "kernels/planes.h"

/* Up to this many floats in a chunk may be in contexts, or in plain Huffman: more would take
   too long to decode. */
#define MAX_CONTEXTS_FLOATS ((size_t)16 * 1024)
#define MAX_HUFFMAN_FLOATS  ((size_t)96 * 1024)

/* ---- codings of floats ---- */

/* Whether a chunk has so many floats that their streams have to decode fast. */
static int has_many_floats(const qc_frame *frame, size_t stored)
{
    return qc_stores_elements(frame) && frame->dtype <= QC_F64 && stored >= MAX_CONTEXTS_FLOATS;
}

/* Codings for floats: contexts would save about 0.1 % of many, and decode twenty times as
   slowly as plain Huffman. */
uint64_t qc_float_codings(const qc_frame *frame, uint64_t codings, size_t stored)
{
    return codings & ~(has_many_floats(frame, stored) ? QC_CODING_MASK(QC_CONTEXTS) : 0);
}

/* Balanced: the smallest of the codings that are fast enough, as exponents take a small part of the
   time. Plain Huffman is not fast enough where it would take longer than everything else together;
   but beside fewer symbols the heads of lanes weigh more. */
qc_encoding qc_encoding_of_exponents(const qc_chunk_encoder *encoder, size_t stored)
{
    qc_encoding encoding = encoder->encoding;
    encoding.codings = qc_float_codings(encoder->frame, encoding.codings, stored);
    if (encoding.profile == QC_BALANCED && has_many_floats(encoder->frame, stored)) {
        if (stored >= MAX_HUFFMAN_FLOATS)
            encoding.codings &= ~QC_CODING_MASK(QC_HUFFMAN);
        encoding.profile = QC_SMALL;
    }
    return encoding;
}

void qc_prepare_elements(qc_chunk_encoder *encoder)
{
    encoder->encoding.codings =
        qc_float_codings(encoder->frame, encoder->encoding.codings, encoder->stored);
    qc_swap_elements_if_big_endian(encoder->values, encoder->frame->stored_dtype, encoder->stored);
}

/* ---- planes ---- */

/* Bytes that are not below 2^bits stay as they are, and no coding takes them. */
static void take_bytes(const uint8_t *restrict elements, size_t count, qc_turn turn, unsigned bits,
                       uint8_t *restrict out)
{
    unsigned max = (1u << bits) - 1, top = 1u << (bits - 1);
    for (size_t i = 0; i < count; i++) {
        unsigned byte = elements[i], rotated = (byte << 1 & max) | byte >> (bits - 1);
        out[i] = (uint8_t)(turn == QC_OFFSET                   ? byte ^ top
                           : turn == QC_ROTATED && byte <= max ? rotated
                                                               : byte);
    }
}

/* Each size has words of its own, so that vectors hold as many as they can. */
void qc_take_plane(const qc_frame *frame, const uint8_t *restrict elements, size_t count,
                   unsigned plane, uint8_t *restrict out)
{
    unsigned size = (unsigned)qc_stored_size(frame), bits = 8 * size, shift = bits - 8 - 8 * plane;
    qc_turn turn = qc_turn_of(frame->stored_dtype);
    unsigned left = turn == QC_ROTATED, right = left ? bits - 1 : 0;
    uint64_t top = (uint64_t)(turn == QC_OFFSET) << (bits - 1);
    if (size == 1)
        take_bytes(elements, count, turn, qc_dtype_bits(frame->stored_dtype), out);
    else if (size == 2)
        for (size_t i = 0; i < count; i++) {
            uint16_t word = (uint16_t)(qc_load16(elements + 2 * i) ^ (uint16_t)top);
            out[i] = (uint8_t)((uint16_t)(word << left | word >> right) >> shift);
        }
    else if (size == 4)
        for (size_t i = 0; i < count; i++) {
            uint32_t word = qc_load32(elements + 4 * i) ^ (uint32_t)top;
            out[i] = (uint8_t)((word << left | word >> right) >> shift);
        }
    else
        for (size_t i = 0; i < count; i++) {
            uint64_t word = qc_load64(elements + 8 * i) ^ top;
            out[i] = (uint8_t)((word << left | word >> right) >> shift);
        }
}

qc_status qc_write_planes(qc_chunk_encoder *encoder, unsigned from, uint8_t *symbols)
{
    const qc_frame *frame = encoder->frame;
    for (unsigned plane = from; plane < frame->value_streams; plane++) {
        qc_take_plane(frame, encoder->values, encoder->stored, plane, symbols);
        QC_TRY(qc_write_stream(encoder, symbols, encoder->stored, frame->width));
    }
    return QC_OK;
}
