/*
 * The layout of a frame: what its reader and its writer derive from the head by arithmetic.
 */
#include "head/layout.h"
#include "kernels/planes.h"

/* A codebook of up to this many entries may be coded, however small the tensor. */
#define ANY_CODEBOOK 256

static unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }

static int quantizable(qc_dtype dtype)
{
    return dtype == QC_F32 || dtype == QC_F16 || dtype == QC_BF16 || dtype == QC_F64;
}

qc_status qc_layout_elements(qc_frame *frame, qc_error *error)
{
    uint64_t elements = 1, row = 1, bytes = qc_dtype_size(frame->dtype);
    frame->item_size = (size_t)bytes;
    for (unsigned axis = 0; axis < frame->ndim; axis++) {
        uint64_t dim = frame->dims[axis];
        /* Zeros count as ones here, so that no other product of dims can overflow later. */
        uint64_t factor = dim != 0 ? dim : 1;
        QC_CHECK(bytes < QC_VU_LIMIT / factor + (QC_VU_LIMIT % factor != 0), QC_LIMIT,
                 "frame: the dimensions' product", axis, dim, QC_VU_LIMIT);
        bytes *= factor;
        elements *= dim;
        row *= axis > 0 ? dim : 1;
    }
    size_t fitting;
    frame->elements = (size_t)elements;
    frame->row_elements = (size_t)row;
    return qc_to_size(bytes, &fitting, "frame: tensor is larger than this machine's memory", 0,
                      error);
}

qc_status qc_layout_chunks(qc_frame *frame, qc_status status, qc_status later, qc_error *error)
{
    size_t chunk = frame->chunk_elements, row = frame->row_elements;
    QC_CHECK(chunk <= QC_MAX_CHUNK_ELEMENTS, later, "frame: elements of a chunk", 0, chunk,
             QC_MAX_CHUNK_ELEMENTS);
    if (chunk == 0) {
        QC_CHECK(frame->elements <= QC_MAX_CHUNK_ELEMENTS, later,
                 "frame: elements of an unchunked tensor", 0, frame->elements,
                 QC_MAX_CHUNK_ELEMENTS);
        frame->chunks = 1;
    } else {
        frame->chunks = frame->elements / chunk + (frame->elements % chunk != 0);
    }
    if (frame->positions == QC_CSR) {
        QC_CHECK(frame->ndim > 0, status, "frame: csr needs at least one dimension", 0, frame->ndim,
                 1);
        QC_CHECK(chunk == 0 || row == 0 || chunk % row == 0, status,
                 "frame: csr chunks are whole rows", 0, chunk, row);
    }
    return QC_OK;
}

/* Codes may have scales, and so may planes of floats. */
static qc_status check_scaled(const qc_frame *frame, int scaled, qc_status later, qc_error *error)
{
    if (!scaled || !qc_kinds[frame->kind].stores_elements)
        return QC_OK;
    QC_CHECK(frame->kind == QC_PLANES, later, "frame: only planes, affine and codebook have scales",
             0, 1, 0);
    QC_CHECK(quantizable(frame->dtype), later, "frame: scaled planes need f32, f16, bf16 or f64", 0,
             frame->dtype, QC_F64);
    QC_CHECK(frame->positions != QC_COPIES, later, "frame: copies of scaled elements", 0,
             frame->positions, QC_DENSE);
    return QC_OK;
}

qc_status qc_layout_values(qc_frame *frame, int scaled, qc_status status, qc_error *error)
{
    const qc_kind_facts *kind = &qc_kinds[frame->kind];
    /* What a later version may give a meaning to. */
    qc_status later = status == QC_CORRUPT ? QC_UNSUPPORTED : status;
    QC_CHECK(kind->any_dtype || quantizable(frame->dtype), kind->stores_elements ? status : later,
             "frame: affine, codebook and delta need f32, f16, bf16 or f64", 0, frame->dtype,
             QC_F64);
    QC_TRY(check_scaled(frame, scaled, later, error));
    QC_CHECK(frame->kind != QC_DELTA ||
                 (frame->positions != QC_COPIES && frame->positions != QC_CSR),
             later, "frame: positions form of differences", 0, frame->positions, QC_DENSE);
    frame->value_streams = kind->value_streams;
    if (kind->stores_elements)
        frame->width = smaller(qc_dtype_bits(frame->dtype), 8);
    if (!kind->stores_elements || !scaled)
        qc_layout_stored(frame, frame->dtype);
    return QC_OK;
}

void qc_layout_stored(qc_frame *frame, qc_dtype dtype)
{
    unsigned streams = qc_kinds[frame->kind].value_streams;
    frame->stored_dtype = dtype;
    frame->value_streams = streams > 0 ? streams : (unsigned)qc_dtype_size(dtype);
}

qc_status qc_layout_copies(const qc_frame *frame, qc_status status, qc_error *error)
{
    QC_CHECK(frame->positions != QC_COPIES || qc_is_uniform(frame), status,
             "frame: copies need one codebook, scale and zero point for all elements", 0,
             frame->scales.count, 1);
    return QC_OK;
}

qc_status qc_check_filter(const qc_frame *frame, qc_status status, size_t at, qc_error *error)
{
    QC_CHECK(!qc_has_changes(frame) ||
                 (frame->delta.filter_width == 1 && frame->delta.filter_height == 1),
             status, "delta: only elements beside each other have a filter", at,
             frame->delta.filter_width, 1);
    return QC_OK;
}

size_t qc_stored_size(const qc_frame *frame)
{
    return qc_stores_elements(frame) ? qc_dtype_size(frame->stored_dtype)
                                     : qc_symbol_size(frame->width);
}

int qc_parameters_are_decoded(const qc_frame *frame)
{
    const qc_groups *all[] = {&frame->codebook.books, &frame->scales, &frame->zero_points.groups};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->count > 0 &&
            (all[i]->values == NULL || (all[i]->inner == 0 && all[i]->ends == NULL)))
            return 0;
    return 1;
}

unsigned qc_codebook_width(unsigned entries)
{
    return entries > 2 ? qc_bit_length(entries - 1) : 1;
}

size_t qc_max_coded(const qc_frame *frame)
{
    return frame->elements > ANY_CODEBOOK ? frame->elements : ANY_CODEBOOK;
}

unsigned qc_row_count_width(size_t row_elements)
{
    unsigned width = qc_bit_length(row_elements);
    return width < 1 ? 1 : width > 16 ? 16 : width;
}
