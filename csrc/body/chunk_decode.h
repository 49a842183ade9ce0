/*
 * A chunk that is being decoded: the workspace, and what decoding chunks and frames share.
 */
#ifndef QC_CHUNK_DECODE_H
#define QC_CHUNK_DECODE_H

#include "base/workspace.h"
#include "body/code_row.h"
#include "body/copies/copies_decode.h"
#include "body/positions_decode.h"
#include "body/values_decode.h"
#include "codings/routers/router_decode.h"
#include "codings/streams_crc_decode.h"

/* What QC_WORKSPACE_BYTES hold. */
typedef struct qc_chunk_decoder {
    qc_value_decoder values;
    union { /* by the form */
        qc_position_decoder positions;
        qc_copies_decoder copies;
    };
    qc_stream_shared shared;
    qc_router_state router;
    size_t stored; /* elements of the chunk */
    uint32_t block_positions[QC_VALUE_BLOCK];
    uint8_t block[QC_VALUE_STRIDE * QC_MAX_ITEM_BYTES];
    qc_code_row row;
    qc_streams_crc crc; /* of the chunk, if it is taken while that is decoded */
} qc_chunk_decoder;

_Static_assert(sizeof(qc_chunk_decoder) + QC_WORKSPACE_ALIGNMENT + QC_PLACEMENT_PERIOD <=
                   QC_WORKSPACE_BYTES,
               "QC_WORKSPACE_BYTES holds a decoder");

/* The decoder in a caller's workspace, placed for this output (base/workspace.h), with a ticker of
   its own. */
qc_chunk_decoder *qc_chunk_decoder_of(void *workspace, const void *out, const qc_poll *poll);
/* Check the chunk's CRC if `flags` say so, and start positions and values, which are then all that
   the chunk has. */
qc_status qc_chunk_open(qc_chunk_decoder *decoder, const qc_frame *frame, const qc_chunk *chunk,
                        const void *bytes, qc_dtype out_dtype, unsigned flags, qc_error *error);
/* Decode all elements of an open chunk of positions form copies into `out` (NULL: check only),
   items of `size` bytes; `as_codes`: before any arithmetic. */
qc_status qc_chunk_decode_copies(qc_chunk_decoder *decoder, const qc_chunk *chunk, int as_codes,
                                 size_t size, uint8_t *out, qc_error *error);
/* After the last element: nothing more may be there. */
qc_status qc_chunk_finish(qc_chunk_decoder *decoder, qc_error *error);
/* As qc_chunk_decode. */
qc_status qc_chunk_decode_with(qc_chunk_decoder *decoder, const qc_frame *frame,
                               const qc_chunk *chunk, const void *bytes, size_t first, size_t count,
                               qc_dtype out_dtype, void *out, unsigned flags, qc_error *error);

static inline size_t qc_smaller(size_t a, size_t b) { return a < b ? a : b; }

#endif /* QC_CHUNK_DECODE_H */
