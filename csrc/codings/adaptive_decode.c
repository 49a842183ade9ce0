/*
 * Coding 3, decoded: each symbol is a few binary decisions, and each decision has a context that
 * learns how likely a 0 is (adaptive_model.h). The range decoder turns probabilities into bits
 * (range_decoder.h).
 *
 * Model tree: a symbol's bits from the most significant one are a path in a binary tree, with a
 * context per node. It learns any distribution of up to 8 bits. Model exponent, for gaps: the
 * position of the leading one of symbol + 1 in unary, with a context per step; then two bits with
 * contexts, and direct bits, which have no context, as the low bits of large gaps are random. It
 * learns fast, since it has few contexts.
 */
#include "codings/stream.h"

typedef qc_range_decoder decoder;

static inline unsigned decode(decoder *d, qc_context *context, const uint16_t *rates)
{
    unsigned bit = qc_range_decode(d, context->p);
    qc_context_learn(context, bit, rates);
    return bit;
}

static inline unsigned decode_tree(decoder *d, qc_adaptive_model *model, unsigned width)
{
    unsigned t = 1;
    for (unsigned i = 0; i < width; i++)
        t = 2 * t + decode(d, &model->contexts[t], model->rates);
    return t - (1u << width);
}

static inline unsigned decode_exponent(decoder *d, qc_adaptive_model *model, unsigned width)
{
    unsigned exponent = 0;
    while (exponent < width && decode(d, &model->contexts[exponent], model->rates))
        exponent++;
    if (exponent == width)
        return (1u << width) - 1;
    qc_context *mantissa = &model->contexts[qc_adaptive_mantissa_base(exponent)];
    unsigned u = 1; /* the bits so far: also the context */
    for (unsigned i = 0; i < exponent; i++)
        u = 2 * u + (i < 2 ? decode(d, &mantissa[u], model->rates) : qc_range_decode_direct(d));
    return u - 1;
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_adaptive_state *state = &stream->state.adaptive;
    QC_CHECK(size > 0, QC_CORRUPT, "adaptive: model", 0, 0, 1);
    unsigned model = body[0]; /* read once: a tree of 9 bits or more would leave its contexts */
    QC_CHECK(model <= QC_ADAPTIVE_EXPONENT, QC_UNSUPPORTED, "adaptive: model", 0, model,
             QC_ADAPTIVE_EXPONENT);
    QC_CHECK(model == QC_ADAPTIVE_EXPONENT || stream->width <= QC_ADAPTIVE_TREE_MAX_WIDTH,
             QC_CORRUPT, "adaptive: width of model tree", 0, stream->width,
             QC_ADAPTIVE_TREE_MAX_WIDTH);
    QC_TRY(qc_range_check_end(body + 1, size - 1, 1, error));
    state->is_exponent = model == QC_ADAPTIVE_EXPONENT;
    qc_adaptive_model_start(&state->model);
    state->decoder = qc_range_start(body + 1, body + size);
    return QC_OK;
}

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_adaptive_state *state = &stream->state.adaptive;
    qc_adaptive_model *model = &state->model;
    decoder d = state->decoder;
    unsigned width = stream->width;
    uint8_t *narrow = symbols;
    uint16_t *wide = symbols;

    (void)error;
    if (!state->is_exponent)
        for (size_t i = 0; i < count; i++)
            narrow[i] = (uint8_t)decode_tree(&d, model, width);
    else if (width <= 8)
        for (size_t i = 0; i < count; i++)
            narrow[i] = (uint8_t)decode_exponent(&d, model, width);
    else
        for (size_t i = 0; i < count; i++)
            wide[i] = (uint16_t)decode_exponent(&d, model, width);
    state->decoder = d;
    return QC_OK;
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    return qc_range_finish(&stream->state.adaptive.decoder, error);
}

const qc_stream_decoder qc_adaptive_decoder = {"adaptive", 1, 16, start, next, NULL, NULL, finish};
