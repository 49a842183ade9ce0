/*
 * Coding 0, decoded: all symbols are the same.
 */
#include "codings/stream.h"

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_reader reader = qc_reader_of(body, size, 1);
    uint64_t symbol;
    QC_TRY(qc_read_vu(&reader, &symbol, "constant: symbol", error));
    QC_CHECK(symbol >> stream->width == 0, QC_CORRUPT, "constant: symbol", 0, symbol,
             (1u << stream->width) - 1);
    QC_CHECK(reader.at == size, QC_CORRUPT, "constant: bytes after the symbol", reader.at, size,
             reader.at);
    stream->state.constant.symbol = (unsigned)symbol;
    return QC_OK;
}

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    (void)error;
    if (stream->width <= 8) {
        memset(symbols, (int)stream->state.constant.symbol, count);
    } else {
        uint16_t *wide = symbols;
        for (size_t i = 0; i < count; i++)
            wide[i] = (uint16_t)stream->state.constant.symbol;
    }
    return QC_OK;
}

static qc_status skip(qc_stream *stream, size_t count, qc_error *error)
{
    (void)stream, (void)count, (void)error;
    return QC_OK;
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    (void)stream, (void)error;
    return QC_OK;
}

const qc_stream_decoder qc_constant_decoder = {"constant", 1,    16,   start, next,
                                               NULL,       NULL, skip, finish};
