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
    *context = qc_context_learn_known(contexts, before, bit);
    qc_range_encode(e, bit, qc_context_chance(before));
}

static inline void encode_tree(qc_range_encoder *e, qc_contexts *contexts, unsigned width,
                               unsigned symbol)
{
    unsigned leaf = 1u << width | symbol;
    for (unsigned i = width; i-- > 0;)
        encode_bit(e, contexts, &contexts->shared[leaf >> (i + 1)], leaf >> i & 1);
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

/* One body that is written. */
typedef struct body {
    qc_range_encoder encoder;
    qc_contexts contexts;
} body;

static void start(body *body, qc_contexts_model model, uint8_t *out, size_t limit)
{
    body->encoder = qc_range_encoder_start(out + 1, limit - 1);
    qc_contexts_start(&body->contexts, QC_CONTEXTS_PLAIN_MEMORY);
    out[0] = (uint8_t)model;
}

/* Returns as the coding's `encode` does. */
static size_t finish(body *body)
{
    size_t bytes = qc_range_encoder_finish(&body->encoder);
    return body->encoder.full ? QC_NO_ENCODING : 1 + bytes;
}

static void encode_wide(body *exponent, const qc_encoder_input *input, size_t first, size_t end)
{
    qc_range_encoder e = exponent->encoder;
    for (size_t i = first; i < end; i++)
        encode_exponent(&e, &exponent->contexts, input->width, qc_input_symbol(input, i));
    exponent->encoder = e;
}

static void encode_both(body *exponent, body *tree, const qc_encoder_input *input, size_t first,
                        size_t end)
{
    const uint8_t *symbols = input->symbols;
    qc_range_encoder e = exponent->encoder, t = tree->encoder;
    for (size_t i = first; i < end; i++) {
        encode_tree(&t, &tree->contexts, input->width, symbols[i]);
        encode_exponent(&e, &exponent->contexts, input->width, symbols[i]);
    }
    exponent->encoder = e;
    tree->encoder = t;
}

/* The body of model tree is written to the scratch memory, and copied if it is the smaller one. */
static size_t encode(const qc_encoder_input *input, uint8_t *out, size_t limit)
{
    body exponent, tree;
    int has_tree = input->width <= QC_CONTEXTS_MAX_WIDTH;
    if (limit < 1)
        return QC_NO_ENCODING;
    start(&exponent, QC_MODEL_EXPONENT, out, limit);
    tree.encoder = (qc_range_encoder){.full = 1};
    if (has_tree)
        start(&tree, QC_MODEL_TREE, input->scratch, limit);
    for (size_t i = 0; i < input->count && !(exponent.encoder.full && tree.encoder.full);
         i += TICK_SYMBOLS) {
        size_t end = input->count - i < TICK_SYMBOLS ? input->count : i + TICK_SYMBOLS;
        if (qc_tick(input->ticker, (1u + has_tree) * TICK_SYMBOLS))
            return QC_NO_ENCODING;
        if (has_tree)
            encode_both(&exponent, &tree, input, i, end);
        else
            encode_wide(&exponent, input, i, end);
    }
    size_t bytes = finish(&exponent), by_tree = has_tree ? finish(&tree) : QC_NO_ENCODING;
    if (by_tree == QC_NO_ENCODING || by_tree > bytes)
        return bytes;
    memcpy(out, input->scratch, by_tree);
    return by_tree;
}

const qc_stream_encoder qc_contexts_encoder = {NULL, encode};
