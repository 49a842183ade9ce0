/*
 * The parameters in a frame's head, read (docs/format.md, section 5): a row of functions per kind.
 *
 * Every field is read once into a local or into `frame`, checked there, and never read again. The
 * values of groups stay in the frame's bytes: a body is only stepped over, and
 * body/parameters_decode.c decodes it later.
 */
#include "head/parameters_read.h"
#include "base/float_bits.h"
#include "head/layout.h"

/* One row per kind; NULL: nothing to read. `scaled`: scales follow. */
typedef struct kind_reader {
    qc_status (*read)(qc_reader *reader, qc_frame *frame, int scaled, qc_error *error);
    qc_status (*read_after_scales)(qc_reader *reader, qc_frame *frame, qc_error *error);
} kind_reader;

/* 1 to 16; a later version may have wider ones. */
static qc_status read_width(qc_reader *reader, unsigned *width, const char *what, qc_error *error)
{
    QC_TRY(qc_read_u8(reader, width, what, error));
    QC_CHECK(*width >= 1, QC_CORRUPT, what, reader->at - 1, *width, 16);
    QC_CHECK(*width <= 16, QC_UNSUPPORTED, what, reader->at - 1, *width, 16);
    return QC_OK;
}

/* How many elements in order share a group; 0: groups have lengths of their own. */
static qc_status read_inner(qc_reader *reader, size_t *inner, const char *what, qc_error *error)
{
    uint64_t value;
    QC_TRY(qc_read_vu(reader, &value, what, error));
    /* More than there are elements is as good as any such number. */
    *inner = value < SIZE_MAX ? (size_t)value : SIZE_MAX;
    return QC_OK;
}

qc_status qc_read_count(qc_reader *reader, size_t *count, const char *what, qc_error *error)
{
    uint64_t value;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &value, what, error));
    QC_CHECK(value >= 1 && value <= SIZE_MAX, QC_CORRUPT, what, at, value, SIZE_MAX);
    *count = (size_t)value;
    return QC_OK;
}

/* ---- the values of groups ---- */

/* `count` values of `size` bytes, coded: how many there may be follows from the tensor. */
static qc_status check_coded(qc_frame *frame, size_t at, uint64_t count, size_t size,
                             qc_error *error)
{
    size_t max = qc_max_coded(frame);
    QC_CHECK(count <= max, QC_CORRUPT, "parameters: number of coded values", at, count, max);
    return qc_to_size(frame->coded_bytes + count * size, &frame->coded_bytes,
                      "parameters: coded values are larger than this machine's memory", at, error);
}

static qc_status read_body(qc_reader *reader, qc_coded *coded, const char *what, qc_error *error)
{
    uint64_t size;
    QC_TRY(qc_read_vu(reader, &size, what, error));
    coded->offset = reader->at;
    QC_TRY(qc_read_bytes(reader, size, &coded->body, what, error));
    coded->size = (size_t)size;
    return QC_OK;
}

/* Step over the lengths of groups that have their own: body/parameters_decode.c judges them. */
static qc_status read_lengths(qc_reader *reader, qc_frame *frame, qc_groups *groups,
                              const char *what, qc_error *error)
{
    uint64_t length;
    size_t start = reader->at;
    if (groups->inner > 0)
        return QC_OK;
    for (size_t i = 0; i < groups->count; i++)
        QC_TRY(qc_read_vu(reader, &length, what, error));
    groups->lengths = reader->data + start;
    groups->lengths_bytes = reader->at - start;
    return qc_to_size(frame->coded_bytes + sizeof(uint64_t) * (uint64_t)groups->count,
                      &frame->coded_bytes, what, start, error);
}

/* floats(groups, entries): their number is bounded by the bytes that are there, or by the tensor,
   before anything is made of it. */
static qc_status read_floats(qc_reader *reader, qc_frame *frame, qc_groups *groups,
                             unsigned entries, const char *what, qc_error *error)
{
    qc_coded *coded = &groups->coded;
    size_t size = qc_dtype_size(groups->dtype);
    uint64_t count = (uint64_t)groups->count * entries;
    QC_TRY(qc_read_u8(reader, &coded->mode, what, error));
    QC_CHECK(coded->mode <= QC_VALUES_PERMUTED, QC_UNSUPPORTED, "parameters: mode of the values",
             reader->at - 1, coded->mode, QC_VALUES_PERMUTED);
    if (coded->mode != QC_VALUES_VERBATIM) {
        /* Permuted values come with their order, one byte each. */
        size += coded->mode == QC_VALUES_PERMUTED;
        QC_TRY(check_coded(frame, reader->at - 1, count, size, error));
        return read_body(reader, coded, what, error);
    }
    QC_CHECK(count <= UINT64_MAX / size, QC_SHORT(reader), what, reader->at, count,
             reader->size - reader->at);
    return qc_read_bytes(reader, count * size, &groups->values, what, error);
}

static qc_status read_scales(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    qc_groups *scales = &frame->scales;
    unsigned dtype;
    QC_TRY(qc_read_u8(reader, &dtype, "scale: dtype", error));
    frame->has_second_scale = (dtype & QC_SCALE_SECOND) != 0;
    dtype &= ~QC_SCALE_SECOND;
    QC_CHECK(dtype <= QC_BF16 || dtype == QC_F8E4M3 || dtype == QC_E8M0, QC_UNSUPPORTED,
             "scale: dtype", reader->at - 1, dtype, QC_E8M0);
    scales->dtype = (qc_dtype)dtype;
    if (frame->has_second_scale) {
        const uint8_t *second;
        QC_TRY(qc_read_bytes(reader, 4, &second, "scale: second scale", error));
        frame->second_scale = qc_f32_of_bits(qc_load32(second));
    }
    QC_TRY(read_inner(reader, &scales->inner, "scale: elements that share one", error));
    QC_TRY(qc_read_count(reader, &scales->count, "scale: number of groups", error));
    QC_TRY(read_lengths(reader, frame, scales, "scale: lengths of the groups", error));
    return read_floats(reader, frame, scales, 1, "scale: values", error);
}

/* ---- kind planes ---- */

static qc_status read_planes(qc_reader *reader, qc_frame *frame, int scaled, qc_error *error)
{
    unsigned dtype;
    if (!scaled)
        return QC_OK;
    QC_TRY(qc_read_u8(reader, &dtype, "planes: dtype of scaled elements", error));
    QC_CHECK(dtype == QC_F16 || dtype == QC_BF16, QC_UNSUPPORTED,
             "planes: dtype of scaled elements", reader->at - 1, dtype, QC_BF16);
    qc_layout_stored(frame, (qc_dtype)dtype);
    return QC_OK;
}

/* ---- kind affine ---- */

/* Zero points by group come after the scales, which say how many there are: here they are one. */
static qc_status read_affine(qc_reader *reader, qc_frame *frame, int scaled, qc_error *error)
{
    uint64_t zero_point;
    QC_TRY(read_width(reader, &frame->width, "affine: width", error));
    unsigned mode;
    QC_TRY(qc_read_u8(reader, &mode, "affine: zero mode", error));
    QC_CHECK(mode <= QC_ZERO_MODE_GROUP, QC_UNSUPPORTED, "affine: zero mode", reader->at - 1, mode,
             QC_ZERO_MODE_GROUP);
    QC_CHECK(mode == QC_ZERO_MODE_ONE || scaled, QC_CORRUPT,
             "affine: zero points by group need scales", reader->at - 1, mode, 0);
    frame->zero_points.groups.count = mode;
    if (mode != QC_ZERO_MODE_ONE)
        return QC_OK;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &zero_point, "affine: zero point", error));
    QC_CHECK(zero_point <= UINT16_MAX, QC_CORRUPT, "affine: zero point", at, zero_point,
             UINT16_MAX);
    frame->zero_points.common = (uint32_t)zero_point;
    return QC_OK;
}

/* The zero points by group, one per scale. */
static qc_status read_zero_points(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    qc_groups *groups = &frame->zero_points.groups;
    if (groups->count == 0)
        return QC_OK;
    groups->dtype = QC_U16;
    groups->inner = frame->scales.inner;
    groups->count = frame->scales.count;
    return read_floats(reader, frame, groups, 1, "affine: zero points", error);
}

/* ---- kind codebook ---- */

static qc_status read_codebook(qc_reader *reader, qc_frame *frame, int scaled, qc_error *error)
{
    qc_groups *books = &frame->codebook.books;
    unsigned last, dtype;
    (void)scaled;
    QC_TRY(qc_read_u8(reader, &last, "codebook: entries", error));
    QC_TRY(qc_read_u8(reader, &dtype, "codebook: dtype", error));
    QC_CHECK(dtype <= QC_BF16, QC_UNSUPPORTED, "codebook: dtype", reader->at - 1, dtype, QC_BF16);
    frame->codebook.entries = last + 1;
    frame->width = qc_codebook_width(frame->codebook.entries);
    books->dtype = (qc_dtype)dtype;
    QC_TRY(qc_read_count(reader, &books->count, "codebook: number of books", error));
    books->inner = 1;
    if (books->count > 1)
        QC_TRY(read_inner(reader, &books->inner, "codebook: elements that share a book", error));
    QC_TRY(read_lengths(reader, frame, books, "codebook: lengths of the groups", error));
    return read_floats(reader, frame, books, frame->codebook.entries, "codebook: entries", error);
}

/* ---- kind delta ---- */

static qc_status read_side(qc_reader *reader, unsigned *side, qc_error *error)
{
    QC_TRY(qc_read_u8(reader, side, "delta: side of a filter", error));
    QC_CHECK(*side >= 1, QC_CORRUPT, "delta: side of a filter", reader->at - 1, 0, 1);
    return QC_OK;
}

static qc_status read_delta(qc_reader *reader, qc_frame *frame, int scaled, qc_error *error)
{
    uint64_t step;
    (void)scaled;
    QC_TRY(qc_read_bytes(reader, QC_DELTA_DIGEST_BYTES, &frame->delta.digest,
                         "delta: digest of the base", error));
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &step, "delta: step", error));
    QC_CHECK(step < QC_DELTA_STEP_LIMIT, QC_CORRUPT, "delta: step", at, step,
             QC_DELTA_STEP_LIMIT - 1);
    frame->delta.step = (unsigned)step;
    QC_TRY(read_side(reader, &frame->delta.filter_width, error));
    QC_TRY(read_side(reader, &frame->delta.filter_height, error));
    return qc_check_filter(frame, QC_CORRUPT, reader->at - 1, error);
}

/* ---- the table ---- */

static const kind_reader READERS[QC_KIND_COUNT] = {
    [QC_BYTES] = {NULL, NULL},
    [QC_PLANES] = {read_planes, NULL},
    [QC_AFFINE] = {read_affine, read_zero_points},
    [QC_CODEBOOK] = {read_codebook, NULL},
    [QC_DELTA] = {read_delta, NULL},
};

qc_status qc_read_parameters(qc_reader *reader, qc_frame *frame, int scaled, qc_error *error)
{
    const kind_reader *kind = &READERS[frame->kind];
    size_t start = reader->at;
    if (kind->read != NULL)
        QC_TRY(kind->read(reader, frame, scaled, error));
    if (frame->positions == QC_GAPS || frame->positions == QC_CSR) {
        QC_TRY(read_width(reader, &frame->gap_width, "gaps: width", error));
    }
    if (scaled)
        QC_TRY(read_scales(reader, frame, error));
    if (kind->read_after_scales != NULL)
        QC_TRY(kind->read_after_scales(reader, frame, error));
    frame->params_bytes = reader->at - start;
    return QC_OK;
}
