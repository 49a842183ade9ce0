/*
 * Coding 1, encoded: the steps of bitpacked_decode.c in reverse order. A group is stored as a
 * whole number, and the bytes beyond it are overwritten by the next group.
 */
#include "codings/stream_encode.h"
#include "kernels/bitpacking.h"
#include "kernels/kernels.h"

static size_t size(qc_encoder_input *input)
{
    return qc_bitpacked_bytes(input->count, input->width);
}

/* Both write up to 7 bytes beyond a group's end, where the next group follows. */
static inline void pack_narrow(const uint8_t *symbols, size_t groups, unsigned width, uint8_t *out)
{
    for (size_t i = 0; i < groups; i++) {
        uint64_t x = qc_load64(symbols + i * QC_BITPACKED_GROUP);
        x = qc_gather(x, width, 8);
        x = qc_gather(x, 2 * width, 16);
        x = qc_gather(x, 4 * width, 32);
        qc_store64(out + i * width, x);
    }
}

/* Four symbols of more than 8 bits, in the low 4 * width bits. */
static inline uint64_t pack_four(const uint16_t *symbols, unsigned width)
{
    uint64_t x = 0;
    for (unsigned j = 0; j < 4; j++)
        x |= (uint64_t)symbols[j] << width * j;
    return x;
}

static inline void pack_wide(const uint16_t *symbols, size_t groups, unsigned width, uint8_t *out)
{
    /* Half a group ends in the middle of a byte if the width is odd. */
    unsigned half_bytes = width / 2, half_bits = width % 2 * 4;
    for (size_t i = 0; i < groups; i++, symbols += QC_BITPACKED_GROUP, out += width) {
        uint64_t lower = pack_four(symbols, width), upper = pack_four(symbols + 4, width);
        uint64_t shared = half_bits != 0 ? lower >> 8 * half_bytes : 0;
        qc_store64(out, lower);
        qc_store64(out + half_bytes, upper << half_bits | shared);
    }
}

static void pack_groups(const void *symbols, size_t groups, unsigned width, uint8_t *out)
{
    switch (width) { /* constants for the compiler to make vectors of */
    case 1: pack_narrow(symbols, groups, 1, out); break;
    case 2: pack_narrow(symbols, groups, 2, out); break;
    case 4: pack_narrow(symbols, groups, 4, out); break;
    case 8: memcpy(out, symbols, groups * QC_BITPACKED_GROUP); break;
    case 16: pack_wide(symbols, groups, 16, out); break;
    default:
        if (width < 8)
            pack_narrow(symbols, groups, width, out);
        else
            pack_wide(symbols, groups, width, out);
    }
}

/* Pack some of the first `count` symbols, in whole groups; returns how many. */
static size_t pack_vectors(const qc_encoder_input *input, size_t count, uint8_t *out)
{
    qc_pack_kernel *kernel = qc_kernels_selected()->pack;
    if (kernel == NULL || input->width >= 8)
        return 0;
    return kernel(input->symbols, count, input->width, out);
}

static size_t encode(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    size_t groups = input->count / QC_BITPACKED_GROUP, rest = input->count % QC_BITPACKED_GROUP;
    size_t symbol_size = qc_symbol_size(input->width);
    uint16_t last[QC_BITPACKED_GROUP] = {0}; /* of uint8_t, if narrow; padded with zeros */
    uint8_t bytes[2 * QC_BITPACKED_GROUP + QC_ENCODE_SLACK];

    size_t packed = pack_vectors(input, groups * QC_BITPACKED_GROUP, out);
    pack_groups((const uint8_t *)input->symbols + packed * symbol_size,
                groups - packed / QC_BITPACKED_GROUP, input->width,
                out + packed / QC_BITPACKED_GROUP * input->width);
    if (rest > 0) {
        size_t done = groups * input->width;
        const uint8_t *symbols = input->symbols;
        memcpy(last, symbols + groups * QC_BITPACKED_GROUP * symbol_size, rest * symbol_size);
        pack_groups(last, 1, input->width, bytes);
        memcpy(out + done, bytes, limit - done);
    }
    return limit;
}

const qc_stream_encoder qc_bitpacked_encoder = {size, encode};
