/*
 * tANS, encoded.
 *
 * A tANS decoder is a table: state -> (class, number of bits, base), and its next state is the base
 * plus that many bits of the stream. An encoder inverts this. It knows the state *after* a symbol
 * and looks for the state before it, so it starts at the end of the data and steps back; the
 * decoder then reads forwards.
 *
 * Let there be S states, and c of them for a class. Number the class's states by x = c, ..., 2c - 1
 * in their order. A decoder in state x shifts bits in until the number is in S, ..., 2S - 1, and
 * that minus S is its next state. So to step back over a symbol from state s, put out the lowest n
 * bits of S + s and keep the rest: x = (S + s) >> n, with the only n for which x is one of c, ...,
 * 2c - 1. That is the largest n the class can need, `max_bits`, if S + s >= c << max_bits, that is
 * s >= `threshold`, and one bit less below it. The comparison is folded into an addition: n is the
 * high byte of s + (max_bits << 8) - threshold. `states` maps the class and x to the state.
 *
 * A turn is two symbols per lane. The second one is stepped over first, so its bits are below those
 * of the first in the piece. After J. Duda, "Asymmetric numeral systems", 2013, and Y. Collet's
 * FSE.
 */
#include "kernels/kernels.h"

/* How to step back over a symbol, from the state after it. */
typedef struct step {
    int16_t more_bits; /* (state + more_bits) >> 8 is the number of bits to put out */
    uint8_t first;
} step;

static void build_steps(const qc_tans_encoder *encoder, step steps[256])
{
    for (unsigned symbol = 0; symbol < 256; symbol++) {
        unsigned class = encoder->class_of[symbol];
        unsigned max = encoder->max_bits[class];
        steps[symbol].more_bits = (int16_t)((int)(max << 8) - encoder->threshold[class]);
        steps[symbol].first = encoder->first[class];
    }
}

/* Returns the number of bits, which are the lowest of the state that was. */
static inline unsigned step_back(const qc_tans_encoder *encoder, step step, unsigned *state)
{
    unsigned count = (unsigned)((int)*state + step.more_bits) >> 8;
    unsigned x = (1u << encoder->state_bits | *state) >> count;
    *state = encoder->states[(x + step.first) & 255];
    return count;
}

static inline unsigned lowest(unsigned bits, unsigned count) { return bits & ((1u << count) - 1); }

static void turn_back(const qc_tans_encoder *encoder, const step steps[256], const uint8_t *symbols,
                      uint8_t states[QC_LANES], qc_lanes_pieces *pieces)
{
    for (unsigned i = 0; i < QC_LANES; i++) {
        unsigned state = states[i], last = state;
        step first = steps[symbols[2 * i]], second = steps[symbols[2 * i + 1]];
        unsigned count = step_back(encoder, second, &state), middle = state;
        unsigned more = step_back(encoder, first, &state);
        pieces->bits[i] = (uint16_t)(lowest(middle, more) << count | lowest(last, count));
        pieces->counts[i] = (uint8_t)(more + count);
        states[i] = (uint8_t)state;
    }
}

void qc_tans_step_back_portable(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                                uint8_t states[QC_LANES], qc_lanes_pieces *pieces)
{
    step steps[256];
    build_steps(encoder, steps);
    for (size_t turn = qc_lanes_turn_count(symbols); turn-- > 0;)
        turn_back(encoder, steps, qc_lanes_turn(symbols, turn), states, &pieces[turn]);
}
