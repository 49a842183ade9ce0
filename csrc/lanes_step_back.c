/*
 * tANS, encoded: a decoder goes from state to state forwards, so the encoder goes backwards.
 */
#include "lanes_encode.h"

/* How to step back over a symbol, from the state after it. */
typedef struct step {
    int16_t more_bits; /* (state + more_bits) >> 8 is the number of bits to put out */
    int16_t first;
} step;

static void build_steps(const qc_tans_encoder *encoder, step steps[256])
{
    for (unsigned symbol = 0; symbol < 256; symbol++) {
        unsigned class = encoder->class_of[symbol];
        unsigned most = encoder->most_bits[class];
        steps[symbol].more_bits = (int16_t)((int)(most << 8) - encoder->threshold[class]);
        steps[symbol].first = (int8_t)encoder->first[class];
    }
}

/* Returns the piece: without the bits above it, but for the mark. */
static inline uint8_t step_back(const qc_tans_encoder *encoder, step step, unsigned *state)
{
    unsigned count = (unsigned)((int)*state + step.more_bits) >> 8, x = *state >> count;
    unsigned piece = *state - ((x - 1) << count);
    *state = encoder->states[(int)x + step.first];
    return (uint8_t)piece;
}

static void turn_back(const qc_tans_encoder *encoder, const step steps[256], const uint8_t *symbols,
                      uint8_t states[QC_LANES], uint8_t *pieces)
{
    for (unsigned i = 0; i < QC_LANES; i++) {
        unsigned state = states[i];
        step first = steps[symbols[2 * i]], second = steps[symbols[2 * i + 1]];
        pieces[2 * i + 1] = step_back(encoder, second, &state);
        pieces[2 * i] = step_back(encoder, first, &state);
        states[i] = (uint8_t)state;
    }
}

void qc_tans_step_back_portable(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                                uint8_t states[QC_LANES], uint8_t *pieces, uint8_t *last)
{
    step steps[256];
    build_steps(encoder, steps);
    if (symbols->last != NULL)
        turn_back(encoder, steps, symbols->last, states, last);
    for (size_t end = symbols->whole * QC_LANES_TURN; end > 0; end -= QC_LANES_TURN)
        turn_back(encoder, steps, symbols->bytes + end - QC_LANES_TURN, states,
                  pieces + end - QC_LANES_TURN);
}
