#include "adaptive_model.h"
#include "encoder.h"

/* Shifts after which all bytes of `low`, and those held back, are written. */
#define LAST_SHIFTS 5

/*
 * The range encoder. `low` has 33 bits: a carry may still go into the bytes before it. So the last
 * of them, `held_byte`, is held back, with the bytes of 0xFF after it that a carry would run
 * through. Zeros are held back too: those at the end are never written.
 */
typedef struct range_encoder {
    uint64_t low;
    uint32_t range;
    uint8_t held_byte;
    size_t held;  /* held_byte and the bytes of 0xFF after it */
    size_t zeros; /* before them */
    uint8_t *out;
    size_t written;
    size_t limit;
    int full; /* the limit was reached: what comes is not written */
} range_encoder;

static range_encoder encoder_start(uint8_t *out, size_t limit)
{
    /* Nothing is held at first. If the first byte is 0xFF, held_byte stays as it is. */
    return (range_encoder){.range = UINT32_MAX, .held_byte = 0xFF, .out = out, .limit = limit};
}

static void write_byte(range_encoder *e, uint8_t byte)
{
    if (byte == 0) {
        e->zeros++;
    } else if (e->zeros >= e->limit - e->written) {
        e->full = 1;
    } else {
        memset(e->out + e->written, 0, e->zeros);
        e->written += e->zeros;
        e->zeros = 0;
        e->out[e->written++] = byte;
    }
}

static void shift_low(range_encoder *e)
{
    unsigned carry = (unsigned)(e->low >> 32);
    if (carry != 0 || e->low < 0xFF000000) {
        for (unsigned byte = e->held_byte; e->held > 0; e->held--, byte = 0xFF)
            write_byte(e, (uint8_t)(byte + carry));
        e->held_byte = (uint8_t)(e->low >> 24);
    }
    e->held++;
    e->low = (e->low & 0x00FFFFFF) << 8;
}

static inline void normalise(range_encoder *e)
{
    while (e->range < QC_ADAPTIVE_NORMAL_RANGE) {
        e->range <<= 8;
        shift_low(e);
    }
}

static inline void encode_bit(range_encoder *e, unsigned bit, qc_context *context,
                              const uint16_t *rates)
{
    uint32_t bound = (e->range >> 16) * context->p;
    e->low += bit ? bound : 0;
    e->range = bit ? e->range - bound : bound;
    qc_context_learn(context, bit, rates);
    normalise(e);
}

static inline void encode_raw(range_encoder *e, unsigned bit)
{
    e->range >>= 1;
    e->low += bit ? e->range : 0;
    normalise(e);
}

/* End with the value in [low, low + range) that has the most zero bytes at its end. Range is at
   least 2^24, so there is one with three of them. */
static void encoder_finish(range_encoder *e)
{
    uint64_t end = e->low + e->range;
    for (unsigned zero_bits = 32; zero_bits >= 24; zero_bits -= 8) {
        uint64_t unit = (uint64_t)1 << zero_bits, value = (e->low + unit - 1) / unit * unit;
        if (value < end) {
            e->low = value;
            break;
        }
    }
    for (unsigned i = 0; i < LAST_SHIFTS; i++)
        shift_low(e);
}

static inline void encode_tree(range_encoder *e, qc_adaptive_model *model, unsigned width,
                               unsigned symbol)
{
    unsigned t = 1;
    for (unsigned i = width; i-- > 0;) {
        unsigned bit = symbol >> i & 1;
        encode_bit(e, bit, &model->contexts[t], model->rates);
        t = 2 * t + bit;
    }
}

static inline void encode_exponent(range_encoder *e, qc_adaptive_model *model, unsigned width,
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
            encode_raw(e, bit);
    }
}

/* Encode with one model; returns as the coding's `encode` does. */
static size_t encode_with(unsigned model_id, const qc_encoder_input *input, uint8_t *out,
                          size_t limit)
{
    qc_adaptive_model model;
    if (limit < 1)
        return QC_NO_ENCODING;
    range_encoder e = encoder_start(out + 1, limit - 1);

    out[0] = (uint8_t)model_id;
    qc_adaptive_model_start(&model);
    for (size_t i = 0; i < input->count && !e.full; i++) {
        if (model_id == QC_ADAPTIVE_TREE)
            encode_tree(&e, &model, input->width, qc_input_symbol(input, i));
        else
            encode_exponent(&e, &model, input->width, qc_input_symbol(input, i));
    }
    encoder_finish(&e);
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
