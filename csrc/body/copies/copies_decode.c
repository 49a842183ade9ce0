/*
 * Positions form copies, decoded: numbers of copies, and copying in the output.
 *
 * Every number is checked before it is used: a copy that is passed on reads and writes inside the
 * chunk, whatever the bytes are.
 */
#include "body/copies/copies_decode.h"

/* ---- opening ---- */

static qc_status read_options(qc_reader *reader, const qc_frame *frame, unsigned *options,
                              qc_error *error)
{
    unsigned allowed = qc_copies_options(frame);
    QC_TRY(qc_read_u8(reader, options, "copies: options", error));
    QC_CHECK((*options & ~allowed) == 0, QC_UNSUPPORTED, "copies: options", reader->at - 1,
             *options, allowed);
    return QC_OK;
}

qc_status qc_copies_open(qc_copies_decoder *copies, const qc_frame *frame, const qc_chunk *chunk,
                         qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    uint64_t features = frame->features;
    size_t count;
    memset(copies, 0, offsetof(qc_copies_decoder, runs));
    memset(copies->low_bytes, 0, sizeof copies->low_bytes);
    QC_TRY(qc_read_size(reader, chunk->elements, &copies->stored, "positions: stored elements",
                        error));
    QC_TRY(read_options(reader, frame, &copies->options, error));
    /* A copy has an element. */
    QC_TRY(qc_read_size(reader, chunk->elements - copies->stored, &count, "copies: copies", error));
    QC_TRY(qc_read_size(reader, (count * QC_COPY_LOW + 7) / 8, &copies->low_left,
                        "copies: bytes of low bits", error));
    copies->elements = chunk->elements;
    copies->stored_left = copies->stored;
    QC_TRY(qc_stream_open(&copies->runs, reader, count, 8, features, shared, error));
    QC_TRY(qc_stream_open(&copies->lengths, reader, count, 8, features, shared, error));
    QC_TRY(qc_stream_open(&copies->distances, reader, count, 8, features, shared, error));
    if (copies->options & QC_COPIES_DIRECTIONS)
        QC_TRY(qc_stream_open(&copies->directions, reader, count, 1, features, shared, error));
    if (copies->options & QC_COPIES_STEPS)
        QC_TRY(qc_stream_open(&copies->steps, reader, count, 8, features, shared, error));
    QC_TRY(qc_stream_open(&copies->low, reader, copies->low_left, 8, features, shared, error));
    if (copies->options & QC_COPIES_SIGNS)
        QC_TRY(qc_stream_open(&copies->signs, reader,
                              qc_mask_symbols(chunk->elements, QC_COPIES_SIGN_WIDTH), 8, features,
                              shared, error));
    return QC_OK;
}

/* ---- numbers ---- */

/* Have all low bits that the buffered copies may take, as far as there are any. */
static qc_status fetch_low(qc_copies_decoder *copies, qc_error *error)
{
    QC_CHECK(copies->bit <= 8 * copies->low_size, QC_CORRUPT,
             "copies: more low bits than are stored", 0, copies->bit, 8 * copies->low_size);
    size_t used = copies->bit / 8, left = copies->low_size - used;
    size_t needed = (copies->buffered * QC_COPY_LOW + 7) / 8 + 1;
    memmove(copies->low_bytes, copies->low_bytes + used, left);
    copies->bit %= 8;
    while (left < needed && copies->low.left > 0) {
        size_t count = copies->low.left < QC_STREAM_BLOCK ? copies->low.left : QC_STREAM_BLOCK;
        QC_TRY(qc_stream_next(&copies->low, copies->low_bytes + left, count, error));
        left += count;
    }
    copies->low_size = left;
    /* Bytes that are missing read as zeros. The check above, or the one at the end, reports them.
     */
    memset(copies->low_bytes + left, 0, sizeof copies->low_bytes - left);
    return QC_OK;
}

static qc_status refill(qc_copies_decoder *copies, qc_error *error)
{
    size_t left = copies->runs.left, count = left < QC_COPIES_BUFFER ? left : QC_COPIES_BUFFER;
    QC_TRY(qc_stream_next(&copies->runs, copies->run_symbols, count, error));
    QC_TRY(qc_stream_next(&copies->lengths, copies->length_symbols, count, error));
    QC_TRY(qc_stream_next(&copies->distances, copies->distance_symbols, count, error));
    if (copies->options & QC_COPIES_DIRECTIONS)
        QC_TRY(qc_stream_next(&copies->directions, copies->direction_symbols, count, error));
    if (copies->options & QC_COPIES_STEPS)
        QC_TRY(qc_stream_next(&copies->steps, copies->step_symbols, count, error));
    copies->buffered = count;
    copies->used = 0;
    return fetch_low(copies, error);
}

static qc_status take_number(qc_copies_decoder *copies, unsigned symbol, uint32_t *number,
                             qc_error *error)
{
    QC_CHECK(symbol < QC_NUMBER_SYMBOLS, QC_CORRUPT, "copies: symbol of a number", 0, symbol,
             QC_NUMBER_SYMBOLS - 1);
    unsigned low = qc_number_low_bits(symbol);
    uint32_t bits = qc_load32(copies->low_bytes + copies->bit / 8) >> copies->bit % 8;
    copies->bit += low;
    *number = qc_number_base(symbol) + (bits & ((1u << low) - 1));
    return QC_OK;
}

static qc_status take_distance(qc_copies_decoder *copies, size_t at, qc_copy *copy, qc_error *error)
{
    uint32_t number;
    QC_TRY(take_number(copies, copies->distance_symbols[copies->used], &number, error));
    if (number == 0)
        number =
            copy->mirrored ? (uint32_t)(2 * at) - copies->memory.axis : copies->memory.distance;
    QC_CHECK(number > 0 && number <= at, QC_CORRUPT, "copies: distance", 0, number, at);
    copy->distance = number;
    qc_remember_copy(&copies->memory, at, copy);
    return QC_OK;
}

/* The symbols of the next copy, as numbers. */
static qc_status take_copy(qc_copies_decoder *copies, qc_copy *copy, qc_error *error)
{
    size_t i = copies->used, left = copies->elements - copies->at;
    uint32_t step = 0;
    QC_TRY(take_number(copies, copies->run_symbols[i], &copy->run, error));
    /* Copies that came before may have taken places of stored elements. */
    QC_CHECK(copy->run <= copies->stored_left && copy->run <= left, QC_CORRUPT,
             "copies: stored elements before a copy", 0, copy->run, copies->stored_left);
    left -= copy->run;
    QC_TRY(take_number(copies, copies->length_symbols[i], &copy->length, error));
    QC_CHECK(copy->length < left, QC_CORRUPT, "copies: length", 0, copy->length, left);
    copy->length++;
    copy->mirrored = copies->options & QC_COPIES_DIRECTIONS ? copies->direction_symbols[i] : 0;
    size_t at = copies->at + copy->run;
    QC_TRY(take_distance(copies, at, copy, error));
    QC_CHECK(!copy->mirrored || copy->length <= at - copy->distance + 1, QC_CORRUPT,
             "copies: length of a mirrored copy", 0, copy->length, at - copy->distance + 1);
    if (copies->options & QC_COPIES_STEPS)
        QC_TRY(take_number(copies, copies->step_symbols[i], &step, error));
    copy->step = qc_step_of_number(step);
    return QC_OK;
}

qc_status qc_copies_next(qc_copies_decoder *copies, qc_copy *copy, qc_error *error)
{
    if (copies->used == copies->buffered && copies->runs.left > 0)
        QC_TRY(refill(copies, error));
    if (copies->used == copies->buffered) {
        size_t left = copies->elements - copies->at;
        QC_CHECK(left == copies->stored_left, QC_CORRUPT, "copies: elements after the last copy", 0,
                 left, copies->stored_left);
        *copy = (qc_copy){(uint32_t)left, 0, 0, 0, 0};
    } else {
        QC_TRY(take_copy(copies, copy, error));
        copies->used++;
    }
    copies->stored_left -= copy->run;
    copies->at += copy->run + copy->length;
    return QC_OK;
}

/* ---- copying ---- */

/* If the source overlaps the copy, they repeat a pattern, and what is copied can be copied again.
 */
static void copy_forward(uint8_t *to, size_t distance, size_t length)
{
    while (length > 0) {
        size_t count = length < distance ? length : distance;
        memcpy(to, to - distance, count);
        to += count;
        length -= count;
        distance += count;
    }
}

/* By the type of the items. */
#define COPY_ITEMS(type)                                                                           \
    for (size_t i = 0; i < copy->length; i++) {                                                    \
        type item;                                                                                 \
        memcpy(&item, copy->mirrored ? from - i * sizeof item : from + i * sizeof item,            \
               sizeof item);                                                                       \
        item = (type)(item + (type)copy->step);                                                    \
        memcpy(to + i * sizeof item, &item, sizeof item);                                          \
    }

void qc_copies_put(const qc_copy *copy, uint8_t *to, size_t size)
{
    const uint8_t *from = to - copy->distance * size;
    if (!copy->mirrored && copy->step == 0) {
        copy_forward(to, copy->distance * size, copy->length * size);
        return;
    }
    switch (size) {
    case 1: COPY_ITEMS(uint8_t) break;
    case 2: COPY_ITEMS(uint16_t) break;
    case 4: COPY_ITEMS(uint32_t) break;
    default: COPY_ITEMS(uint64_t)
    }
}

/* ---- signs ---- */

#define FLIP_ITEMS(type)                                                                           \
    for (size_t i = 0; i < count; i++) {                                                           \
        type item;                                                                                 \
        memcpy(&item, out + i * sizeof item, sizeof item);                                         \
        item ^= (type)((type)(signs[i / 8] >> i % 8 & 1) << (8 * sizeof item - 1));                \
        memcpy(out + i * sizeof item, &item, sizeof item);                                         \
    }

static void flip(uint8_t *out, const uint8_t *signs, size_t count, size_t size)
{
    switch (size) {
    case 2: FLIP_ITEMS(uint16_t) break;
    case 4: FLIP_ITEMS(uint32_t) break;
    default: FLIP_ITEMS(uint64_t)
    }
}

qc_status qc_copies_flip(qc_copies_decoder *copies, uint8_t *out, size_t size, qc_error *error)
{
    uint8_t signs[QC_STREAM_BLOCK];
    size_t left = copies->elements;
    if ((copies->options & QC_COPIES_SIGNS) == 0)
        return QC_OK;
    while (left > 0) {
        size_t count = left < 8 * QC_STREAM_BLOCK ? left : 8 * QC_STREAM_BLOCK;
        size_t symbols = qc_mask_symbols(count, QC_COPIES_SIGN_WIDTH);
        QC_TRY(qc_stream_next(&copies->signs, signs, symbols, error));
        QC_CHECK(count % 8 == 0 || signs[symbols - 1] >> count % 8 == 0, QC_CORRUPT,
                 "copies: signs beyond the last element", 0, signs[symbols - 1], 0);
        if (out != NULL) {
            flip(out, signs, count, size);
            out += count * size;
        }
        left -= count;
    }
    return QC_OK;
}

qc_status qc_copies_finish(qc_copies_decoder *copies, qc_error *error)
{
    QC_CHECK(copies->low.left == 0 && (copies->bit + 7) / 8 == copies->low_size, QC_CORRUPT,
             "copies: low bits are left over", 0, copies->bit, 8 * copies->low_size);
    QC_CHECK(copies->bit % 8 == 0 || copies->low_bytes[copies->bit / 8] >> copies->bit % 8 == 0,
             QC_CORRUPT, "copies: bits after the last low bits", 0, 1, 0);
    QC_TRY(qc_stream_finish(&copies->runs, error));
    QC_TRY(qc_stream_finish(&copies->lengths, error));
    QC_TRY(qc_stream_finish(&copies->distances, error));
    if (copies->options & QC_COPIES_DIRECTIONS)
        QC_TRY(qc_stream_finish(&copies->directions, error));
    if (copies->options & QC_COPIES_STEPS)
        QC_TRY(qc_stream_finish(&copies->steps, error));
    QC_TRY(qc_stream_finish(&copies->low, error));
    return copies->options & QC_COPIES_SIGNS ? qc_stream_finish(&copies->signs, error) : QC_OK;
}
