/*
 * Decodes a single stream: qc_stream_decode. It is in this folder, above stream_decode.c, because
 * its workspace holds the memory of a router.
 */
#include "base/workspace.h"
#include "codings/routers/router_decode.h"

/* Symbols that qc_stream_decode takes at a time: a multiple of QC_STREAM_BLOCK. */
#define DECODED_AT_ONCE ((size_t)1 << 16)

typedef struct stream_workspace {
    qc_stream stream;
    qc_stream_shared shared;
    qc_router_state router;
} stream_workspace;

_Static_assert(sizeof(stream_workspace) + QC_WORKSPACE_ALIGNMENT <= QC_WORKSPACE_BYTES,
               "QC_WORKSPACE_BYTES holds a stream");

qc_status qc_stream_decode(const void *data, size_t size, size_t count, unsigned width,
                           void *symbols, void *workspace, const qc_poll *poll, qc_error *error)
{
    stream_workspace *work = qc_workspace_align(workspace);
    qc_stream *stream = &work->stream;
    qc_reader reader = qc_reader_of(data, size, 0);
    uint8_t *out = symbols;

    work->shared = (qc_stream_shared){qc_ticker_of(poll), &work->router};
    QC_TRY(qc_stream_open(stream, &reader, count, width, ~(uint64_t)0, &work->shared, error));
    QC_CHECK(reader.at == size, QC_CORRUPT, "stream: bytes after the body", reader.at, size,
             reader.at);
    for (size_t taken; count > 0; count -= taken) {
        taken = count < DECODED_AT_ONCE ? count : DECODED_AT_ONCE;
        QC_TRY(qc_stream_next(stream, out, taken, error));
        out += taken * qc_symbol_size(width);
    }
    return qc_stream_finish(stream, error);
}
