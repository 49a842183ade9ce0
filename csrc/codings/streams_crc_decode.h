/*
 * The CRC of bytes that hold streams, such as a chunk, taken while the streams are decoded.
 *
 * A pass over the bytes before they are decoded leaves the memory without stores, and decoding then
 * waits for its stores: where the output is larger than the caches, that pass is up to a fifth of
 * the time. So the bytes of a stream are taken just before they are decoded, a few at a time.
 * Streams are decoded side by side, so each is a part with a CRC of its own, and these are joined
 * at the end.
 */
#ifndef QC_STREAMS_CRC_DECODE_H
#define QC_STREAMS_CRC_DECODE_H

#include "codings/stream.h"
#include "kernels/crc32c_run.h"

#define QC_CRC_PARTS 2

typedef struct qc_streams_crc {
    const uint8_t *bytes;       /* of the chunk */
    size_t parts;               /* 0: not open */
    size_t ends[QC_CRC_PARTS];  /* of the parts, the first of which begins with the bytes */
    size_t taken[QC_CRC_PARTS]; /* of each part */
    qc_crc32c_run runs[QC_CRC_PARTS];
} qc_streams_crc;

/* Begin with `size` bytes and the open streams that they hold. Returns 0, and does nothing, if a
   pass before decoding is better. */
int qc_streams_crc_open(qc_streams_crc *crc, const uint8_t *bytes, size_t size, qc_stream *streams,
                        size_t count);
/* Before the first `done` of `count` symbols of each stream are decoded: take as large a share of
   each part. */
void qc_streams_crc_take(qc_streams_crc *crc, size_t done, size_t count);
/* Take the rest. The CRC of all bytes. */
uint32_t qc_streams_crc_close(qc_streams_crc *crc);

#endif /* QC_STREAMS_CRC_DECODE_H */
