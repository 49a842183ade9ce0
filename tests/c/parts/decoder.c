/*
 * decoder frame: decodes a frame from standard input to standard output. decoder stream COUNT
 * WIDTH: the same for a stream. Linked with the files of a decoder alone (csrc/README.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcodec.h"

#define MAX_BYTES ((size_t)1 << 20)

static uint8_t data[MAX_BYTES], memory[MAX_BYTES], workspace[QC_WORKSPACE_BYTES];
static uint8_t out[MAX_BYTES];
static uint32_t positions[MAX_BYTES];

/* Every chunk as positions and codes, which the decoded frame then overwrites. */
static qc_status decode_codes(const qc_frame *frame, qc_error *error)
{
    qc_chunk chunk;
    qc_status status = QC_OK;
    size_t stored;
    for (size_t i = 0; i < frame->chunks && status == QC_OK; i++) {
        status = qc_chunk_next(frame, data, i > 0 ? &chunk : NULL, &chunk, error);
        if (status == QC_OK)
            status = qc_chunk_codes(frame, &chunk, data + chunk.offset, &stored, error);
        if (status == QC_OK)
            status = qc_chunk_decode_codes(frame, &chunk, data + chunk.offset, stored, positions,
                                           out, QC_VERIFY, workspace, error);
    }
    return status;
}

static qc_status decode_frame(size_t size, size_t *out_bytes, qc_error *error)
{
    qc_frame frame;
    qc_status status = qc_frame_read(data, size, QC_VERIFY | QC_WHOLE, &frame, error);
    if (status == QC_OK)
        status = decode_codes(&frame, error);
    if (status != QC_OK)
        return status;
    *out_bytes = frame.elements * qc_dtype_size(frame.dtype);
    return qc_decode(data, size, frame.dtype, out, *out_bytes, memory, sizeof memory, QC_VERIFY,
                     workspace, error);
}

int main(int count, char **arguments)
{
    qc_error error;
    qc_status status = QC_INVALID;
    size_t size = fread(data, 1, sizeof data, stdin), out_bytes = 0;
    if (count == 2 && strcmp(arguments[1], "frame") == 0) {
        status = decode_frame(size, &out_bytes, &error);
    } else if (count == 4 && strcmp(arguments[1], "stream") == 0) {
        size_t symbols = (size_t)atoi(arguments[2]);
        unsigned width = (unsigned)atoi(arguments[3]);
        out_bytes = width <= 8 ? symbols : 2 * symbols;
        status = qc_stream_decode(data, size, symbols, width, out, workspace, NULL, &error);
    }
    if (status != QC_OK) {
        fprintf(stderr, "%s\n", qc_status_name(status));
        return 1;
    }
    return fwrite(out, 1, out_bytes, stdout) != out_bytes;
}
