/*
 * What follows from a frame's head by arithmetic: shared by its reader and its writer.
 */
#include "head/layout.h"

#define ANY_CODEBOOK                                                                               \
    256 /* a codebook of so many entries may be coded, however small the tensor                    \
         */

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

qc_status qc_layout_chunks(qc_frame *frame, qc_status status, qc_error *error)
{
    size_t chunk = frame->chunk_elements, row = frame->row_elements;
    QC_CHECK(chunk <= QC_MAX_CHUNK_ELEMENTS, status, "frame: elements of a chunk", 0, chunk,
             QC_MAX_CHUNK_ELEMENTS);
    if (chunk == 0) {
        QC_CHECK(frame->elements <= QC_MAX_CHUNK_ELEMENTS, status,
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

int qc_is_bytes(const qc_frame *frame)
{
    return frame->kind != QC_AFFINE && frame->kind != QC_CODEBOOK;
}

qc_status qc_layout_values(qc_frame *frame, qc_status status, qc_error *error)
{
    int is_bytes = qc_is_bytes(frame), is_delta = frame->kind == QC_DELTA;
    int is_any = frame->kind == QC_RAW || frame->kind == QC_PLANES;
    int has_planes = frame->kind == QC_PLANES || frame->kind == QC_FIELDS;
    QC_CHECK(is_any || quantizable(frame->dtype), status,
             "frame: affine, codebook, delta and fields need f32, f16, bf16 or f64", 0,
             frame->dtype, QC_F64);
    QC_CHECK(!is_bytes || !frame->scaled, status,
             "frame: raw, planes, delta and fields have no scale", 0, 1, 0);
    QC_CHECK(!is_delta || frame->positions == QC_DENSE, status, "frame: delta is dense", 0,
             frame->positions, QC_DENSE);
    frame->value_streams = has_planes ? (unsigned)frame->item_size : is_delta ? 3 : 1;
    if (is_bytes)
        frame->width = frame->dtype == QC_BOOL ? 1 : 8;
    return QC_OK;
}

unsigned qc_codebook_width(unsigned entries)
{
    return entries > 2 ? qc_bit_length(entries - 1) : 1;
}

size_t qc_most_coded(const qc_frame *frame)
{
    return frame->elements > ANY_CODEBOOK ? frame->elements : ANY_CODEBOOK;
}

unsigned qc_row_count_width(size_t row_elements)
{
    unsigned width = qc_bit_length(row_elements);
    return width < 1 ? 1 : width > 16 ? 16 : width;
}
