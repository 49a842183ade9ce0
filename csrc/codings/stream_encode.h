/*
 * The encoders: their input, and one row per coding. stream_encode.c chooses among them.
 */
#ifndef QC_STREAM_ENCODE_H
#define QC_STREAM_ENCODE_H

#include "base/ticker.h"
#include "codings/huffman_code.h"
#include "codings/lanes_plan.h"
#include "kernels/histogram.h"

/* Encoders write whole words: up to this many bytes beyond the body's end. */
#define QC_ENCODE_SLACK 8

/* Bytes of scratch memory beyond two per symbol: it can hold any body of symbols of a byte. */
#define QC_ENCODE_SCRATCH 2048

/* The coding cannot hold these symbols, or not within the limit. */
#define QC_NO_ENCODING SIZE_MAX

/* Symbols, and what one pass over them finds out. */
typedef struct qc_encoder_input {
    const void *symbols; /* uint8_t if width <= 8, else uint16_t */
    size_t count;
    unsigned width;
    qc_ticker *ticker; /* counts what slow codings do */
    unsigned first;    /* symbol; 0 if there is none */
    unsigned max;      /* symbol; 0 if there is none */
    int constant;      /* no two symbols differ */
    int smallest;      /* speed does not matter */
    /* Width <= 8: how often each symbol occurs at the positions i mod QC_HUFFMAN_STREAMS. The
       scratch memory follows this structure: some 32-bit machines would not align it by themselves.
     */
    _Alignas(8) qc_histogram histogram;
    uint64_t counts[256]; /* width <= 8: how often each symbol occurs */
    uint8_t *scratch;     /* 2 * count + QC_ENCODE_SCRATCH bytes; aligned */
    /* Filled by the `size` of Huffman and of the lanes codings. */
    uint8_t lengths[QC_HUFFMAN_MAX_SYMBOLS];
    qc_lanes_plan lanes_huffman, lanes_tans;
} qc_encoder_input;

typedef struct qc_stream_encoder {
    /* The bytes of the body (lanes: an estimate), or QC_NO_ENCODING. NULL: unknown until it is
       encoded. */
    size_t (*size)(qc_encoder_input *input);
    /* Writes the body and returns its length; QC_NO_ENCODING if it is longer than `limit`, or the
       ticker says stop. `out` has room for limit + QC_ENCODE_SLACK bytes. Codings with a `size` are
       called only after it, with its result as the limit. */
    size_t (*encode)(const qc_encoder_input *input, uint8_t *out, size_t limit);
} qc_stream_encoder;

extern const qc_stream_encoder qc_constant_encoder, qc_bitpacked_encoder, qc_huffman_encoder,
    qc_contexts_encoder, qc_lanes_huffman_encoder, qc_lanes_tans_encoder;

/* Scratch memory for `count` symbols that do not change. */
#define QC_STABLE_WORKSPACE(count) (QC_WORKSPACE_BYTES + 2 * (size_t)(count))

/* As qc_stream_encode, with the caller's ticker, of symbols that do not change meanwhile: the bytes
   are written by their counts. `workspace`:
   QC_STABLE_WORKSPACE(count) bytes. */
qc_status qc_stream_encode_stable(qc_ticker *ticker, const void *symbols, size_t count,
                                  unsigned width, uint64_t codings, qc_profile profile, void *out,
                                  size_t capacity, size_t *size, void *workspace, qc_error *error);

/* The most bytes that contexts, with or without a router, may take where `bytes` are the best of
   the other codings; 0: they are not tried. In `balanced` what they save has to pay for their slow
   decoding, which is a number of binary decisions; in `small` a byte is enough. */
size_t qc_contexts_limit(size_t bytes, size_t count, unsigned width, qc_profile profile);

/* Bytes that symbols of at most 8 bits surely take in any coding but contexts. */
size_t qc_stream_least(const uint8_t *symbols, size_t count, unsigned width);

/* How often each symbol occurs; of at most 8 bits. */
void qc_count_narrow(const uint8_t *symbols, size_t count, unsigned width, uint64_t counts[256]);

/* Estimates the bytes of a stream whose symbols have these counts, in the coding that the profile
   would choose among those that know their size. `workspace` has QC_STABLE_WORKSPACE(0) bytes. */
size_t qc_stream_estimate(const uint64_t counts[256], unsigned width, uint64_t codings,
                          qc_profile profile, void *workspace);

static inline unsigned qc_input_symbol(const qc_encoder_input *input, size_t i)
{
    return input->width <= 8 ? ((const uint8_t *)input->symbols)[i]
                             : ((const uint16_t *)input->symbols)[i];
}

#endif /* QC_STREAM_ENCODE_H */
