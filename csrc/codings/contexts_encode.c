/*
 * Coding 3, encoded by the models that need no places of symbols, tree and exponent: both are
 * tried, and the smaller body is kept. routers/routed_contexts_encode.c has the others.
 */
#include "codings/range_encoder.h"
#include "codings/stream_encode.h"

/* Symbols between two questions to the ticker. */
#define TICK_SYMBOLS 4096

static inline void encode_bit(qc_range_encoder *e, const qc_contexts *contexts, qc_context *context,
                              unsigned bit)
{
    qc_context before = *context;
    *context = qc_context_learn(contexts, before, bit);
    qc_range_encode(e, bit, qc_context_chance(before));
}

static inline void encode_tree(qc_range_encoder *e, qc_contexts *contexts, unsigned width,
                               unsigned symbol)
{
    unsigned t = 1;
    for (unsigned i = width; i-- > 0;) {
        unsigned bit = symbol >> i & 1;
        encode_bit(e, contexts, &contexts->shared[t], bit);
        t = 2 * t + bit;
    }
}

static inline void encode_exponent(qc_range_encoder *e, qc_contexts *contexts, unsigned width,
                                   unsigned symbol)
{
    unsigned exponent = qc_bit_length(symbol + 1) - 1;
    for (unsigned i = 0; i < width && i <= exponent; i++)
        encode_bit(e, contexts, &contexts->shared[i], i < exponent);
    if (exponent == width)
        return;
    qc_context *mantissa = &contexts->shared[qc_contexts_mantissa_base(exponent)];
    for (unsigned i = 0; i < exponent; i++) {
        unsigned u = (symbol + 1) >> (exponent - i), bit = (symbol + 1) >> (exponent - i - 1) & 1;
        if (i < 2)
            encode_bit(e, contexts, &mantissa[u], bit);
        else
            qc_range_encode_direct(e, bit);
    }
}

/* Encode with one model; returns as the coding's `encode` does. */
static inline size_t encode_with(qc_contexts_model model, const qc_encoder_input *input,
                                 uint8_t *out, size_t limit)
{
    qc_contexts contexts;
    if (limit < 1)
        return QC_NO_ENCODING;
    qc_range_encoder e = qc_range_encoder_start(out + 1, limit - 1);

    out[0] = (uint8_t)model;
    qc_contexts_start(&contexts, QC_CONTEXTS_PLAIN_MEMORY);
    for (size_t i = 0; i < input->count && !e.full; i++) {
        if (i % TICK_SYMBOLS == 0 && qc_tick(input->ticker, TICK_SYMBOLS))
            return QC_NO_ENCODING;
        if (model == QC_MODEL_TREE)
            encode_tree(&e, &contexts, input->width, qc_input_symbol(input, i));
        else
            encode_exponent(&e, &contexts, input->width, qc_input_symbol(input, i));
    }
    size_t bytes = qc_range_encoder_finish(&e);
    return e.full ? QC_NO_ENCODING : 1 + bytes;
}

/* The loops of the two models are compiled apart. */
static size_t encode_by_exponent(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    return encode_with(QC_MODEL_EXPONENT, input, out, limit);
}

static size_t encode_by_tree(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    return encode_with(QC_MODEL_TREE, input, out, limit);
}

/* The second body is written to the scratch memory, and copied if it is the smaller one. */
static size_t encode(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    size_t exponent = encode_by_exponent(input, out, limit);
    if (input->width > QC_CONTEXTS_MAX_WIDTH)
        return exponent;
    if (exponent == QC_NO_ENCODING)
        return encode_by_tree(input, out, limit);
    size_t tree = encode_by_tree(input, input->scratch, exponent);
    if (tree == QC_NO_ENCODING)
        return exponent;
    memcpy(out, input->scratch, tree);
    return tree;
}

const qc_stream_encoder qc_contexts_encoder = {NULL, encode};
