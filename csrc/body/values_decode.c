/*
 * Values, decoded: raw bytes, float planes, fields, differences from a base, affine and codebook.
 */
#include "body/values_decode.h"
#include "base/float_bits.h"
#include "head/layout.h"
#include "kernels/affine.h"
#include "kernels/max_code.h"
#include "kernels/planes.h"

/* Affine codes of more bits are faster by arithmetic than by a table, on some machines. */
#define TABLE_WIDTH 4

static size_t symbols_per_element(const qc_frame *frame)
{
    return frame->kind == QC_RAW ? frame->item_size : 1;
}

/* Bytes from one element's symbols to the next one's. */
static size_t step(const qc_frame *frame)
{
    if (frame->kind == QC_DELTA) /* they are elements when they have been pulled */
        return frame->item_size;
    return symbols_per_element(frame) * qc_symbol_size(frame->width);
}

/* ---- parameters ---- */

/* Parameter number `index` as f32: exact for every parameter type. */
static float parameter(const uint8_t *parameters, qc_dtype dtype, size_t index)
{
    size_t size = qc_dtype_size(dtype);
    uint8_t bytes[QC_MAX_ITEM_BYTES];
    float value;
    if (dtype == QC_F32) /* the usual one */
        return qc_f32_of_bits(qc_load32(parameters + index * size));
    memcpy(bytes, parameters + index * size, size);
    qc_swap_if_big_endian(bytes, size, 1);
    qc_convert(bytes, dtype, &value, QC_F32, 1);
    return value;
}

static size_t group_of(size_t element, size_t inner, size_t count)
{
    return element / inner % count;
}

/* Before scaling: code - zero point, or the codebook's entry. */
static float unscaled(const qc_value_decoder *values, unsigned code, size_t element)
{
    const qc_frame *frame = values->frame;
    if (frame->kind == QC_CODEBOOK) {
        size_t book = group_of(element, frame->book_inner, frame->books);
        return parameter(frame->codebook, frame->codebook_dtype, book * frame->entries + code);
    }
    size_t zero = frame->zero_point;
    if (frame->zero_mode == 1)
        zero = qc_load16(frame->zero_points +
                         2 * group_of(element, frame->scale_inner, frame->scale_count));
    return (float)((int32_t)code - (int32_t)zero);
}

static float scale_of(const qc_frame *frame, size_t element)
{
    if (!frame->scaled)
        return 1.0f;
    return parameter(frame->scales, frame->scale_dtype,
                     group_of(element, frame->scale_inner, frame->scale_count));
}

/* One element, by the text of the format. */
static float value_of(const qc_value_decoder *values, unsigned code, size_t element)
{
    const qc_frame *frame = values->frame;
    float value = unscaled(values, code, element);
    if (!frame->scaled)
        return value;
    return scale_of(frame, element) * value;
}

/* ---- opening ---- */

/* Whether all elements have the same scale, zero point and book. */
static int is_uniform(const qc_frame *frame)
{
    return (!frame->scaled || frame->scale_count == 1) &&
           (frame->kind != QC_CODEBOOK || frame->books == 1);
}

/* Take the entries of a book as f32. */
static void read_book(qc_value_decoder *values, size_t book)
{
    const qc_frame *frame = values->frame;
    for (unsigned code = 0; code < frame->entries; code++)
        values->entries[code] =
            parameter(frame->codebook, frame->codebook_dtype, book * frame->entries + code);
}

/* Fill the table with the entries, scaled. */
static void fill_table(qc_value_decoder *values, float scale)
{
    qc_look_up_table *table = &values->table;
    int scaled = values->frame->scaled;
    float floats[QC_MAX_ENTRIES];
    for (unsigned code = 0; code < table->entries; code++)
        floats[code] = scaled ? scale * values->entries[code] : values->entries[code];
    qc_convert(floats, QC_F32, table->items, values->out_dtype, table->entries);
    qc_look_up_prepare(table);
}

static void choose_table(qc_value_decoder *values)
{
    const qc_frame *frame = values->frame;
    int is_codebook = frame->kind == QC_CODEBOOK;
    int is_short = frame->kind == QC_AFFINE && frame->width <= TABLE_WIDTH;
    values->has_table = (is_codebook || is_short) && is_uniform(frame);
    values->table.entries = is_codebook ? frame->entries : (size_t)1 << frame->width;
    values->table.item_size = values->out_size;
    if (is_codebook && frame->books == 1)
        read_book(values, 0);
    else if (values->has_table)
        for (unsigned code = 0; code < values->table.entries; code++)
            values->entries[code] = unscaled(values, code, 0);
    if (values->has_table)
        fill_table(values, scale_of(frame, 0));
}

static int can_convert(qc_dtype from, qc_dtype to)
{
    int from_float = from <= QC_F64 || from >= QC_F8E4M3;
    return from == to || (from_float && to <= QC_F64);
}

qc_status qc_values_open(qc_value_decoder *values, const qc_frame *frame, size_t first,
                         size_t count, qc_dtype out_dtype, qc_stream_shared *shared,
                         qc_reader *reader, qc_error *error)
{
    QC_CHECK((unsigned)out_dtype < QC_DTYPE_COUNT && can_convert(frame->dtype, out_dtype),
             QC_INVALID, "decode: the tensor cannot be given in this dtype", 0, out_dtype,
             frame->dtype);
    values->frame = frame;
    values->out_dtype = out_dtype;
    values->out_size = qc_dtype_size(out_dtype);
    values->past_cache = 0;
    values->pulled = 0;
    values->has_table = 0;
    if (frame->kind == QC_DELTA)
        return qc_delta_open(&values->delta, values->streams, frame, first, count, shared, reader,
                             error);
    if (frame->kind == QC_FIELDS)
        QC_TRY(qc_fields_open(&values->fields, frame, count, shared, reader, error));
    for (unsigned i = 0; i < frame->value_streams; i++) {
        int is_rest = frame->kind == QC_FIELDS && i == 1;
        QC_TRY(qc_stream_open(&values->streams[i], reader, count * symbols_per_element(frame),
                              is_rest ? values->fields.by.rest_bits : frame->width, frame->features,
                              shared, error));
    }
    if (!frame->undecoded) /* else nothing will be written */
        choose_table(values);
    return QC_OK;
}

/* ---- pulling ---- */

/* What differs from a base is known only when all before it is. */
static qc_status skip_delta(qc_value_decoder *values, size_t count, qc_error *error)
{
    for (size_t take; count > 0; count -= take) {
        take = count < QC_DELTA_BLOCK ? count : QC_DELTA_BLOCK;
        QC_TRY(qc_delta_next(&values->delta, take, values->native, error));
    }
    return QC_OK;
}

/* Stream 0 of fields: the escapes among its symbols are skipped with them. */
static qc_status skip_symbols(qc_value_decoder *values, size_t count, unsigned stream,
                              qc_error *error)
{
    for (size_t take; count > 0; count -= take) {
        take = count < QC_VALUE_BLOCK ? count : QC_VALUE_BLOCK;
        QC_TRY(qc_stream_next(&values->streams[stream], values->codes, take, error));
        QC_TRY(qc_fields_skip(&values->fields, values->codes, take, error));
    }
    return QC_OK;
}

/* Streams 0 and 1 of fields, as planes. Symbols are read again where there are escapes among them,
   so they are copied; the rest is read once, and may be a view. */
static qc_status pull_fields(qc_value_decoder *values, size_t count, size_t keep, qc_error *error)
{
    uint8_t *symbols = values->codes, *pulled = values->codes + QC_VALUE_STRIDE;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *joined = values->joined[i] + QC_VALUE_KEEP - keep;
        memmove(joined, joined + values->pulled, keep);
        values->blocks[i] = joined;
    }
    QC_TRY(qc_stream_next(&values->streams[0], symbols, count, error));
    const uint8_t *rest = qc_stream_view(&values->streams[1], count);
    if (rest == NULL) {
        QC_TRY(qc_stream_next(&values->streams[1], pulled, count, error));
        rest = pulled;
    }
    return qc_fields_join(&values->fields, symbols, rest, count, values->joined[0] + QC_VALUE_KEEP,
                          values->joined[1] + QC_VALUE_KEEP, error);
}

qc_status qc_values_skip(qc_value_decoder *values, size_t count, qc_error *error)
{
    unsigned i = 0;
    if (values->frame->kind == QC_DELTA)
        return skip_delta(values, count, error);
    if (values->frame->kind == QC_FIELDS && values->fields.escapes.count > 0)
        QC_TRY(skip_symbols(values, count, i++, error));
    for (; i < values->frame->value_streams; i++)
        QC_TRY(
            qc_stream_skip(&values->streams[i], count * symbols_per_element(values->frame), error));
    return QC_OK;
}

static qc_status pull_delta(qc_value_decoder *values, size_t count, size_t keep, qc_error *error)
{
    size_t size = step(values->frame), kept_bytes = keep * size;
    uint8_t *pulled = values->codes + QC_VALUE_KEEP * size;
    memmove(pulled - kept_bytes, pulled + values->pulled * size - kept_bytes, kept_bytes);
    values->blocks[0] = pulled - kept_bytes;
    values->pulled = count;
    return qc_delta_next(&values->delta, count, pulled, error);
}

/* Whether there are codes without an entry, so that codes have to be checked. */
static int has_absent_codes(const qc_frame *frame)
{
    return frame->kind == QC_CODEBOOK && frame->entries < 1u << frame->width;
}

qc_status qc_values_pull(qc_value_decoder *values, size_t count, size_t keep, qc_error *error)
{
    const qc_frame *frame = values->frame;
    if (frame->kind == QC_DELTA)
        return pull_delta(values, count, keep, error);
    size_t symbols = count * symbols_per_element(frame);
    size_t kept_bytes = keep * step(frame), pulled_bytes = values->pulled * step(frame);
    unsigned i = 0;
    if (frame->kind == QC_FIELDS) {
        QC_TRY(pull_fields(values, count, keep, error));
        i = 2;
    }
    for (; i < frame->value_streams; i++) {
        uint8_t *pulled = values->codes + QC_VALUE_KEEP * step(frame) + i * QC_VALUE_STRIDE;
        /* What is checked first and then looked up is copied: the frame may change in between. */
        const uint8_t *view =
            has_absent_codes(frame) ? NULL : qc_stream_view(&values->streams[i], symbols);
        values->blocks[i] = (view != NULL ? view : pulled) - kept_bytes;
        if (view == NULL) {
            memmove(pulled - kept_bytes, pulled + pulled_bytes - kept_bytes, kept_bytes);
            QC_TRY(qc_stream_next(&values->streams[i], pulled, symbols, error));
        }
    }
    values->pulled = count;
    if (has_absent_codes(frame)) {
        unsigned code = qc_max_code(values->blocks[0] + keep, count);
        QC_CHECK(code < frame->entries, QC_CORRUPT, "codebook: code without an entry", 0, code,
                 frame->entries - 1);
    }
    return QC_OK;
}

/* ---- writing ---- */

static unsigned code_at(const qc_value_decoder *values, size_t index)
{
    uint16_t code;
    if (values->frame->width <= 8)
        return values->blocks[0][index];
    memcpy(&code, values->blocks[0] + 2 * index, 2);
    return code;
}

static int is_rotated(qc_dtype dtype) { return dtype <= QC_F64; }

/* Raw, planes, delta and fields as elements of the frame's dtype, in the machine's order. */
static void write_elements(const qc_value_decoder *values, size_t from, size_t count, uint8_t *out,
                           int past_cache)
{
    size_t size = values->frame->item_size;
    const uint8_t *planes[QC_MAX_ITEM_BYTES];
    if (values->frame->kind == QC_PLANES || values->frame->kind == QC_FIELDS) {
        for (unsigned i = 0; i < values->frame->value_streams; i++)
            planes[i] = values->blocks[i] + from;
        qc_merge_planes(planes, count, size, is_rotated(values->frame->dtype), out, past_cache);
    } else {
        memcpy(out, values->blocks[0] + from * size, count * size);
    }
    qc_swap_if_big_endian(out, size, count);
}

/* Elements that follow `element` in its groups, itself included. */
static size_t run_of(const qc_frame *frame, size_t element)
{
    size_t run = SIZE_MAX;
    if (frame->scaled && frame->scale_count > 1)
        run = frame->scale_inner - element % frame->scale_inner;
    if (frame->kind == QC_CODEBOOK && frame->books > 1) {
        size_t book_run = frame->book_inner - element % frame->book_inner;
        run = book_run < run ? book_run : run;
    }
    return run;
}

static void write_floats(const qc_value_decoder *values, size_t count, uint8_t *out)
{
    qc_convert(values->floats, QC_F32, out, values->out_dtype, count);
}

/* A run of codebook elements with the same scale and book. */
static void write_codebook_run(qc_value_decoder *values, size_t from, size_t count, size_t element,
                               uint8_t *out)
{
    const qc_frame *frame = values->frame;
    const uint8_t *codes = values->blocks[0] + from;
    if (count < frame->entries) {
        for (size_t i = 0; i < count; i++)
            values->floats[i] = value_of(values, codes[i], element);
        write_floats(values, count, out);
        return;
    }
    if (frame->books > 1)
        read_book(values, group_of(element, frame->book_inner, frame->books));
    fill_table(values, scale_of(frame, element));
    qc_look_up(&values->table, codes, count, out, values->past_cache);
}

/* A run of affine elements with the same scale and zero point. */
static void write_affine_run(qc_value_decoder *values, size_t from, size_t count, size_t element,
                             uint8_t *out)
{
    const qc_frame *frame = values->frame;
    const uint8_t *codes = values->blocks[0] + from * qc_symbol_size(frame->width);
    float scale = scale_of(frame, element), zero = -unscaled(values, 0, element);
    if (values->out_dtype == QC_F32) {
        qc_affine(codes, frame->width, count, scale, zero, out, values->past_cache);
        return;
    }
    qc_affine(codes, frame->width, count, scale, zero, (uint8_t *)values->floats, 0);
    write_floats(values, count, out);
}

/* Elements that follow each other, the first of which has the number `first` in the tensor. */
static void write_runs(qc_value_decoder *values, size_t from, size_t count, size_t first,
                       uint8_t *out)
{
    for (size_t done = 0; done < count;) {
        size_t run = run_of(values->frame, first + done);
        run = run < count - done ? run : count - done;
        if (values->frame->kind == QC_CODEBOOK)
            write_codebook_run(values, from + done, run, first + done, out);
        else
            write_affine_run(values, from + done, run, first + done, out);
        done += run;
        out += run * values->out_size;
    }
}

void qc_values_write(qc_value_decoder *values, size_t from, size_t count, size_t first,
                     const uint32_t *positions, uint8_t *out)
{
    const qc_frame *frame = values->frame;
    if (qc_is_bytes(frame)) {
        if (values->out_dtype == frame->dtype) {
            write_elements(values, from, count, out, values->past_cache);
            return;
        }
        write_elements(values, from, count, values->native, 0);
        qc_convert(values->native, frame->dtype, out, values->out_dtype, count);
        return;
    }
    if (values->has_table) {
        qc_look_up(&values->table, values->blocks[0] + from, count, out, values->past_cache);
        return;
    }
    if (positions == NULL || is_uniform(frame)) {
        write_runs(values, from, count, first, out);
        return;
    }
    for (size_t i = 0; i < count; i++)
        values->floats[i] = value_of(values, code_at(values, from + i), first + positions[i]);
    write_floats(values, count, out);
}

void qc_values_write_codes(const qc_value_decoder *values, size_t count, uint8_t *out)
{
    if (qc_is_bytes(values->frame))
        write_elements(values, 0, count, out, 0);
    else
        memcpy(out, values->blocks[0], count * step(values->frame));
}

qc_status qc_values_finish(qc_value_decoder *values, qc_error *error)
{
    if (values->frame->kind == QC_DELTA)
        return qc_delta_finish(&values->delta, error);
    if (values->frame->kind == QC_FIELDS)
        QC_TRY(qc_fields_finish(&values->fields, error));
    for (unsigned i = 0; i < values->frame->value_streams; i++)
        QC_TRY(qc_stream_finish(&values->streams[i], error));
    return QC_OK;
}
