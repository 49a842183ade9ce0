/*
 * Kind delta, encoded: elements as differences from those of a base, in three streams.
 */
#include "body/delta.h"
#include "body/values_encode.h"

/* Symbols of the streams of a chunk. */
typedef struct delta_symbols {
    uint8_t *codes;   /* one per element */
    uint8_t *low;     /* has room for low_room() bytes */
    uint8_t *escapes; /* has room for every element */
    int32_t *steps;   /* scratch: QC_DELTA_HISTORY + count */
    size_t low_bytes, escape_count;
} delta_symbols;

/* Differences this far from 0 are escapes, whatever is expected. */
#define FAR ((int64_t)1 << 20)

/* Two's complement of `bits` bits. */
static int64_t signed_of(uint64_t value, unsigned bits)
{
    uint64_t sign = (uint64_t)1 << (bits - 1);
    value &= sign | (sign - 1);
    return (int64_t)((value ^ sign) - sign);
}

static int64_t shift_down(int64_t value, unsigned bits)
{
    int64_t sign = -(value < 0);
    return ((value ^ sign) >> bits) ^ sign;
}

/* Low bits, one after the other; words are written, up to 8 bytes beyond the last one. */
typedef struct bit_writer {
    uint8_t *out;
    uint64_t bits; /* not yet written, below a byte */
    unsigned count;
} bit_writer;

static void write_bits(bit_writer *writer, uint64_t value, unsigned bits)
{
    value &= ((uint64_t)1 << bits) - 1;
    writer->bits |= value << writer->count; /* at most 7 + 56 bits */
    writer->count += bits;
    qc_store64(writer->out, writer->bits);
    writer->out += writer->count / 8;
    writer->bits >>= writer->count / 8 * 8;
    writer->count %= 8;
}

/* Elements in the machine's order against those of the base; fills `symbols`. The base may change
   meanwhile: each of its elements is read once, and none needs more room than any other. */
static inline void subtract_as(const qc_frame *frame, const uint8_t *elements, const uint8_t *base,
                               size_t count, const qc_delta_type type, int is_predicted,
                               delta_symbols *symbols)
{
    const size_t item = type.bits / 8;
    int32_t *steps = symbols->steps + QC_DELTA_HISTORY;
    qc_delta_place place = {0, 0};
    bit_writer low = {symbols->low, 0, 0};
    symbols->escape_count = 0;
    memset(symbols->steps, 0, QC_DELTA_HISTORY * sizeof *symbols->steps);
    for (size_t i = 0; i < count; i++) {
        uint64_t from = qc_delta_load(base + i * item, type.bits);
        uint64_t element = qc_delta_load(elements + i * item, type.bits);
        qc_delta_scale scale = qc_delta_scale_of(from, frame->delta.step, type);
        uint64_t moved = qc_delta_order(element, type.bits) - qc_delta_order(from, type.bits);
        int64_t quotient = shift_down(signed_of(moved, type.bits), scale.down);
        int32_t expected = 0;
        if (is_predicted)
            expected = qc_delta_predict(steps + i, place.x, place.y, frame->delta.filter_width);
        int64_t difference = quotient - qc_delta_shift_down(expected, scale.up);
        if (quotient < -FAR || quotient > FAR || difference < -QC_DELTA_MAX_DIFFERENCE ||
            difference > QC_DELTA_MAX_DIFFERENCE) {
            symbols->codes[i] = QC_DELTA_ESCAPE;
            uint8_t *escape = symbols->escapes + symbols->escape_count++ * item;
            memcpy(escape, elements + i * item, item);
            qc_swap_if_big_endian(escape, item, 1);
            steps[i] = 0;
        } else {
            int64_t sign = -(difference < 0);
            symbols->codes[i] = (uint8_t)(difference * 2 ^ sign); /* 0, -1, 1, -2, 2 ... */
            write_bits(&low, moved, scale.down);
            if (is_predicted)
                steps[i] = qc_delta_steps((int32_t)quotient, scale.up);
        }
        if (is_predicted)
            qc_delta_advance(&place, &frame->delta);
    }
    if (low.count > 0)
        *low.out++ = (uint8_t)low.bits;
    symbols->low_bytes = (size_t)(low.out - symbols->low);
}

/* Each type and each way has a loop of its own. */
static void subtract_base(const qc_frame *frame, const uint8_t *elements, const uint8_t *base,
                          size_t count, delta_symbols *symbols)
{
    const qc_delta_type type = qc_delta_type_of(frame->dtype);
    int is_predicted = qc_delta_is_predicted(&frame->delta);
    if (!is_predicted && type.bits == 32)
        subtract_as(frame, elements, base, count, qc_delta_type_of(QC_F32), 0, symbols);
    else if (!is_predicted && frame->dtype == QC_BF16)
        subtract_as(frame, elements, base, count, qc_delta_type_of(QC_BF16), 0, symbols);
    else if (!is_predicted && frame->dtype == QC_F16)
        subtract_as(frame, elements, base, count, qc_delta_type_of(QC_F16), 0, symbols);
    else
        subtract_as(frame, elements, base, count, type, is_predicted, symbols);
}

/* ---- as a kind ---- */

static size_t delta_bound(const qc_frame *frame, size_t stored)
{
    return 2 * QC_VU_MAX_BYTES + qc_stream_bound(stored, 8) +
           qc_stream_bound(stored * (frame->item_size - 1), 8) +
           qc_stream_bound(stored * frame->item_size, 8);
}

static size_t low_room(const qc_frame *frame, size_t stored)
{
    return stored * (frame->item_size - 1) + 8;
}

static size_t delta_workspace(const qc_frame *frame, size_t stored)
{
    return qc_arena_size(stored) + qc_arena_size(low_room(frame, stored)) +
           2 * qc_arena_size(stored * frame->item_size) +
           qc_arena_size((QC_DELTA_HISTORY + stored) * sizeof(int32_t));
}

/* The base of each stored element. */
static const uint8_t *base_of(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    size_t item = frame->item_size;
    const uint8_t *base = (const uint8_t *)frame->delta.base + encoder->input->first * item;
    if (!qc_has_changes(frame))
        return base;
    uint8_t *chosen = qc_arena_take(&encoder->arena, encoder->stored * item);
    for (size_t i = 0; i < encoder->stored; i++)
        memcpy(chosen + i * item, base + encoder->places[i] * item, item);
    return chosen;
}

static qc_status write_delta(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    size_t item = frame->item_size, stored = encoder->stored;
    delta_symbols symbols;
    symbols.codes = qc_arena_take(&encoder->arena, stored);
    symbols.low = qc_arena_take(&encoder->arena, low_room(frame, stored));
    symbols.escapes = qc_arena_take(&encoder->arena, stored * item);
    symbols.steps = qc_arena_take(&encoder->arena, (QC_DELTA_HISTORY + stored) * sizeof(int32_t));
    subtract_base(frame, encoder->values, base_of(encoder), stored, &symbols);
    encoder->size += qc_write_vu(encoder->out + encoder->size, symbols.low_bytes);
    encoder->size += qc_write_vu(encoder->out + encoder->size, symbols.escape_count);
    QC_TRY(qc_write_stream(encoder, symbols.codes, stored, 8));
    QC_TRY(qc_write_stream(encoder, symbols.low, symbols.low_bytes, 8));
    return qc_write_stream(encoder, symbols.escapes, symbols.escape_count * item, 8);
}

const qc_kind_encoder qc_delta_kind_encoder = {
    .bound = delta_bound, .workspace = delta_workspace, .write = write_delta, .by_byte = 1};
