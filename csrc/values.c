/*
 * Values, decoded: raw bytes, float planes, affine and codebook.
 */
#include "values.h"

#include "look_up.h"

static size_t symbols_per_element(const qc_frame *frame)
{
    return frame->kind == QC_RAW ? frame->item_size : 1;
}

static int is_bytes(const qc_frame *frame)
{
    return frame->kind == QC_RAW || frame->kind == QC_PLANES;
}

/* ---- parameters ---- */

/* Parameter number `index` as f32: exact for every parameter type. */
static float parameter(const uint8_t *parameters, qc_dtype dtype, size_t index)
{
    size_t size = qc_dtype_size(dtype);
    uint8_t bytes[QC_MAX_ITEM_BYTES];
    float value;
    memcpy(bytes, parameters + index * size, size);
    qc_swap_if_big_endian(bytes, size, 1);
    qc_convert(bytes, dtype, &value, QC_F32, 1);
    return value;
}

static size_t group_of(size_t element, size_t inner, size_t count)
{
    return element / inner % count;
}

/* ---- opening ---- */

static void build_table(qc_value_decoder *values)
{
    const qc_frame *frame = values->frame;
    float floats[256];
    for (unsigned i = 0; i < frame->entries; i++)
        floats[i] = parameter(frame->codebook, frame->codebook_dtype, i);
    qc_convert(floats, QC_F32, values->table, values->out_dtype, frame->entries);
}

static int can_convert(qc_dtype from, qc_dtype to)
{
    int from_float = from <= QC_F64 || from >= QC_F8E4M3;
    return from == to || (from_float && to <= QC_F64);
}

qc_status qc_values_open(qc_value_decoder *values, const qc_frame *frame, size_t count,
                         qc_dtype out_dtype, qc_reader *reader, qc_error *error)
{
    QC_CHECK((unsigned)out_dtype < QC_DTYPE_COUNT && can_convert(frame->dtype, out_dtype),
             QC_INVALID, "decode: the tensor cannot be given in this dtype", 0, out_dtype,
             frame->dtype);
    values->frame = frame;
    values->out_dtype = out_dtype;
    values->out_size = qc_dtype_size(out_dtype);
    values->has_table = frame->kind == QC_CODEBOOK && frame->books == 1 && !frame->scaled;
    for (unsigned i = 0; i < frame->value_streams; i++)
        QC_TRY(qc_stream_open(&values->streams[i], reader, count * symbols_per_element(frame),
                              frame->width, frame->features, error));
    if (values->has_table)
        build_table(values);
    return QC_OK;
}

/* ---- pulling ---- */

qc_status qc_values_skip(qc_value_decoder *values, size_t count, qc_error *error)
{
    for (unsigned i = 0; i < values->frame->value_streams; i++)
        QC_TRY(
            qc_stream_skip(&values->streams[i], count * symbols_per_element(values->frame), error));
    return QC_OK;
}

static unsigned greatest(const uint8_t *codes, size_t count)
{
    unsigned result = 0;
    for (size_t i = 0; i < count; i++)
        result = codes[i] > result ? codes[i] : result;
    return result;
}

qc_status qc_values_pull(qc_value_decoder *values, size_t count, qc_error *error)
{
    const qc_frame *frame = values->frame;
    size_t symbols = count * symbols_per_element(frame);
    for (unsigned i = 0; i < frame->value_streams; i++)
        QC_TRY(qc_stream_next(&values->streams[i], values->codes + i * symbols, symbols, error));
    if (frame->kind == QC_CODEBOOK && frame->entries < 1u << frame->width) {
        unsigned code = greatest(values->codes, count);
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
        return values->codes[index];
    memcpy(&code, values->codes + 2 * index, 2);
    return code;
}

/* Words from their planes, the most significant first, rotated back by one bit. The size is a
   constant in each loop, so that a compiler can make vectors of it. */
static void merge_16(const uint8_t *planes, size_t step, size_t count, uint8_t *out)
{
    const uint8_t *high = planes, *low = planes + step;
    for (size_t i = 0; i < count; i++) {
        unsigned word = (unsigned)high[i] << 8 | low[i];
        uint16_t merged = (uint16_t)(word >> 1 | word << 15);
        memcpy(out + 2 * i, &merged, 2);
    }
}

static void merge_32(const uint8_t *planes, size_t step, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t word = (uint32_t)planes[i] << 24 | (uint32_t)planes[step + i] << 16 |
                        (uint32_t)planes[2 * step + i] << 8 | planes[3 * step + i];
        word = word >> 1 | word << 31;
        memcpy(out + 4 * i, &word, 4);
    }
}

static int is_rotated(qc_dtype dtype) { return dtype <= QC_F64; }

/* Any size, little-endian; integers are not rotated. */
static void merge_any(const qc_frame *frame, const uint8_t *planes, size_t step, size_t count,
                      uint8_t *out)
{
    unsigned size = (unsigned)frame->item_size, bits = 8 * size;
    for (size_t i = 0; i < count; i++) {
        uint64_t word = 0;
        for (unsigned plane = 0; plane < size; plane++)
            word = word << 8 | planes[plane * step + i];
        if (is_rotated(frame->dtype))
            word = word >> 1 | (word & 1) << (bits - 1);
        for (unsigned byte = 0; byte < size; byte++)
            *out++ = (uint8_t)(word >> 8 * byte);
    }
    qc_swap_if_big_endian(out - size * count, size, count);
}

/* Raw and planes as elements of the frame's dtype, in the machine's order. */
static void write_elements(const qc_value_decoder *values, size_t pulled, size_t from, size_t count,
                           uint8_t *out)
{
    const qc_frame *frame = values->frame;
    size_t size = frame->item_size;
    if (frame->kind == QC_RAW) {
        memcpy(out, values->codes + from * size, count * size);
        qc_swap_if_big_endian(out, size, count);
    } else if (size == 4 && is_rotated(frame->dtype)) {
        merge_32(values->codes + from, pulled, count, out);
    } else if (size == 2 && is_rotated(frame->dtype)) {
        merge_16(values->codes + from, pulled, count, out);
    } else {
        merge_any(frame, values->codes + from, pulled, count, out);
    }
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

/* One element, by the text of the format. */
static float value_of(const qc_value_decoder *values, unsigned code, size_t element)
{
    const qc_frame *frame = values->frame;
    float value = unscaled(values, code, element);
    if (!frame->scaled)
        return value;
    return parameter(frame->scales, frame->scale_dtype,
                     group_of(element, frame->scale_inner, frame->scale_count)) *
           value;
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

/* A run of elements with the same scale, zero point and book. */
static void write_run(qc_value_decoder *values, size_t from, size_t count, size_t element,
                      float *out)
{
    const qc_frame *frame = values->frame;
    float table[256];
    if (frame->kind == QC_CODEBOOK && count >= frame->entries) {
        for (unsigned code = 0; code < frame->entries; code++)
            table[code] = value_of(values, code, element);
        for (size_t i = 0; i < count; i++)
            out[i] = table[values->codes[from + i]];
        return;
    }
    if (frame->kind == QC_CODEBOOK) {
        for (size_t i = 0; i < count; i++)
            out[i] = value_of(values, values->codes[from + i], element);
        return;
    }
    float zero = -unscaled(values, 0, element);
    float scale = frame->scaled
                      ? parameter(frame->scales, frame->scale_dtype,
                                  group_of(element, frame->scale_inner, frame->scale_count))
                      : 1.0f;
    for (size_t i = 0; i < count; i++)
        out[i] = scale * ((float)code_at(values, from + i) - zero);
}

void qc_values_write(qc_value_decoder *values, size_t pulled, size_t from, size_t count,
                     size_t first, const uint32_t *positions, uint8_t *out)
{
    const qc_frame *frame = values->frame;
    if (is_bytes(frame)) {
        uint8_t *elements = values->out_dtype == frame->dtype ? out : values->native;
        write_elements(values, pulled, from, count, elements);
        if (elements != out)
            qc_convert(elements, frame->dtype, out, values->out_dtype, count);
        return;
    }
    if (values->has_table) {
        qc_look_up_selected()(values->codes + from, count, values->table, frame->entries,
                              values->out_size, out);
        return;
    }
    if (positions != NULL) {
        for (size_t i = 0; i < count; i++)
            values->floats[i] = value_of(values, code_at(values, from + i), first + positions[i]);
    } else {
        for (size_t done = 0; done < count;) {
            size_t run = run_of(frame, first + done);
            run = run < count - done ? run : count - done;
            write_run(values, from + done, run, first + done, values->floats + done);
            done += run;
        }
    }
    qc_convert(values->floats, QC_F32, out, values->out_dtype, count);
}

void qc_values_write_codes(qc_value_decoder *values, size_t pulled, size_t from, size_t count,
                           uint8_t *out)
{
    size_t size = qc_symbol_size(values->frame->width);
    if (is_bytes(values->frame))
        write_elements(values, pulled, from, count, out);
    else
        memcpy(out, values->codes + from * size, count * size);
}

qc_status qc_values_finish(qc_value_decoder *values, qc_error *error)
{
    for (unsigned i = 0; i < values->frame->value_streams; i++)
        QC_TRY(qc_stream_finish(&values->streams[i], error));
    return QC_OK;
}
