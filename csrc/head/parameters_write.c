/*
 * The parameters in a frame's head, written (docs/format.md, section 5): a row of functions per
 * kind.
 */
#include "head/parameters_write.h"
#include "base/float_bits.h"
#include "head/layout.h"

/* One row per kind; NULL: there is nothing to do. */
typedef struct kind_writer {
    /* Check what the caller filled in, and derive the width. */
    qc_status (*plan)(qc_frame *frame, qc_error *error);
    size_t (*size)(const qc_frame *frame);
    uint8_t *(*write)(uint8_t *out, const qc_frame *frame);
    size_t (*size_after_scales)(const qc_frame *frame);
    uint8_t *(*write_after_scales)(uint8_t *out, const qc_frame *frame);
} kind_writer;

/* ---- the values of groups ---- */

/* floats(groups, entries) */
static size_t floats_size(const qc_groups *groups, unsigned entries)
{
    const qc_coded *coded = &groups->coded;
    if (coded->mode != QC_VALUES_VERBATIM)
        return 1 + qc_vu_size(coded->size) + coded->size;
    return 1 + groups->count * entries * qc_dtype_size(groups->dtype);
}

static uint8_t *write_floats(uint8_t *out, const qc_groups *groups, unsigned entries)
{
    const qc_coded *coded = &groups->coded;
    *out++ = (uint8_t)coded->mode;
    if (coded->mode != QC_VALUES_VERBATIM)
        return qc_append_bytes(qc_append_vu(out, coded->size), coded->body, coded->size);
    return qc_append_bytes(out, groups->values,
                           groups->count * entries * qc_dtype_size(groups->dtype));
}

/* Where groups of lengths of their own end: the last one with the elements. */
static qc_status check_ends(const qc_frame *frame, const qc_groups *groups, qc_error *error)
{
    uint64_t before = 0, end;
    if (groups->inner > 0)
        return QC_OK;
    QC_CHECK(groups->ends != NULL, QC_INVALID, "parameters: ends of the groups", 0, 0, 1);
    for (size_t i = 0; i < groups->count; i++, before = end) {
        memcpy(&end, groups->ends + i * sizeof end, sizeof end);
        QC_CHECK(end > before && end <= frame->elements, QC_INVALID,
                 "parameters: ends of the groups", i, end, frame->elements);
    }
    QC_CHECK(before == frame->elements, QC_INVALID, "parameters: ends of the groups", 0, before,
             frame->elements);
    return QC_OK;
}

/* The lengths of such groups; `out` NULL: only their size. */
static size_t write_lengths(uint8_t *out, const qc_groups *groups)
{
    uint64_t before = 0, end;
    size_t size = 0;
    for (size_t i = 0; groups->inner == 0 && i < groups->count; i++, before = end) {
        memcpy(&end, groups->ends + i * sizeof end, sizeof end);
        if (out != NULL)
            qc_write_vu(out + size, end - before);
        size += qc_vu_size(end - before);
    }
    return size;
}

static qc_status check_scales(const qc_frame *frame, const qc_groups *scales, qc_error *error)
{
    QC_CHECK(scales->dtype <= QC_BF16 || scales->dtype == QC_F8E4M3 || scales->dtype == QC_E8M0,
             QC_INVALID, "scale: dtype", 0, scales->dtype, QC_E8M0);
    return check_ends(frame, scales, error);
}

static size_t scales_size(const qc_frame *frame)
{
    const qc_groups *scales = &frame->scales;
    return 1 + (frame->has_second_scale ? 4 : 0) + qc_vu_size(scales->inner) +
           qc_vu_size(scales->count) + write_lengths(NULL, scales) + floats_size(scales, 1);
}

static uint8_t *write_scales(uint8_t *out, const qc_frame *frame)
{
    const qc_groups *scales = &frame->scales;
    *out++ = (uint8_t)(scales->dtype | (frame->has_second_scale ? QC_SCALE_SECOND : 0));
    if (frame->has_second_scale) {
        qc_store32(out, qc_bits_of_f32(frame->second_scale));
        out += 4;
    }
    out = qc_append_vu(out, scales->inner);
    out = qc_append_vu(out, scales->count);
    out += write_lengths(out, scales);
    return write_floats(out, scales, 1);
}

/* ---- kind planes ---- */

static qc_status plan_planes(qc_frame *frame, qc_error *error)
{
    qc_dtype dtype = frame->stored_dtype;
    if (frame->scales.count == 0)
        return QC_OK;
    QC_CHECK(dtype == QC_F16 || dtype == QC_BF16, QC_INVALID, "planes: dtype of scaled elements", 0,
             dtype, QC_BF16);
    qc_layout_stored(frame, dtype);
    return QC_OK;
}

static size_t planes_size(const qc_frame *frame) { return frame->scales.count > 0 ? 1 : 0; }

static uint8_t *write_planes(uint8_t *out, const qc_frame *frame)
{
    if (frame->scales.count > 0)
        *out++ = (uint8_t)frame->stored_dtype;
    return out;
}

/* ---- kind affine ---- */

static qc_status plan_affine(qc_frame *frame, qc_error *error)
{
    qc_zero_points *zero = &frame->zero_points;
    size_t count = zero->groups.count;
    QC_CHECK(frame->width >= 1 && frame->width <= 16, QC_INVALID, "affine: width", 0, frame->width,
             16);
    QC_CHECK(count == 0 || count == frame->scales.count, QC_INVALID,
             "affine: zero points by group need scales", 0, count, frame->scales.count);
    QC_CHECK(zero->common <= UINT16_MAX, QC_INVALID, "affine: zero point", 0, zero->common,
             UINT16_MAX);
    zero->groups.dtype = QC_U16;
    zero->groups.inner = frame->scales.inner;
    return QC_OK;
}

static size_t affine_size(const qc_frame *frame)
{
    const qc_zero_points *zero = &frame->zero_points;
    return 2 + (zero->groups.count == 0 ? qc_vu_size(zero->common) : 0);
}

static uint8_t *write_affine(uint8_t *out, const qc_frame *frame)
{
    const qc_zero_points *zero = &frame->zero_points;
    *out++ = (uint8_t)frame->width;
    *out++ = zero->groups.count == 0 ? QC_ZERO_MODE_ONE : QC_ZERO_MODE_GROUP;
    return zero->groups.count == 0 ? qc_append_vu(out, zero->common) : out;
}

static size_t zero_points_size(const qc_frame *frame)
{
    const qc_groups *groups = &frame->zero_points.groups;
    return groups->count > 0 ? floats_size(groups, 1) : 0;
}

static uint8_t *write_zero_points(uint8_t *out, const qc_frame *frame)
{
    const qc_groups *groups = &frame->zero_points.groups;
    return groups->count > 0 ? write_floats(out, groups, 1) : out;
}

/* ---- kind codebook ---- */

static qc_status plan_codebook(qc_frame *frame, qc_error *error)
{
    const qc_groups *books = &frame->codebook.books;
    unsigned entries = frame->codebook.entries;
    QC_CHECK(entries >= 1 && entries <= 256, QC_INVALID, "codebook: entries", 0, entries, 256);
    QC_CHECK(books->dtype <= QC_BF16, QC_INVALID, "codebook: dtype", 0, books->dtype, QC_BF16);
    QC_CHECK(books->count >= 1, QC_INVALID, "codebook: books", 0, books->count, 1);
    QC_CHECK(books->count > 1 || books->inner > 0, QC_INVALID, "codebook: books", 0, books->count,
             2);
    QC_TRY(check_ends(frame, books, error));
    frame->width = qc_codebook_width(entries);
    return QC_OK;
}

static size_t codebook_size(const qc_frame *frame)
{
    const qc_groups *books = &frame->codebook.books;
    return 2 + qc_vu_size(books->count) + (books->count > 1 ? qc_vu_size(books->inner) : 0) +
           write_lengths(NULL, books) + floats_size(books, frame->codebook.entries);
}

static uint8_t *write_codebook(uint8_t *out, const qc_frame *frame)
{
    const qc_groups *books = &frame->codebook.books;
    *out++ = (uint8_t)(frame->codebook.entries - 1);
    *out++ = (uint8_t)books->dtype;
    out = qc_append_vu(out, books->count);
    if (books->count > 1)
        out = qc_append_vu(out, books->inner);
    out += write_lengths(out, books);
    return write_floats(out, books, frame->codebook.entries);
}

/* ---- kind delta ---- */

static qc_status plan_delta(qc_frame *frame, qc_error *error)
{
    const qc_delta *delta = &frame->delta;
    QC_CHECK(delta->digest != NULL && delta->base != NULL, QC_INVALID, "delta: the base is missing",
             0, 0, 1);
    QC_CHECK(delta->step < QC_DELTA_STEP_LIMIT, QC_INVALID, "delta: step", 0, delta->step,
             QC_DELTA_STEP_LIMIT - 1);
    QC_CHECK(delta->filter_width >= 1 && delta->filter_width <= QC_DELTA_MAX_SIDE &&
                 delta->filter_height >= 1 && delta->filter_height <= QC_DELTA_MAX_SIDE,
             QC_INVALID, "delta: sides of a filter", 0, delta->filter_width, delta->filter_height);
    return qc_check_filter(frame, QC_INVALID, 0, error);
}

static size_t delta_size(const qc_frame *frame)
{
    return QC_DELTA_DIGEST_BYTES + qc_vu_size(frame->delta.step) + 2;
}

static uint8_t *write_delta(uint8_t *out, const qc_frame *frame)
{
    out = qc_append_bytes(out, frame->delta.digest, QC_DELTA_DIGEST_BYTES);
    out = qc_append_vu(out, frame->delta.step);
    *out++ = (uint8_t)frame->delta.filter_width;
    *out++ = (uint8_t)frame->delta.filter_height;
    return out;
}

/* ---- the table ---- */

static const kind_writer WRITERS[QC_KIND_COUNT] = {
    [QC_BYTES] = {0},
    [QC_PLANES] = {plan_planes, planes_size, write_planes, NULL, NULL},
    [QC_AFFINE] = {plan_affine, affine_size, write_affine, zero_points_size, write_zero_points},
    [QC_CODEBOOK] = {plan_codebook, codebook_size, write_codebook, NULL, NULL},
    [QC_DELTA] = {plan_delta, delta_size, write_delta, NULL, NULL},
};

static int has_gaps(const qc_frame *frame)
{
    return frame->positions == QC_GAPS || frame->positions == QC_CSR;
}

qc_status qc_plan_parameters(qc_frame *frame, qc_error *error)
{
    const qc_kind_facts *facts = &qc_kinds[frame->kind];
    const kind_writer *kind = &WRITERS[frame->kind];
    if (!facts->has_codebook)
        frame->codebook.books.count = 0;
    if (!facts->has_zero_points)
        frame->zero_points.groups.count = 0;
    frame->codebook.books.coded.mode = frame->scales.coded.mode = 0;
    frame->zero_points.groups.coded.mode = 0;
    if (kind->plan != NULL)
        QC_TRY(kind->plan(frame, error));
    return frame->scales.count > 0 ? check_scales(frame, &frame->scales, error) : QC_OK;
}

size_t qc_parameters_size(const qc_frame *frame)
{
    const kind_writer *kind = &WRITERS[frame->kind];
    size_t size = has_gaps(frame) ? 1 : 0;
    if (kind->size != NULL)
        size += kind->size(frame);
    if (frame->scales.count > 0)
        size += scales_size(frame);
    if (kind->size_after_scales != NULL)
        size += kind->size_after_scales(frame);
    return size;
}

uint8_t *qc_write_parameters(uint8_t *out, const qc_frame *frame)
{
    const kind_writer *kind = &WRITERS[frame->kind];
    if (kind->write != NULL)
        out = kind->write(out, frame);
    if (has_gaps(frame))
        *out++ = (uint8_t)frame->gap_width;
    if (frame->scales.count > 0)
        out = write_scales(out, frame);
    return kind->write_after_scales != NULL ? kind->write_after_scales(out, frame) : out;
}
