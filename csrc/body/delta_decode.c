/*
 * Kind delta, decoded: elements as differences from those of a base.
 *
 * Three streams are pulled in step: a symbol per element, the low bits that a symbol leaves out,
 * and the elements that have no symbol (escapes). How many low bits an element has follows from the
 * base, which may change while it is read: so as many bytes are fetched as any base may ask for.
 */
#include "body/delta_decode.h"
#include "body/kinds_decode.h"
#include "kernels/kernels.h"

/* ---- opening ---- */

static qc_status open_streams(qc_delta_decoder *delta, qc_stream *streams, const qc_frame *frame,
                              size_t first, size_t count, qc_stream_shared *shared,
                              qc_reader *reader, qc_error *error)
{
    size_t item = frame->item_size, low, escapes;
    delta->symbols = &streams[0];
    delta->low = &streams[1];
    delta->escapes = &streams[2];
    QC_CHECK(frame->delta.base != NULL, QC_INVALID, "delta: the base is missing", 0, 0, 1);
    QC_TRY(qc_read_size(reader, count * (item - 1), &low, "delta: bytes of low bits", error));
    QC_TRY(qc_read_size(reader, count, &escapes, "delta: escapes", error));
    QC_TRY(qc_stream_open(delta->symbols, reader, count, 8, frame->features, shared, error));
    QC_TRY(qc_stream_open(delta->low, reader, low, 8, frame->features, shared, error));
    QC_TRY(
        qc_stream_open(delta->escapes, reader, escapes * item, 8, frame->features, shared, error));
    delta->frame = frame;
    delta->base = (const uint8_t *)frame->delta.base + first * item;
    delta->place = (qc_delta_place){0, 0};
    delta->bit = delta->low_size = 0;
    delta->escape = delta->escape_size = 0;
    memset(delta->low_bytes, 0, sizeof delta->low_bytes);
    memset(delta->steps, 0, QC_DELTA_HISTORY * sizeof *delta->steps);
    return QC_OK;
}

/* ---- low bits and escapes ---- */

/* Have at least as many bytes as the low bits of a run may take, as far as there are any: as many
   as any base asks for, since the base may change while it is read, here more than once. */
static qc_status fetch_low(qc_delta_decoder *delta, size_t needed, qc_error *error)
{
    size_t used = delta->bit / 8, left = delta->low_size - used;
    if (left >= needed || (delta->low_size == 0 && delta->low->left == 0))
        return QC_OK;
    memmove(delta->low_bytes, delta->low_bytes + used, left);
    delta->bit %= 8;
    while (left < needed && delta->low->left > 0) {
        size_t count = delta->low->left < QC_STREAM_BLOCK ? delta->low->left : QC_STREAM_BLOCK;
        QC_TRY(qc_stream_next(delta->low, delta->low_bytes + left, count, error));
        left += count;
    }
    delta->low_size = left;
    /* A run may read beyond the last byte, before it is checked. */
    memset(delta->low_bytes + left, 0, sizeof delta->low_bytes - left);
    return QC_OK;
}

/* The next escape, little-endian. */
static qc_status take_escape(qc_delta_decoder *delta, const uint8_t **element, qc_error *error)
{
    if (delta->escape == delta->escape_size) {
        size_t left = delta->escapes->left;
        QC_CHECK(left > 0, QC_CORRUPT, "delta: more escapes than are stored", 0, 0, 0);
        delta->escape = 0;
        delta->escape_size = left < QC_STREAM_BLOCK ? left : QC_STREAM_BLOCK;
        QC_TRY(qc_stream_next(delta->escapes, delta->escape_bytes, delta->escape_size, error));
    }
    *element = delta->escape_bytes + delta->escape;
    delta->escape += delta->frame->item_size;
    return QC_OK;
}

/* ---- elements ---- */

/* The quotients of a run, by their symbols alone; those of escapes mean nothing. */
static void read_quotients(const uint8_t *codes, size_t count, int32_t *quotients)
{
    for (size_t i = 0; i < count; i++)
        quotients[i] = (int32_t)(codes[i] >> 1) ^ -(int32_t)(codes[i] & 1);
}

/* The same, where a symbol is the difference from the prediction of the neighbours. */
static void predict_quotients(qc_delta_decoder *delta, size_t from, size_t count,
                              qc_delta_type type, int32_t *quotients)
{
    const qc_frame *frame = delta->frame;
    const uint8_t *codes = delta->codes + from, *base = delta->base;
    int32_t *steps = delta->steps + QC_DELTA_HISTORY + from;
    qc_delta_place place = delta->place;
    for (size_t i = 0; i < count; i++) {
        uint64_t element = qc_delta_load(base + i * type.bits / 8, type.bits);
        unsigned up = qc_delta_scale_of(element, frame->delta.step, type).up;
        int32_t expected = qc_delta_predict(steps + i, place.x, place.y, frame->delta.filter_width);
        quotients[i] += qc_delta_shift_down(expected, up);
        steps[i] = codes[i] == QC_DELTA_ESCAPE ? 0 : qc_delta_steps(quotients[i], up);
        qc_delta_advance(&place, &frame->delta);
    }
    delta->place = place;
}

static inline void store(uint8_t *out, uint64_t element, unsigned bits)
{
    switch (bits) {
    case 16: qc_store16(out, (uint32_t)element); break;
    case 32: qc_store32(out, (uint32_t)element); break;
    default: qc_store64(out, element);
    }
}

/* The elements of a run, from number `from` on, but for the escapes. */
static void add_to_base(qc_delta_decoder *delta, const uint8_t *codes, const int32_t *quotients,
                        size_t from, size_t count, qc_delta_type type, uint8_t *out)
{
    const unsigned step = delta->frame->delta.step, size = type.bits / 8;
    const uint8_t *base = delta->base;
    size_t bit = delta->bit;
    for (size_t i = from; i < count; i++) {
        if (QC_UNLIKELY(codes[i] == QC_DELTA_ESCAPE))
            continue;
        uint64_t element = qc_delta_load(base + i * size, type.bits);
        unsigned down = qc_delta_scale_of(element, step, type).down;
        uint64_t low = qc_load64(delta->low_bytes + bit / 8) >> bit % 8;
        low &= ((uint64_t)1 << down) - 1;
        bit += down;
        uint64_t ordered = qc_delta_order(element, type.bits);
        ordered += ((uint64_t)(int64_t)quotients[i] << down) + low;
        store(out + i * size, qc_delta_order(ordered, type.bits), type.bits);
    }
    delta->bit = bit;
}

static qc_status put_escapes(qc_delta_decoder *delta, const uint8_t *codes, size_t count,
                             uint8_t *out, qc_error *error)
{
    size_t item = delta->frame->item_size;
    const uint8_t *end = codes + count, *escape = codes;
    while ((escape = memchr(escape, QC_DELTA_ESCAPE, (size_t)(end - escape))) != NULL) {
        const uint8_t *bytes;
        QC_TRY(take_escape(delta, &bytes, error));
        memcpy(out + (size_t)(escape - codes) * item, bytes, item);
        escape++;
    }
    return QC_OK;
}

/* `count` elements, at most QC_DELTA_RUN. */
static qc_status run(qc_delta_decoder *delta, size_t from, size_t count, uint8_t *out,
                     qc_error *error)
{
    const qc_delta_type type = qc_delta_type_of(delta->frame->dtype);
    const uint8_t *codes = delta->codes + from;
    qc_add_delta_kernel *kernel =
        delta->frame->dtype == QC_F32 ? qc_kernels_selected()->add_delta_4 : NULL;
    int32_t quotients[QC_DELTA_RUN];
    size_t done = 0;
    read_quotients(codes, count, quotients);
    if (qc_delta_is_predicted(&delta->frame->delta))
        predict_quotients(delta, from, count, type, quotients);
    if (kernel != NULL)
        done = kernel(delta->base, codes, quotients, count, delta->frame->delta.step,
                      delta->low_bytes, &delta->bit, out);
    /* The type is a constant in each call, so that its loads and shifts are. */
    switch (delta->frame->dtype) {
#define ADD(dtype) add_to_base(delta, codes, quotients, done, count, qc_delta_type_of(dtype), out)
    case QC_F16: ADD(QC_F16); break;
    case QC_BF16: ADD(QC_BF16); break;
    case QC_F64: ADD(QC_F64); break;
    default: ADD(QC_F32);
#undef ADD
    }
    QC_CHECK(delta->bit <= 8 * delta->low_size, QC_CORRUPT, "delta: more low bits than are stored",
             0, delta->bit, 8 * delta->low_size);
    delta->base += count * delta->frame->item_size;
    return put_escapes(delta, codes, count, out, error);
}

/* The next `count` elements, at most QC_DELTA_BLOCK, little-endian; a multiple of QC_STREAM_BLOCK
   but for the last ones. */
static qc_status next_elements(qc_delta_decoder *delta, size_t count, uint8_t *out, qc_error *error)
{
    size_t item = delta->frame->item_size;
    QC_TRY(qc_stream_next(delta->symbols, delta->codes, count, error));
    for (size_t at = 0, taken; at < count; at += taken) {
        taken = count - at < QC_DELTA_RUN ? count - at : QC_DELTA_RUN;
        QC_TRY(fetch_low(delta, taken * (item - 1) + 1, error));
        QC_TRY(run(delta, at, taken, out + at * item, error));
    }
    if (qc_delta_is_predicted(&delta->frame->delta))
        memmove(delta->steps, delta->steps + count, QC_DELTA_HISTORY * sizeof *delta->steps);
    return QC_OK;
}

static qc_status finish_delta(qc_value_decoder *values, qc_error *error)
{
    qc_delta_decoder *delta = &values->delta;
    QC_CHECK(delta->low->left == 0 && (delta->bit + 7) / 8 == delta->low_size, QC_CORRUPT,
             "delta: low bits are left over", 0, delta->bit, 8 * delta->low_size);
    QC_CHECK(delta->bit % 8 == 0 || delta->low_bytes[delta->bit / 8] >> delta->bit % 8 == 0,
             QC_CORRUPT, "delta: bits after the last low bits", 0, 1, 0);
    QC_CHECK(delta->escapes->left == 0 && delta->escape == delta->escape_size, QC_CORRUPT,
             "delta: escapes are left over", 0, delta->escapes->left, 0);
    QC_TRY(qc_stream_finish(delta->symbols, error));
    QC_TRY(qc_stream_finish(delta->low, error));
    return qc_stream_finish(delta->escapes, error);
}

/* ---- changes alone ---- */

void qc_delta_take_base(qc_value_decoder *values, const qc_chunk *chunk, const uint32_t *positions,
                        size_t count)
{
    const qc_frame *frame = values->frame;
    size_t item = frame->item_size;
    const uint8_t *base = (const uint8_t *)frame->delta.base + chunk->first * item;
    for (size_t i = 0; i < count; i++)
        memcpy(values->native + i * item, base + positions[i] * item, item);
    values->delta.base = values->native;
}

void qc_delta_copy_base(const qc_value_decoder *values, const qc_chunk *chunk, uint8_t *out)
{
    const qc_frame *frame = values->frame;
    const uint8_t *base = (const uint8_t *)frame->delta.base + chunk->first * frame->item_size;
    if (values->out_dtype == frame->dtype)
        memcpy(out, base, chunk->elements * frame->item_size);
    else
        qc_convert(base, frame->dtype, out, values->out_dtype, chunk->elements);
}

/* ---- as a kind ---- */

static qc_status open_delta(qc_value_decoder *values, size_t first, size_t count,
                            qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    values->step = values->frame->item_size; /* pulled symbols are elements at once */
    return open_streams(&values->delta, values->streams, values->frame, first, count, shared,
                        reader, error);
}

/* An element is known only when all elements before it are. */
static qc_status skip_delta(qc_value_decoder *values, size_t count, qc_error *error)
{
    for (size_t take; count > 0; count -= take) {
        take = count < QC_DELTA_BLOCK ? count : QC_DELTA_BLOCK;
        QC_TRY(next_elements(&values->delta, take, values->native, error));
    }
    return QC_OK;
}

static qc_status pull_delta(qc_value_decoder *values, size_t count, size_t keep, qc_error *error)
{
    size_t size = values->step, kept_bytes = keep * size;
    uint8_t *pulled = values->codes + QC_VALUE_KEEP * size;
    memmove(pulled - kept_bytes, pulled + values->pulled * size - kept_bytes, kept_bytes);
    values->blocks[0] = pulled - kept_bytes;
    return next_elements(&values->delta, count, pulled, error);
}

const qc_kind_decoder qc_delta_kind_decoder = {
    open_delta, skip_delta, pull_delta, qc_elements_write, qc_elements_copy, finish_delta,
};
