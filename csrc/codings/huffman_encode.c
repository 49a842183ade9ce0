/*
 * Coding 2, encoded: the size is computed exactly from the histogram of each sub-stream, so the
 * sub-streams are written to their final places, one after the other.
 */
#include "codings/stream_encode.h"

#define STREAMS QC_HUFFMAN_STREAMS

/* What a 64-bit buffer with up to 7 bits left over always has room for. */
#define CODES_A_FLUSH 4

static size_t stream_bytes(const qc_encoder_input *input, unsigned stream)
{
    uint64_t bits = 0;
    for (unsigned s = 0; s <= input->max; s++)
        bits += input->histogram[stream][s] * input->lengths[s];
    return (size_t)((bits + 7) / 8);
}

/* A short stream is one sub-stream, which the histogram counts in four parts. */
static void merge_histogram(qc_encoder_input *input)
{
    for (unsigned part = 1; part < STREAMS; part++)
        for (unsigned s = 0; s <= input->max; s++) {
            input->histogram[0][s] += input->histogram[part][s];
            input->histogram[part][s] = 0;
        }
}

static size_t size(qc_encoder_input *input)
{
    uint8_t table[QC_HUFFMAN_TABLE_BOUND];
    unsigned streams = qc_huffman_streams(input->count);

    if (input->width > 8 || input->constant)
        return QC_NO_ENCODING;
    if (streams == 1)
        merge_histogram(input);
    qc_huffman_optimal_lengths(input->counts, input->max + 1, QC_HUFFMAN_MAX_LENGTH,
                               input->lengths);

    size_t bytes = qc_huffman_write_lengths(input->lengths, input->max + 1, table);
    for (unsigned stream = 0; stream < streams; stream++) {
        size_t body = stream_bytes(input, stream);
        bytes += body + (stream + 1 < streams ? qc_vu_size(body) : 0);
    }
    return bytes;
}

/* Write the codes of every `step`th symbol. Whole words are stored, so up to 7 bytes beyond the
   sub-stream are overwritten: by what follows, or in the slack. */
static void encode_stream(const uint8_t *symbols, size_t count, size_t step, const uint32_t *codes,
                          uint8_t *out)
{
    uint64_t bits = 0; /* from the top */
    unsigned used = 0;
    size_t i = 0;

    while (i < count) {
        for (unsigned k = 0; k < CODES_A_FLUSH && i < count; k++, i += step) {
            uint32_t code = codes[symbols[i]];
            used += code & 15;
            bits |= (uint64_t)(code >> 4) << (64 - used);
        }
        qc_store64_big_endian(out, bits);
        out += used / 8;
        bits <<= used / 8 * 8;
        used %= 8;
    }
}

static size_t encode(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    uint16_t canonical[QC_HUFFMAN_MAX_SYMBOLS];
    uint32_t codes[QC_HUFFMAN_MAX_SYMBOLS]; /* code << 4 | length */
    unsigned streams = qc_huffman_streams(input->count);
    uint8_t *at = out;

    qc_huffman_canonical_codes(input->lengths, input->max + 1, canonical);
    for (unsigned s = 0; s <= input->max; s++)
        codes[s] = (uint32_t)canonical[s] << 4 | input->lengths[s];

    at += qc_huffman_write_lengths(input->lengths, input->max + 1, at);
    for (unsigned stream = 0; stream + 1 < streams; stream++)
        at += qc_write_vu(at, stream_bytes(input, stream));
    for (unsigned stream = 0; stream < streams; stream++) {
        const uint8_t *symbols = input->symbols;
        encode_stream(symbols + stream, input->count - stream, streams, codes, at);
        at += stream_bytes(input, stream);
    }
    return limit;
}

const qc_stream_encoder qc_huffman_encoder = {size, encode};
