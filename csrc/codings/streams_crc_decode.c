/*
 * The CRC of bytes that hold streams, taken while these are decoded; the header says why. The
 * result does not depend on where parts begin, nor on how far decoding has come.
 */
#include "codings/streams_crc_decode.h"

static size_t begin_of(const qc_streams_crc *crc, size_t part)
{
    return part > 0 ? crc->ends[part - 1] : 0;
}

/* Whether memory is what decoding waits for: most of the bytes are used as they are, or unpacked.
   If arithmetic is, or if there are many streams, a pass before is as fast or faster. */
static int suits(size_t size, const qc_stream *streams, size_t count)
{
    size_t unpacked = 0;
    for (size_t i = 0; i < count; i++)
        if (streams[i].decoder == &qc_bitpacked_decoder)
            unpacked += streams[i].state.bitpacked.size;
    return count > 0 && count <= QC_CRC_PARTS && unpacked >= size / 2;
}

int qc_streams_crc_open(qc_streams_crc *crc, const uint8_t *bytes, size_t size, qc_stream *streams,
                        size_t count)
{
    if (!suits(size, streams, count))
        return 0;
    crc->bytes = bytes;
    crc->parts = count;
    for (size_t part = 0; part < count; part++) {
        /* A part ends where the body of the next stream begins. */
        crc->ends[part] = part + 1 < count ? streams[part + 1].offset : size;
        crc->taken[part] = 0;
        qc_crc32c_begin(&crc->runs[part], part > 0 ? 0 : UINT32_MAX);
        streams[part].is_fetched = 1;
    }
    return 1;
}

void qc_streams_crc_take(qc_streams_crc *crc, size_t done, size_t count)
{
    for (size_t part = 0; part < crc->parts; part++) {
        size_t begin = begin_of(crc, part), size = crc->ends[part] - begin;
        size_t share = (size_t)((double)size / (double)count * (double)done);
        size_t taken = crc->taken[part], most = share < size ? share : size;
        if (most < taken + QC_CRC32C_UNIT)
            continue;
        size_t whole = (most - taken) / QC_CRC32C_UNIT * QC_CRC32C_UNIT;
        qc_crc32c_take(&crc->runs[part], crc->bytes + begin + taken, whole);
        crc->taken[part] += whole;
    }
}

uint32_t qc_streams_crc_close(qc_streams_crc *crc)
{
    uint32_t whole = 0;
    for (size_t part = 0; part < crc->parts; part++) {
        size_t begin = begin_of(crc, part), size = crc->ends[part] - begin;
        size_t taken = crc->taken[part];
        qc_crc32c_take(&crc->runs[part], crc->bytes + begin + taken, size - taken);
        whole = qc_crc32c_join(whole, qc_crc32c_register(&crc->runs[part]), size);
    }
    crc->parts = 0;
    return ~whole;
}
