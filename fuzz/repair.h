/*
 * Mutants that pass the checksums: after a mutation, lengths and CRCs are corrected wherever the
 * other bytes still tell where they are.
 */
#ifndef QC_FUZZ_REPAIR_H
#define QC_FUZZ_REPAIR_H

#include "base/bytes.h"

/* Write `value` over the LEB128 integer at `field`, if it takes as many bytes as the old one. */
static inline void replace_vu(uint8_t *field, uint64_t old, uint64_t value)
{
    if (value < QC_VU_LIMIT && qc_vu_size(value) == qc_vu_size(old))
        qc_write_vu(field, value);
}

/* Make the body length of a frame what follows it. */
static inline void repair_body_length(uint8_t *data, size_t size)
{
    qc_reader reader = qc_reader_of(data, size, 0);
    uint64_t value = 0;
    const uint8_t *bytes;
    unsigned dims;
    if (qc_read_bytes(&reader, 4, &bytes, "magic, version, flags", NULL) != QC_OK ||
        qc_read_vu(&reader, &value, "features", NULL) != QC_OK ||
        qc_read_bytes(&reader, 1, &bytes, "dtype", NULL) != QC_OK ||
        qc_read_u8(&reader, &dims, "kind and dimensions", NULL) != QC_OK)
        return;
    for (dims &= 15; dims > 0; dims--) {
        if (qc_read_vu(&reader, &value, "dims", NULL) != QC_OK)
            return;
    }
    size_t field = reader.at;
    if (qc_read_vu(&reader, &value, "body length", NULL) == QC_OK)
        replace_vu(data + field, value, size - reader.at);
}

/* Give the last chunk all bytes that are left, and correct the CRC of every chunk. */
static inline void repair_directory(uint8_t *data, size_t size, const qc_frame *frame)
{
    size_t at = frame->head_bytes;
    for (size_t i = 0; i < frame->chunks && at <= size; i++) {
        uint8_t *row = data + frame->directory_offset + 8 * i;
        size_t length = qc_load32(row);
        if (i + 1 == frame->chunks || length > size - at)
            length = size - at;
        qc_store32(row, (uint32_t)length);
        qc_store32(row + 4, qc_crc32c(0, data + at, length));
        at += length;
    }
}

static inline void repair_frame(uint8_t *data, size_t size)
{
    /* The part of the head that can be read says where its directory is, if it has one, even
       while the lengths in it are wrong. */
    qc_frame frame = {0};
    repair_body_length(data, size);
    qc_frame_read(data, size, 0, &frame, NULL);
    size_t crc_at = size - 4;
    if (frame.directory_offset > 0) {
        repair_directory(data, size, &frame);
        crc_at = frame.head_bytes - 4;
    }
    if (size >= 4)
        qc_store32(data + crc_at, qc_crc32c(0, data, crc_at));
}

#endif /* QC_FUZZ_REPAIR_H */
