/*
 * The chunks of a frame whose head was read: where they are, and which streams they have.
 */
#include "head/layout.h"

/* ---- where chunks are ---- */

qc_status qc_chunk_next(const qc_frame *frame, const void *head, const qc_chunk *previous,
                        qc_chunk *chunk, qc_error *error)
{
    size_t index = previous != NULL ? previous->index + 1 : 0;
    size_t offset = previous != NULL ? previous->offset + previous->bytes : frame->head_bytes;
    size_t first = index * frame->chunk_elements;
    QC_CHECK(index < frame->chunks, QC_INVALID, "frame: no more chunks", offset, index,
             frame->chunks);
    chunk->index = index;
    chunk->offset = offset;
    chunk->first = first;
    if (frame->chunk_elements == 0) {
        chunk->bytes = frame->frame_bytes - QC_CRC_BYTES - offset;
        chunk->crc = 0;
        chunk->elements = frame->elements;
        return QC_OK;
    }
    /* The directory is read here again, after qc_frame_read has added up its lengths: so they are
       checked again. */
    const uint8_t *entry =
        (const uint8_t *)head + frame->directory_offset + index * QC_DIRECTORY_ENTRY_BYTES;
    chunk->bytes = qc_load32(entry);
    chunk->crc = qc_load32(entry + 4);
    chunk->elements = frame->elements - first < frame->chunk_elements ? frame->elements - first
                                                                      : frame->chunk_elements;
    QC_CHECK(chunk->bytes <= frame->frame_bytes - offset, QC_CORRUPT,
             "frame: chunk lengths exceed the frame", offset, chunk->bytes,
             frame->frame_bytes - offset);
    return QC_OK;
}

qc_status qc_frame_chunks(const qc_frame *frame, const void *head, qc_chunk *chunks,
                          qc_error *error)
{
    for (size_t i = 0; i < frame->chunks; i++)
        QC_TRY(qc_chunk_next(frame, head, i > 0 ? &chunks[i - 1] : NULL, &chunks[i], error));
    return QC_OK;
}

/* ---- streams ---- */

/* Adds a stream to infos[*count]. */
static qc_status read_stream_info(qc_reader *reader, unsigned role, qc_stream_info *infos,
                                  size_t *count, qc_error *error)
{
    qc_stream_info *info = &infos[*count];
    size_t at = reader->at;
    uint64_t body;
    const uint8_t *bytes;
    QC_TRY(qc_read_u8(reader, &info->coding, "stream: coding", error));
    QC_CHECK(info->coding < QC_CODING_COUNT, QC_UNSUPPORTED, "stream: coding", at, info->coding,
             QC_CODING_COUNT - 1);
    QC_TRY(qc_read_vu(reader, &body, "stream: body length", error));
    QC_TRY(qc_read_bytes(reader, body, &bytes, "stream: body", error));
    info->role = role;
    info->offset = at;
    info->bytes = reader->at - at;
    ++*count;
    return QC_OK;
}

/* What values have before their streams, and the streams. `streams`: their number without escapes;
   infos[*count] and on are filled. */
static qc_status read_values(qc_reader *reader, const qc_kind_facts *kind, unsigned streams,
                             qc_stream_info *infos, size_t *count, qc_error *error)
{
    unsigned fields = 0, numbers = kind->head_numbers;
    uint64_t number;
    if (kind->has_fields)
        QC_TRY(qc_read_u8(reader, &fields, "planes: fields", error));
    numbers += (fields & QC_PLANES_BASE) != 0;
    numbers += (fields & QC_PLANES_ESCAPES) != 0;
    for (unsigned i = 0; i < numbers; i++)
        QC_TRY(qc_read_vu(reader, &number, "chunk: numbers before the values", error));
    if (fields & QC_PLANES_ESCAPES)
        QC_TRY(read_stream_info(reader, QC_ROLE_VALUES + streams, infos, count, error));
    for (unsigned i = 0; i < streams; i++)
        QC_TRY(read_stream_info(reader, QC_ROLE_VALUES + i, infos, count, error));
    return QC_OK;
}

/* What positions form copies has before the values. */
static qc_status read_copies_infos(qc_reader *reader, qc_stream_info *infos, size_t *count,
                                   qc_error *error)
{
    /* Runs, lengths and distances, and the low bits, are always there. */
    static const unsigned needs[] = {
        0, 0, 0, QC_COPIES_DIRECTIONS, QC_COPIES_STEPS, 0, QC_COPIES_SIGNS};
    uint64_t number;
    unsigned options;
    QC_TRY(qc_read_vu(reader, &number, "positions: stored elements", error));
    QC_TRY(qc_read_u8(reader, &options, "copies: options", error));
    QC_TRY(qc_read_vu(reader, &number, "copies: copies", error));
    QC_TRY(qc_read_vu(reader, &number, "copies: bytes of low bits", error));
    for (unsigned i = 0; i < sizeof needs / sizeof *needs; i++)
        if ((options & needs[i]) == needs[i])
            QC_TRY(read_stream_info(reader, QC_ROLE_COPIES + i, infos, count, error));
    return QC_OK;
}

qc_status qc_chunk_streams(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                           qc_stream_info *infos, size_t *count, qc_error *error)
{
    qc_reader reader = qc_reader_of(bytes, chunk->bytes, 1);
    uint64_t stored;
    *count = 0;
    if (frame->positions == QC_COPIES)
        QC_TRY(read_copies_infos(&reader, infos, count, error));
    else if (frame->positions != QC_DENSE)
        QC_TRY(qc_read_vu(&reader, &stored, "positions: stored elements", error));
    if (qc_mask_width(frame->positions) > 0)
        QC_TRY(read_stream_info(&reader, QC_ROLE_MASK, infos, count, error));
    if (frame->positions == QC_CSR)
        QC_TRY(read_stream_info(&reader, QC_ROLE_ROW_COUNTS, infos, count, error));
    if (frame->positions == QC_CSR || frame->positions == QC_GAPS)
        QC_TRY(read_stream_info(&reader, QC_ROLE_GAPS, infos, count, error));
    return read_values(&reader, qc_kind_facts_of(frame), frame->value_streams, infos, count, error);
}

qc_status qc_coded_streams(const qc_groups *groups, qc_stream_info *infos, size_t *count,
                           qc_error *error)
{
    const qc_coded *coded = &groups->coded;
    qc_reader reader = qc_reader_of(coded->body, coded->size, 1);
    /* Those of deltas are as of a kind without a head. */
    unsigned row = QC_BYTES, streams = 1;
    if (coded->mode == QC_VALUES_PLANES) {
        row = qc_kind_row(QC_PLANES, groups->dtype);
        streams = (unsigned)qc_dtype_size(groups->dtype);
    } else if (coded->mode == QC_VALUES_PERMUTED) {
        streams = 2;
    }
    *count = 0;
    return read_values(&reader, &qc_kinds[row], streams, infos, count, error);
}
