/*
 * The decoders by coding, and what is the same for all of them: the header of a stream, the
 * ticker, and offsets in errors.
 */
#include <assert.h>

#include "codings/stream.h"

const qc_stream_decoder *const qc_decoders[QC_CODING_COUNT] = {
    &qc_constant_decoder,      &qc_bitpacked_decoder,  &qc_huffman_decoder, &qc_contexts_decoder,
    &qc_lanes_huffman_decoder, &qc_lanes_tans_decoder, &qc_split_decoder,
};

/* What it takes to open a stream at most, in a ticker's steps: tables are filled. */
#define OPENING_STEPS 1024

/* Of fewer symbols, to set registers up for writing items costs more than it saves. */
#define MIN_ITEMS 4096

const char *qc_coding_name(unsigned coding)
{
    return coding < QC_CODING_COUNT ? qc_decoders[coding]->name : NULL;
}

/* Codings count their errors' offsets from the body; callers count from the stream's buffer. */
static qc_status with_offset(qc_status status, const qc_stream *stream, qc_error *error)
{
    if (QC_UNLIKELY(status != QC_OK) && error != NULL)
        error->offset += stream->offset;
    return status;
}

qc_status qc_stream_open(qc_stream *stream, qc_reader *reader, size_t count, unsigned width,
                         uint64_t features, qc_stream_shared *shared, qc_error *error)
{
    unsigned coding;
    uint64_t size;
    const uint8_t *body;
    size_t at = reader->at;

    QC_TICK(&shared->ticker, OPENING_STEPS);
    QC_TRY(qc_read_u8(reader, &coding, "stream: coding", error));
    QC_CHECK(coding < QC_CODING_COUNT, QC_UNSUPPORTED, "stream: coding", at, coding,
             QC_CODING_COUNT - 1);
    QC_CHECK(features >> coding & 1, QC_CORRUPT, "stream: coding is not among the features", at,
             coding, features);
    stream->decoder = qc_decoders[coding];
    QC_CHECK(width >= stream->decoder->min_width && width <= stream->decoder->max_width, QC_CORRUPT,
             "stream: width in this coding", at, width, stream->decoder->max_width);
    QC_TRY(qc_read_vu(reader, &size, "stream: body length", error));
    stream->offset = reader->at;
    QC_TRY(qc_read_bytes(reader, size, &body, "stream: body", error));
    stream->width = width;
    stream->features = features;
    stream->shared = shared;
    stream->count = count;
    stream->left = count;
    stream->is_fetched = 0;
    return with_offset(stream->decoder->start(stream, body, (size_t)size, error), stream, error);
}

qc_status qc_stream_next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    assert(count <= stream->left);
    if (count == 0)
        return QC_OK;
    QC_TICK(&stream->shared->ticker, count);
    stream->left -= count;
    return with_offset(stream->decoder->next(stream, symbols, count, error), stream, error);
}

const uint8_t *qc_stream_view(qc_stream *stream, size_t count)
{
    if (stream->decoder->view == NULL || count > stream->left)
        return NULL;
    const uint8_t *symbols = stream->decoder->view(stream, count);
    if (symbols != NULL)
        stream->left -= count;
    return symbols;
}

qc_status qc_stream_write_items(qc_stream *stream, qc_item_run *run, size_t count, size_t *done,
                                qc_error *error)
{
    size_t keep = run->keep, size = run->table->item_size;
    *done = 0;
    count = count < stream->left ? count : stream->left;
    if (stream->decoder->write_items == NULL || count < MIN_ITEMS ||
        run->table->entries > QC_NO_PLANES || (size != 2 && size != 4))
        return QC_OK;
    *done = stream->decoder->write_items(stream, run, count);
    QC_TICK(&stream->shared->ticker, *done);
    stream->left -= *done;
    run->out += (keep + *done - run->keep) * size;
    return QC_OK;
}

/* Take symbols and drop them, a block at a time. */
static qc_status drop(qc_stream *stream, size_t count, qc_error *error)
{
    uint16_t block[QC_STREAM_BLOCK];
    for (size_t take; count > 0; count -= take) {
        take = count < QC_STREAM_BLOCK ? count : QC_STREAM_BLOCK;
        QC_TICK(&stream->shared->ticker, take);
        QC_TRY(stream->decoder->next(stream, block, take, error));
    }
    return QC_OK;
}

qc_status qc_stream_skip(qc_stream *stream, size_t count, qc_error *error)
{
    assert(count <= stream->left);
    stream->left -= count;
    qc_status (*skip)(qc_stream *, size_t, qc_error *) =
        stream->decoder->skip != NULL ? stream->decoder->skip : drop;
    return with_offset(skip(stream, count, error), stream, error);
}

qc_status qc_stream_finish(qc_stream *stream, qc_error *error)
{
    assert(stream->left == 0);
    return with_offset(stream->decoder->finish(stream, error), stream, error);
}
