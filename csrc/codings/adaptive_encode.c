/*
 * Coding 3, encoded: both models are tried, and the smaller body is kept.
 */
#include "codings/range_encoder.h"
#include "codings/stream_encode.h"

/* Symbols between two questions to the ticker. */
#define TICK_SYMBOLS 4096

static inline void encode_bit(qc_range_encoder *e, unsigned bit, qc_context *context,
                              const uint16_t *rates)
{
    qc_range_encode(e, bit, context->p);
    qc_context_learn(context, bit, rates);
}

static inline void encode_tree(qc_range_encoder *e, qc_adaptive_model *model, unsigned width,
                               unsigned symbol)
{
    unsigned t = 1;
    for (unsigned i = width; i-- > 0;) {
        unsigned bit = symbol >> i & 1;
        encode_bit(e, bit, &model->contexts[t], model->rates);
        t = 2 * t + bit;
    }
}

static inline void encode_exponent(qc_range_encoder *e, qc_adaptive_model *model, unsigned width,
                                   unsigned symbol)
{
    unsigned exponent = qc_bit_length(symbol + 1) - 1;
    for (unsigned i = 0; i < width && i <= exponent; i++)
        encode_bit(e, i < exponent, &model->contexts[i], model->rates);
    if (exponent == width)
        return;
    qc_context *mantissa = &model->contexts[qc_adaptive_mantissa_base(exponent)];
    for (unsigned i = 0; i < exponent; i++) {
        unsigned u = (symbol + 1) >> (exponent - i), bit = (symbol + 1) >> (exponent - i - 1) & 1;
        if (i < 2)
            encode_bit(e, bit, &mantissa[u], model->rates);
        else
            qc_range_encode_direct(e, bit);
    }
}

/* Encode with one model; returns as the coding's `encode` does. */
static size_t encode_with(unsigned model_id, const qc_encoder_input *input, uint8_t *out,
                          size_t limit)
{
    qc_adaptive_model model;
    if (limit < 1)
        return QC_NO_ENCODING;
    qc_range_encoder e = qc_range_encoder_start(out + 1, limit - 1);

    out[0] = (uint8_t)model_id;
    qc_adaptive_model_start(&model);
    for (size_t i = 0; i < input->count && !e.full; i++) {
        if (i % TICK_SYMBOLS == 0 && qc_tick(input->ticker, TICK_SYMBOLS))
            return QC_NO_ENCODING;
        if (model_id == QC_ADAPTIVE_TREE)
            encode_tree(&e, &model, input->width, qc_input_symbol(input, i));
        else
            encode_exponent(&e, &model, input->width, qc_input_symbol(input, i));
    }
    qc_range_encoder_finish(&e);
    return e.full ? QC_NO_ENCODING : 1 + e.written;
}

/* There is no room for two bodies, so the one that is tried first is made again if it wins. */
static size_t encode(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    size_t exponent = encode_with(QC_ADAPTIVE_EXPONENT, input, out, limit);
    if (input->width > QC_ADAPTIVE_TREE_MAX_WIDTH)
        return exponent;
    if (exponent != QC_NO_ENCODING)
        limit = exponent;
    size_t tree = encode_with(QC_ADAPTIVE_TREE, input, out, limit);
    if (tree != QC_NO_ENCODING || exponent == QC_NO_ENCODING)
        return tree;
    return encode_with(QC_ADAPTIVE_EXPONENT, input, out, exponent);
}

const qc_stream_encoder qc_adaptive_encoder = {NULL, encode};
