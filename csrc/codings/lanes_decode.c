/*
 * Codings 4 and 5, decoded on 128 lanes (docs/format.md, section 7.5).
 *
 * The idea: variable-length codes are slow because each code's position depends on those before
 * it. 128 lanes are 128 independent chains of such dependences. In a turn each lane decodes two
 * symbols, all of them in step, so a vector register holds many lanes, and one turn is 256
 * symbols.
 *
 * One run of words: giving each lane a bit stream of its own would need 128 read positions, which
 * vectors cannot load from at once. Instead all lanes share one run of 16-bit words. Before a
 * turn, each lane that has fewer than 16 bits left takes the next word, in the order of the lanes.
 * So the lanes that need a word take consecutive words, and a lane's word is found by its rank
 * among them: the number of lanes before it that need one, which is a bit count of a mask. AVX-512
 * has an instruction that does the whole (expand); AVX2 and NEON look a shuffle up by eight bits
 * of the mask (expand_table.h).
 *
 * Why it works: a lane has at least 16 bits before a turn, and a turn takes at most 16 (two codes
 * of 7 or 8 bits), so one refill per turn suffices, and the order of words is known without
 * sending it. The encoder follows the same rule (lanes_encode.c).
 *
 * A kernel turns words into the values of classes, and nothing else. What is rare or separate is
 * done in passes of their own over the block in L1: low bits are added, and escapes are replaced
 * by their literals. Kernels never read beyond QC_LANES_SLACK bytes after the words; the last
 * turns run on a padded copy.
 */
#include "codings/lanes_code.h"
#include "codings/lanes_head.h"
#include "codings/stream.h"
#include "kernels/kernels.h"

/* ---- start ---- */

/* The escape's place in value_of is held by a byte that is no value. */
static void set_values(qc_lanes_state *state)
{
    const qc_lanes_code *code = &state->code;
    uint8_t values[QC_LANES_MAX_CLASSES];
    uint8_t taken[256] = {0};
    unsigned plain = code->classes - code->has_escape;
    memcpy(values, code->values, plain);
    for (unsigned index = 0; index < plain; index++)
        taken[values[index]] = 1;
    state->escape = (uint8_t)((const uint8_t *)memchr(taken, 0, 256) - taken);
    values[plain % QC_LANES_MAX_CLASSES] =
        code->has_escape ? state->escape : values[plain % QC_LANES_MAX_CLASSES];
    for (unsigned i = 0; i < QC_LANES_TABLE; i++)
        state->value_of[i] = values[state->table.class_of[i]];
}

/* Raw bits, words and literals; they fill the body. */
static qc_status read_parts(qc_reader *body, size_t count, qc_lanes_state *state, qc_error *error)
{
    uint64_t words, escapes = 0;
    size_t blocks = count / QC_LANES_BLOCK + (count % QC_LANES_BLOCK != 0);
    QC_TRY(qc_read_vu(body, &words, "lanes: number of words", error));
    if (state->code.has_escape)
        QC_TRY(qc_read_vu(body, &escapes, "lanes: number of escapes", error));
    QC_TRY(qc_read_bytes(body, blocks * 8 * state->code.low_bits, &state->low, "lanes: low bits",
                         error));
    QC_TRY(qc_read_bytes(body, 2 * words, &state->words, "lanes: words", error));
    QC_CHECK(escapes == body->size - body->at, QC_CORRUPT, "lanes: bytes of literals", body->at,
             body->size - body->at, escapes);
    QC_TRY(qc_read_bytes(body, escapes, &state->escapes, "lanes: literals", error));
    state->words_end = state->words + 2 * (size_t)words;
    state->escapes_end = state->escapes + (size_t)escapes;
    return QC_OK;
}

/* The low bits after the last symbol are 0. They are read again with those before them, and dropped
   whatever they are then. */
static qc_status check_low_end(const qc_lanes_state *state, size_t count, qc_error *error)
{
    size_t used = count % QC_LANES_BLOCK;
    const uint8_t *last = state->low + count / QC_LANES_BLOCK * 8 * state->code.low_bits;
    for (unsigned bit = 0; used > 0 && bit < state->code.low_bits; bit++)
        QC_CHECK(qc_load64(last + 8 * bit) >> used == 0, QC_CORRUPT,
                 "lanes: low bits after the last symbol", 0, bit, 0);
    return QC_OK;
}

/* Every lane takes its first word, and with tANS its state. */
static qc_status load_lanes(qc_lanes_state *state, qc_error *error)
{
    size_t words = (size_t)(state->words_end - state->words) / 2;
    unsigned bits = state->code.state_bits;
    QC_CHECK(words >= QC_LANES, QC_CORRUPT, "lanes: words", 0, words, QC_LANES);
    for (unsigned lane = 0; lane < QC_LANES; lane++, state->words += 2) {
        uint32_t buffer = qc_load16(state->words) << 16;
        state->state[lane] = (uint8_t)(buffer >> 16 >> (16 - bits));
        state->buffer[lane] = buffer << bits;
        state->spare[lane] = (int8_t)(0 - (int)bits);
    }
    return QC_OK;
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, int is_tans,
                       qc_error *error)
{
    qc_lanes_state *state = &stream->state.lanes;
    qc_reader reader = qc_reader_of(body, size, 1);
    QC_TRY(qc_lanes_read_head(&reader, stream->width, is_tans, &state->code, error));
    qc_lanes_build_table(&state->code, &state->table);
    set_values(state);
    state->is_built = 0;
    QC_TRY(read_parts(&reader, stream->count, state, error));
    QC_TRY(check_low_end(state, stream->count, error));
    memset(state->buffer, 0, sizeof state->buffer);
    memset(state->state, 0, sizeof state->state);
    return stream->count > 0 ? load_lanes(state, error) : QC_OK;
}

static qc_status start_huffman(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    return start(stream, body, size, 0, error);
}

static qc_status start_tans(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    return start(stream, body, size, 1, error);
}

/* ---- next ---- */

/* One turn on a padded copy of the last words: as many may be missing as a turn takes. */
static qc_status decode_turn_at_end(qc_lanes_state *state, qc_lanes_decode_kernel *kernel,
                                    uint8_t *out, qc_error *error)
{
    uint8_t padded[QC_LANES_TURN + QC_LANES_SLACK] = {0};
    const uint8_t *words = state->words;
    size_t left = (size_t)(state->words_end - words);
    size_t copied = left < sizeof padded ? left : sizeof padded;
    memcpy(padded, words, copied);
    state->words = padded;
    kernel(state, out, 1);
    size_t used = (size_t)(state->words - padded);
    QC_CHECK(used <= left, QC_CORRUPT, "lanes: the words end before their symbols", 0, left, used);
    state->words = words + used;
    return QC_OK;
}

/* Of the next turns, those for which there are surely enough words. */
static size_t safe_turns(const qc_lanes_state *state, size_t turns)
{
    size_t left = (size_t)(state->words_end - state->words);
    size_t safe = left > QC_LANES_SLACK ? (left - QC_LANES_SLACK) / QC_LANES_TURN : 0;
    return safe < turns ? safe : turns;
}

static qc_status decode_turns(qc_lanes_state *state, uint8_t *out, size_t turns, qc_error *error)
{
    const qc_kernels *kernels = qc_kernels_selected();
    qc_lanes_decode_kernel *kernel =
        state->code.state_bits > 0 ? kernels->lanes_tans : kernels->lanes_huffman;
    while (turns > 0) {
        size_t safe = safe_turns(state, turns);
        if (safe > 0) {
            kernel(state, out, safe);
        } else {
            safe = 1;
            QC_TRY(decode_turn_at_end(state, kernel, out, error));
        }
        turns -= safe;
        out += safe * QC_LANES_TURN;
    }
    return QC_OK;
}

/* The last symbols, and the padding behind them. */
static qc_status decode_last(qc_lanes_state *state, uint8_t *out, size_t count, qc_error *error)
{
    uint8_t turn[QC_LANES_TURN];
    QC_TRY(decode_turns(state, turn, 1, error));
    memcpy(out, turn, count);
    for (size_t i = count; i < QC_LANES_TURN; i++)
        QC_CHECK(turn[i] == state->code.values[0], QC_CORRUPT, "lanes: padding", i, turn[i],
                 state->code.values[0]);
    return QC_OK;
}

static qc_status fill_escapes(qc_lanes_state *state, unsigned width, uint8_t *out, size_t count,
                              qc_error *error)
{
    const uint8_t *end = out + count;
    qc_lanes_fill_escapes_kernel *kernel = qc_kernels_selected()->lanes_fill_escapes;
    if (kernel != NULL) {
        size_t left = (size_t)(state->escapes_end - state->escapes), used;
        out += kernel(out, count, state->escape, width, state->escapes, left, &used);
        state->escapes += used;
    }
    while (out < end && (out = memchr(out, state->escape, (size_t)(end - out))) != NULL) {
        QC_CHECK(state->escapes < state->escapes_end, QC_CORRUPT, "lanes: too few literals", 0, 0,
                 1);
        unsigned literal = *state->escapes++;
        QC_CHECK(literal >> width == 0, QC_CORRUPT, "lanes: literal", 0, literal,
                 (1u << width) - 1);
        *out++ = (uint8_t)literal;
    }
    return QC_OK;
}

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_lanes_state *state = &stream->state.lanes;
    uint8_t *out = symbols;
    size_t rest = count % QC_LANES_TURN;
    if (!stream->is_fetched)
        qc_prefetch(state->words, count, state->words_end);
    QC_TRY(decode_turns(state, out, count / QC_LANES_TURN, error));
    if (rest > 0)
        QC_TRY(decode_last(state, out + count - rest, rest, error));
    if (state->code.low_bits > 0) {
        qc_kernels_selected()->lanes_add_low_bits(out, count, state->low, state->code.low_bits);
        state->low += (count + QC_LANES_BLOCK - 1) / QC_LANES_BLOCK * 8 * state->code.low_bits;
    }
    if (state->code.has_escape)
        return fill_escapes(state, stream->width, out, count, error);
    return QC_OK;
}

/* Whether the values of classes are all that symbols are made of, and all of them have items. */
static int have_items(const qc_lanes_code *code, const qc_look_up_table *table)
{
    if (code->low_bits > 0 || code->has_escape || code->classes > QC_NO_PLANES)
        return 0;
    for (unsigned index = 0; index < code->classes; index++)
        if (code->values[index] >= table->entries)
            return 0;
    return 1;
}

static size_t write_items(qc_stream *stream, qc_item_run *run, size_t count)
{
    qc_lanes_state *state = &stream->state.lanes;
    const qc_kernels *kernels = qc_kernels_selected();
    qc_lanes_items_kernel *kernel =
        state->code.state_bits > 0 ? kernels->lanes_tans_items : kernels->lanes_huffman_items;
    qc_item_run rest = *run;
    size_t left = count / QC_LANES_TURN, done;
    if (kernel == NULL || !have_items(&state->code, run->table))
        return 0;
    do {
        size_t turns = safe_turns(state, left);
        done = turns > 0 ? kernel(state, &rest, turns) : 0;
        rest.out += done * QC_LANES_TURN * run->table->item_size;
        left -= done;
    } while (done > 0);
    return (count / QC_LANES_TURN - left) * QC_LANES_TURN;
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    const qc_lanes_state *state = &stream->state.lanes;
    uint32_t bits = 0;
    unsigned states = 0;
    for (unsigned lane = 0; lane < QC_LANES; lane++) {
        bits |= state->buffer[lane];
        states |= state->state[lane];
    }
    QC_CHECK(state->words == state->words_end, QC_CORRUPT, "lanes: words after the last symbol", 0,
             (state->words_end - state->words) / 2, 0);
    QC_CHECK(bits == 0, QC_CORRUPT, "lanes: bits after the last symbol", 0, bits, 0);
    QC_CHECK(states == 0, QC_CORRUPT, "lanes: states after the last symbol", 0, states, 0);
    QC_CHECK(state->escapes == state->escapes_end, QC_CORRUPT,
             "lanes: literals after the last symbol", 0, state->escapes_end - state->escapes, 0);
    return QC_OK;
}

const qc_stream_decoder qc_lanes_huffman_decoder = {
    "lanes_huffman", 1, QC_LANES_MAX_WIDTH, start_huffman, next, NULL, write_items, NULL, finish};
const qc_stream_decoder qc_lanes_tans_decoder = {
    "lanes_tans", 1, QC_LANES_MAX_WIDTH, start_tans, next, NULL, write_items, NULL, finish};
