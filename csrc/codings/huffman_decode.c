/*
 * Coding 2, decoded. The next bits of a sub-stream, as many as the longest code has, are the index
 * of a table that gives the symbol and the length of its code: one look-up per symbol, whatever
 * its length.
 *
 * A symbol's code must be looked up before the next one's position is known, so one bit stream
 * decodes at the latency of a look-up. Symbol i is therefore in sub-stream i mod 4: four chains of
 * look-ups run at the same time. In the hot loop each of them loads 8 bytes without a branch, and
 * takes four symbols from the 56 bits or more that it then has. The loop only runs while all
 * sub-streams have 8 bytes left; what follows is read byte by byte.
 */
#include "codings/huffman_code.h"
#include "codings/stream.h"

#define STREAMS QC_HUFFMAN_STREAMS

/* The bits that a bit reader has at least after a refill, and the rounds of one symbol a
   sub-stream that they last for. */
#define REFILLED_BITS 56
#define ROUNDS        (REFILLED_BITS / QC_HUFFMAN_MAX_LENGTH)

/* A refill in the hot loop loads this many bytes and steps over fewer. */
#define REFILL_BYTES 8

/* table[next bits] = symbol << 8 | length. The lengths are complete, so that they fill it
   exactly. */
static void build_table(const uint8_t *lengths, unsigned symbols, qc_huffman_state *state)
{
    unsigned longest = 0;
    for (unsigned s = 0; s < symbols; s++)
        longest = lengths[s] > longest ? lengths[s] : longest;
    state->table_bits = longest;

    uint16_t *entry = state->table;
    for (unsigned length = 1; length <= longest; length++)
        for (unsigned s = 0; s < symbols; s++)
            if (lengths[s] == length)
                for (unsigned i = 0; i < 1u << (longest - length); i++)
                    *entry++ = (uint16_t)(s << 8 | length);
}

/* Cut the rest of the body into sub-streams. */
static qc_status open_readers(qc_reader *body, qc_huffman_state *state, qc_error *error)
{
    uint64_t sizes[STREAMS];
    size_t table_end;

    for (unsigned s = 0; s + 1 < state->streams; s++)
        QC_TRY(qc_read_vu(body, &sizes[s], "huffman: length of a sub-stream", error));
    table_end = body->at;
    for (unsigned s = 0; s < state->streams; s++) {
        size_t left = body->size - body->at;
        uint64_t size = s + 1 < state->streams ? sizes[s] : left;
        QC_CHECK(size <= left, QC_CORRUPT, "huffman: length of a sub-stream", table_end, size,
                 left);
        const uint8_t *first = body->data + body->at;
        body->at += (size_t)size;
        state->readers[s] = (qc_bit_reader){first, first + size, 0, 0};
    }
    return QC_OK;
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_huffman_state *state = &stream->state.huffman;
    qc_reader reader = qc_reader_of(body, size, 1);
    uint8_t lengths[QC_HUFFMAN_MAX_SYMBOLS];
    unsigned symbols;

    QC_TRY(qc_huffman_read_lengths(&reader, 1u << stream->width, lengths, &symbols, error));
    build_table(lengths, symbols, state);
    state->streams = qc_huffman_streams(stream->count);
    return open_readers(&reader, state, error);
}

/* Load 8 bytes and count as many of them as fit, without a branch. The bits below `count` are
   loaded already, or 0, and come out the same when they are loaded again; if the buffer has changed
   in between, as other bits. Any bits are codes: the lengths are complete. */
static inline void refill(qc_bit_reader *from)
{
    from->bits |= qc_load64_big_endian(from->next) >> from->count;
    from->next += (63 - from->count) >> 3;
    from->count |= REFILLED_BITS;
}

static inline uint8_t take_symbol(qc_bit_reader *from, const uint16_t *table, unsigned shift)
{
    unsigned entry = table[from->bits >> shift];
    from->bits <<= entry & 63;
    from->count -= entry & 63;
    return (uint8_t)(entry >> 8);
}

/* How many refills can load REFILL_BYTES inside every sub-stream. */
static size_t safe_refills(const qc_bit_reader *readers)
{
    size_t min = SIZE_MAX;
    for (unsigned s = 0; s < STREAMS; s++) {
        size_t refills = (size_t)(readers[s].end - readers[s].next) / REFILL_BYTES;
        min = refills < min ? refills : min;
    }
    return min;
}

/* The hot loop: decode a multiple of ROUNDS * STREAMS symbols, up to `count`, while all
   sub-streams have bytes to spare. Returns their number. */
static size_t decode_fast(qc_huffman_state *state, uint8_t *out, size_t count)
{
    const uint16_t *table = state->table;
    unsigned shift = 64 - state->table_bits;
    qc_bit_reader a = state->readers[0], b = state->readers[1];
    qc_bit_reader c = state->readers[2], d = state->readers[3];
    uint8_t *const begin = out;
    size_t turns = count / (ROUNDS * STREAMS);

    while (turns > 0) {
        size_t safe = safe_refills((qc_bit_reader[STREAMS]){a, b, c, d});
        safe = safe < turns ? safe : turns;
        if (safe == 0)
            break;
        turns -= safe;
        for (; safe > 0; safe--) {
            refill(&a);
            refill(&b);
            refill(&c);
            refill(&d);
            for (unsigned round = 0; round < ROUNDS; round++) {
                out[4 * round + 0] = take_symbol(&a, table, shift);
                out[4 * round + 1] = take_symbol(&b, table, shift);
                out[4 * round + 2] = take_symbol(&c, table, shift);
                out[4 * round + 3] = take_symbol(&d, table, shift);
            }
            out += ROUNDS * STREAMS;
        }
    }
    state->readers[0] = a, state->readers[1] = b;
    state->readers[2] = c, state->readers[3] = d;
    return (size_t)(out - begin);
}

/* Refill byte by byte, up to the sub-stream's end and 0 beyond. */
static inline void refill_exactly(qc_bit_reader *from)
{
    while (from->count < REFILLED_BITS && from->next < from->end) {
        from->bits |= (uint64_t)*from->next++ << (56 - from->count);
        from->count += 8;
    }
}

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_huffman_state *state = &stream->state.huffman;
    unsigned shift = 64 - state->table_bits;
    uint8_t *out = symbols;
    size_t done = state->streams == STREAMS ? decode_fast(state, out, count) : 0;

    for (size_t i = done; i < count; i++) {
        qc_bit_reader *from = &state->readers[i % state->streams];
        refill_exactly(from);
        QC_CHECK((state->table[from->bits >> shift] & 63u) <= from->count, QC_CORRUPT,
                 "huffman: a sub-stream ends before its symbols", 0, i % state->streams,
                 state->streams);
        out[i] = take_symbol(from, state->table, shift);
    }
    return QC_OK;
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    const qc_huffman_state *state = &stream->state.huffman;
    for (unsigned s = 0; s < state->streams; s++) {
        const qc_bit_reader *from = &state->readers[s];
        QC_CHECK(from->next == from->end && from->count < 8, QC_CORRUPT,
                 "huffman: a sub-stream has bytes after its symbols", 0, s, state->streams);
        QC_CHECK(from->bits == 0, QC_CORRUPT, "huffman: bits after the last code", 0, s,
                 state->streams);
    }
    return QC_OK;
}

const qc_stream_decoder qc_huffman_decoder = {"huffman", 1,    8,    start, next,
                                              NULL,      NULL, NULL, finish};
