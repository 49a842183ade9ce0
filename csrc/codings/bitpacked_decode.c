/*
 * Coding 1, decoded: every symbol has `width` bits, from the least significant bit of the first
 * byte on. Any symbol is found by arithmetic, so skipping costs nothing, and symbols of 8 bits are
 * viewed in place.
 *
 * Eight symbols take `width` bytes, a group. Up to 8 bits, a group is loaded as one number and its
 * symbols are spread to bytes in three steps: halves, quarters, eighths move to their places
 * (qc_spread). Loads may read beyond a group, so the last bytes of a body are unpacked from a
 * padded copy.
 */
#include "codings/stream.h"
#include "kernels/bitpacking.h"
#include "kernels/kernels.h"

/* Unpacking a group reads up to this many bytes from its first one. */
#define GROUP_READ 16

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    size_t expected = qc_bitpacked_bytes(stream->count, stream->width);
    unsigned used = (unsigned)(stream->count % QC_BITPACKED_GROUP) * stream->width % 8;
    QC_CHECK(size == expected, QC_CORRUPT, "bitpacked: body length", 0, size, expected);
    /* These bits are read again with the last symbols, and dropped whatever they are then. */
    QC_CHECK(used == 0 || body[size - 1] >> used == 0, QC_CORRUPT,
             "bitpacked: bits after the last symbol", size - 1, body[size - 1], 0);
    stream->state.bitpacked = (qc_bitpacked_state){body, size, 0};
    return QC_OK;
}

static inline void unpack_narrow(const uint8_t *in, size_t groups, unsigned width, uint8_t *out)
{
    for (size_t i = 0; i < groups; i++) {
        uint64_t x = qc_load64(in + i * width);
        x = qc_spread(x, 4 * width, 32);
        x = qc_spread(x, 2 * width, 16);
        x = qc_spread(x, width, 8);
        qc_store64(out + i * QC_BITPACKED_GROUP, x);
    }
}

static inline void unpack_wide(const uint8_t *in, size_t groups, unsigned width, uint16_t *out)
{
    /* Half a group starts in the middle of a byte if the width is odd. */
    unsigned half_bytes = width / 2, half_bits = width % 2 * 4;
    for (size_t i = 0; i < 2 * groups; i++) {
        const uint8_t *group = in + i / 2 * width;
        uint64_t x = i % 2 == 0 ? qc_load64(group) : qc_load64(group + half_bytes) >> half_bits;
        x = qc_spread(x, 2 * width, 32);
        x = qc_spread(x, width, 16);
        for (unsigned j = 0; j < 4; j++)
            out[4 * i + j] = (uint16_t)(x >> 16 * j);
    }
}

/* Unpack whole groups; at the last one GROUP_READ bytes must be readable. */
static void unpack_groups(const uint8_t *in, size_t groups, unsigned width, void *symbols)
{
    switch (width) { /* constants for the compiler to make vectors of */
    case 1: unpack_narrow(in, groups, 1, symbols); break;
    case 2: unpack_narrow(in, groups, 2, symbols); break;
    case 4: unpack_narrow(in, groups, 4, symbols); break;
    case 8: memcpy(symbols, in, groups * QC_BITPACKED_GROUP); break;
    case 16: unpack_wide(in, groups, 16, symbols); break;
    default:
        if (width < 8)
            unpack_narrow(in, groups, width, symbols);
        else
            unpack_wide(in, groups, width, symbols);
    }
}

/* Unpack symbols [first, first + count) of one group, on a padded copy of its bytes. */
static void unpack_part(const qc_bitpacked_state *state, unsigned width, size_t first, size_t count,
                        uint8_t *symbols)
{
    uint8_t bytes[GROUP_READ] = {0};
    uint16_t group[QC_BITPACKED_GROUP]; /* of uint8_t, if narrow */
    size_t offset = first / QC_BITPACKED_GROUP * width, left = state->size - offset;
    size_t symbol_size = qc_symbol_size(width);

    memcpy(bytes, state->data + offset, left < width ? left : width);
    unpack_groups(bytes, 1, width, group);
    memcpy(symbols, (const uint8_t *)group + first % QC_BITPACKED_GROUP * symbol_size,
           count * symbol_size);
}

/* Unpack whole groups, some of up to `count` symbols; returns how many symbols. Reads in the first
   `left` bytes. */
static size_t unpack_some(const uint8_t *in, size_t left, unsigned width, size_t count,
                          uint8_t *symbols)
{
    size_t whole = count - count % QC_BITPACKED_GROUP, done = 0;
    qc_unpack_kernel *kernel = qc_kernels_selected()->unpack;
    if (kernel != NULL && width < 8)
        done = kernel(in, left, width, symbols, whole);
    in += done / QC_BITPACKED_GROUP * width;
    left -= done / QC_BITPACKED_GROUP * width;
    size_t readable = left < GROUP_READ ? 0 : (left - GROUP_READ) / width + 1;
    size_t groups = (whole - done) / QC_BITPACKED_GROUP;
    groups = groups < readable ? groups : readable;
    unpack_groups(in, groups, width, symbols + done * qc_symbol_size(width));
    return done + groups * QC_BITPACKED_GROUP;
}

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_bitpacked_state *state = &stream->state.bitpacked;
    unsigned width = stream->width;
    uint8_t *out = symbols;

    (void)error;
    size_t at = state->next * width / 8;
    if (!stream->is_fetched)
        qc_prefetch(state->data + at, count * width / 8, state->data + state->size);
    while (count > 0) {
        size_t in_group = state->next % QC_BITPACKED_GROUP, take = 0;
        size_t offset = state->next / QC_BITPACKED_GROUP * width;
        if (in_group == 0)
            take = unpack_some(state->data + offset, state->size - offset, width, count, out);
        if (take == 0) {
            take = QC_BITPACKED_GROUP - in_group < count ? QC_BITPACKED_GROUP - in_group : count;
            unpack_part(state, width, state->next, take, out);
        }
        state->next += take;
        out += take * qc_symbol_size(width);
        count -= take;
    }
    return QC_OK;
}

static const uint8_t *view(qc_stream *stream, size_t count)
{
    qc_bitpacked_state *state = &stream->state.bitpacked;
    if (stream->width != 8)
        return NULL;
    if (!stream->is_fetched)
        qc_prefetch(state->data + state->next, count, state->data + state->size);
    state->next += count;
    return state->data + state->next - count;
}

/* Symbols are found again wherever they begin, so none are kept. Those without an item are left to
   the caller, who finds out which one it is. */
static size_t write_items(qc_stream *stream, qc_item_run *run, size_t count)
{
    qc_bitpacked_state *state = &stream->state.bitpacked;
    qc_unpack_items_kernel *kernel = qc_kernels_selected()->unpack_items;
    unsigned width = stream->width;
    size_t first = state->next - run->keep, bit = first * width, keep = run->keep;
    uint8_t max = 0;
    if (kernel == NULL || width > QC_UNPACK_ITEMS_MAX_WIDTH)
        return 0;
    size_t done = kernel(state->data + bit / 8, state->size - bit / 8, bit % 8, width, run,
                         keep + count, &max);
    if (done < keep || max >= run->table->entries)
        return 0;
    state->next = first + done;
    run->keep = 0;
    return done - keep;
}

static qc_status skip(qc_stream *stream, size_t count, qc_error *error)
{
    (void)error;
    stream->state.bitpacked.next += count;
    return QC_OK;
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    (void)stream, (void)error;
    return QC_OK;
}

const qc_stream_decoder qc_bitpacked_decoder = {"bitpacked", 1,           16,   start, next,
                                                view,        write_items, skip, finish};
