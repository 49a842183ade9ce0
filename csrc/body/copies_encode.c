/*
 * Positions form copies, encoded: the copies by the rule that promises the fewest bits.
 */
#include "base/log2_fixed.h"
#include "body/chunk_encode.h"
#include "body/copies/copies_search.h"

/* The heads of streams. */
#define STREAM_BYTES 3

/* What the copies of a chunk are before they are streams. */
typedef struct numbers {
    uint8_t *runs, *lengths, *distances, *directions, *steps; /* symbols */
    uint8_t *low;
    size_t bit;
    unsigned options;
} numbers;

size_t qc_copies_low_bytes(size_t elements)
{
    return (qc_copies_max(elements) * QC_COPY_LOW + 7) / 8 + 8; /* stores write whole words */
}

size_t qc_copies_bound(const qc_frame *frame, size_t elements)
{
    size_t copies = qc_copies_max(elements);
    size_t signs = qc_mask_symbols(elements, QC_COPIES_SIGN_WIDTH);
    (void)frame;
    return 1 + 2 * QC_VU_MAX_BYTES + 4 * qc_stream_bound(copies, 8) + qc_stream_bound(copies, 1) +
           qc_stream_bound(qc_copies_low_bytes(elements), 8) + qc_stream_bound(signs, 8);
}

size_t qc_copies_encode_workspace(const qc_frame *frame, size_t elements)
{
    size_t copies = qc_copies_max(elements);
    size_t signs = qc_mask_symbols(elements, QC_COPIES_SIGN_WIDTH);
    (void)frame;
    return 2 * qc_arena_size(copies * sizeof(qc_copy)) +
           qc_arena_size(qc_copies_workspace(elements)) + 3 * qc_arena_size(signs) +
           5 * qc_arena_size(copies) + qc_arena_size(qc_copies_low_bytes(elements));
}

/* ---- signs ---- */

static inline unsigned bit_of(const uint8_t *bits, size_t i) { return bits[i / 8] >> i % 8 & 1; }

static inline void set_bit(uint8_t *bits, size_t i, unsigned bit)
{
    bits[i / 8] = (uint8_t)((bits[i / 8] & ~(1u << i % 8)) | bit << i % 8);
}

/* The top bits of all elements. */
static void take_tops(const qc_chunk_encoder *encoder, uint8_t *tops)
{
    const uint8_t *values = encoder->values, one[2] = {1, 0};
    size_t size = encoder->frame->item_size;
    uint16_t is_little;
    memcpy(&is_little, one, 2);
    const uint8_t *top = is_little == 1 ? values + size - 1 : values;
    for (size_t i = 0; i < encoder->input->elements; i++)
        set_bit(tops, i, top[i * size] >> 7);
}

/* Where the signs of copies differ from those that they copy, which are not flipped themselves. */
static void find_signs(const qc_chunk_encoder *encoder, const qc_copies *found, uint8_t *tops,
                       uint8_t *signs)
{
    size_t at = 0;
    memset(signs, 0, qc_mask_symbols(encoder->input->elements, QC_COPIES_SIGN_WIDTH));
    take_tops(encoder, tops);
    for (size_t n = 0; n < found->count; n++) {
        const qc_copy *copy = &found->copies[n];
        at += copy->run;
        for (size_t i = 0; i < copy->length; i++) {
            size_t from = at - copy->distance;
            unsigned sign = bit_of(tops, copy->mirrored ? from - i : from + i);
            set_bit(signs, at + i, sign ^ bit_of(tops, at + i));
            set_bit(tops, at + i, sign);
        }
        at += copy->length;
    }
}

/* An estimate of the bytes of the signs. */
static size_t signs_bytes(const qc_chunk_encoder *encoder, const uint8_t *signs)
{
    uint64_t counts[256] = {0};
    size_t symbols = qc_mask_symbols(encoder->input->elements, QC_COPIES_SIGN_WIDTH);
    for (size_t i = 0; i < symbols; i++)
        counts[signs[i]]++;
    return qc_stream_estimate(counts, 8, encoder->encoding.codings, encoder->encoding.profile,
                              encoder->stream_workspace);
}

/* ---- the choice ---- */

/* Keep in `best` the better one of two; `other` gets the memory of the worse one. */
static void keep_better(qc_copies *best, qc_copies *other)
{
    if (other->cost < best->cost) {
        qc_copies found = *other;
        *other = *best;
        *best = found;
    }
}

static qc_status find_copies(qc_chunk_encoder *encoder, qc_copies *best, uint8_t *tops,
                             uint8_t *signs)
{
    const qc_frame *frame = encoder->frame;
    qc_error *error = encoder->error;
    size_t count = encoder->input->elements, copies = qc_copies_max(count) * sizeof(qc_copy);
    unsigned options = qc_copies_options(frame);
    qc_copies_input input = {encoder->values, count, qc_stored_size(frame), &encoder->ticker};
    qc_copies other = {.copies = qc_arena_take(&encoder->arena, copies)};
    void *workspace = qc_arena_take(&encoder->arena, qc_copies_workspace(count));
    *best = (qc_copies){.copies = qc_arena_take(&encoder->arena, copies)};
    qc_copies_search(&input, QC_COPY_EXACT, best, workspace);
    if (options & QC_COPIES_STEPS) {
        qc_copies_search(&input, QC_COPY_STEPS, &other, workspace);
        other.cost += STREAM_BYTES * 8 * QC_LOG2_ONE;
        keep_better(best, &other);
    }
    if (options & QC_COPIES_SIGNS) {
        qc_copies_search(&input, QC_COPY_SIGNS, &other, workspace);
        find_signs(encoder, &other, tops, signs);
        other.cost += (STREAM_BYTES + signs_bytes(encoder, signs)) * 8 * QC_LOG2_ONE;
        keep_better(best, &other);
    }
    QC_GO_ON_IF(!encoder->ticker.stopped);
    return QC_OK;
}

/* ---- writing ---- */

static uint8_t put_number(numbers *numbers, uint32_t number)
{
    unsigned symbol = qc_number_symbol(number), low = qc_number_low_bits(symbol);
    uint8_t *to = numbers->low + numbers->bit / 8;
    uint32_t bits = (number & ((1u << low) - 1)) << numbers->bit % 8;
    qc_store32(to, to[0] | bits);
    numbers->bit += low;
    return (uint8_t)symbol;
}

static void put_copies(numbers *numbers, const qc_copies *found)
{
    qc_copy_memory memory = {0, 0};
    size_t at = 0;
    numbers->low[0] = 0;
    for (size_t i = 0; i < found->count; i++) {
        const qc_copy *copy = &found->copies[i];
        at += copy->run;
        numbers->runs[i] = put_number(numbers, copy->run);
        numbers->lengths[i] = put_number(numbers, copy->length - 1);
        numbers->distances[i] = put_number(numbers, qc_number_of_distance(&memory, at, copy));
        numbers->directions[i] = (uint8_t)copy->mirrored;
        numbers->steps[i] = put_number(numbers, qc_number_of_step(copy->step));
        numbers->options |= copy->mirrored ? QC_COPIES_DIRECTIONS : 0;
        numbers->options |= copy->step != 0 ? QC_COPIES_STEPS : 0;
        qc_remember_copy(&memory, at, copy);
        at += copy->length;
    }
}

/* Move the stored elements together. */
static void keep_stored(qc_chunk_encoder *encoder, const qc_copies *found)
{
    size_t size = qc_stored_size(encoder->frame), elements = encoder->input->elements;
    uint8_t *values = encoder->values, *from = values, *to = values;
    for (size_t i = 0; i <= found->count; i++) {
        size_t length = i < found->count ? found->copies[i].length : 0;
        size_t run =
            i < found->count ? found->copies[i].run : elements - (size_t)(from - values) / size;
        memmove(to, from, run * size);
        to += run * size;
        from += (run + length) * size;
    }
    encoder->stored = found->stored;
}

static qc_status write_numbers(qc_chunk_encoder *encoder, const numbers *numbers, size_t count)
{
    size_t low = (numbers->bit + 7) / 8;
    encoder->size += qc_write_vu(encoder->out + encoder->size, encoder->stored);
    encoder->out[encoder->size++] = (uint8_t)numbers->options;
    encoder->size += qc_write_vu(encoder->out + encoder->size, count);
    encoder->size += qc_write_vu(encoder->out + encoder->size, low);
    QC_TRY(qc_write_stream(encoder, numbers->runs, count, 8));
    QC_TRY(qc_write_stream(encoder, numbers->lengths, count, 8));
    QC_TRY(qc_write_stream(encoder, numbers->distances, count, 8));
    if (numbers->options & QC_COPIES_DIRECTIONS)
        QC_TRY(qc_write_stream(encoder, numbers->directions, count, 1));
    if (numbers->options & QC_COPIES_STEPS)
        QC_TRY(qc_write_stream(encoder, numbers->steps, count, 8));
    return qc_write_stream(encoder, numbers->low, low, 8);
}

qc_status qc_write_copies(qc_chunk_encoder *encoder)
{
    size_t elements = encoder->input->elements, copies = qc_copies_max(elements);
    size_t symbols = qc_mask_symbols(elements, QC_COPIES_SIGN_WIDTH);
    uint8_t *tops = qc_arena_take(&encoder->arena, symbols);
    uint8_t *signs = qc_arena_take(&encoder->arena, symbols);
    numbers numbers = {0};
    uint8_t **all[] = {&numbers.runs, &numbers.lengths, &numbers.distances, &numbers.directions,
                       &numbers.steps};
    qc_copies found;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = qc_arena_take(&encoder->arena, copies);
    numbers.low = qc_arena_take(&encoder->arena, qc_copies_low_bytes(elements));
    QC_TRY(find_copies(encoder, &found, tops, signs));
    if (found.rule == QC_COPY_SIGNS) {
        find_signs(encoder, &found, tops, signs);
        numbers.options |= QC_COPIES_SIGNS;
    }
    put_copies(&numbers, &found);
    keep_stored(encoder, &found);
    QC_TRY(write_numbers(encoder, &numbers, found.count));
    return numbers.options & QC_COPIES_SIGNS ? qc_write_stream(encoder, signs, symbols, 8) : QC_OK;
}
