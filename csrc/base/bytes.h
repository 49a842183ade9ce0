/*
 * Bytes, bounds and errors: what all readers and writers use.
 */
#ifndef QC_BYTES_H
#define QC_BYTES_H

#include <string.h>

#include "base/check.h"

#define QC_VU_MAX_BYTES 8
#define QC_VU_LIMIT     ((uint64_t)1 << 56)

/* For sizes that come from input: nonzero if the sum does not fit. */
static inline int qc_add_overflows(size_t a, size_t b, size_t *sum)
{
    *sum = a + b;
    return *sum < a;
}

/* A number of bytes that was read, as a size_t: only on 32-bit machines a frame can declare more
   than fits. */
static inline qc_status qc_to_size(uint64_t value, size_t *size, const char *what, size_t at,
                                   qc_error *error)
{
#if SIZE_MAX < UINT64_MAX
    QC_CHECK(value <= SIZE_MAX, QC_LIMIT, what, at, value, SIZE_MAX);
#else
    (void)what, (void)at, (void)error;
#endif
    *size = (size_t)value;
    return QC_OK;
}

/* Little-endian loads and stores at any address, on any machine. */
static inline uint32_t qc_load16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

static inline uint32_t qc_load32(const uint8_t *p) { return qc_load16(p) | qc_load16(p + 2) << 16; }

static inline uint64_t qc_load64(const uint8_t *p)
{
    return (uint64_t)qc_load32(p) | (uint64_t)qc_load32(p + 4) << 32;
}

static inline uint64_t qc_load64_big_endian(const uint8_t *p)
{
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t value;
    memcpy(&value, p, 8);
    return __builtin_bswap64(value);
#else
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | p[i];
    return value;
#endif
}

static inline void qc_store16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline void qc_store32(uint8_t *p, uint32_t value)
{
    qc_store16(p, value);
    qc_store16(p + 2, value >> 16);
}

static inline void qc_store64(uint8_t *p, uint64_t value)
{
    qc_store32(p, (uint32_t)value);
    qc_store32(p + 4, (uint32_t)(value >> 32));
}

static inline void qc_store64_big_endian(uint8_t *p, uint64_t value)
{
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    value = __builtin_bswap64(value);
    memcpy(p, &value, 8);
#else
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(value >> (56 - 8 * i));
#endif
}

/* Elements between the machine's order and little-endian, in place: both ways the same. */
static inline void qc_swap_if_big_endian(uint8_t *bytes, size_t item_size, size_t count)
{
    const uint16_t one = 1;
    uint8_t low;
    memcpy(&low, &one, 1);
    if (low == 1 || item_size == 1)
        return;
    /* GCOVR_EXCL_START: big-endian machines (tests/c/test_other_machines.py) */
    for (size_t i = 0; i < count; i++, bytes += item_size)
        for (size_t a = 0, b = item_size - 1; a < b; a++, b--) {
            uint8_t byte = bytes[a];
            bytes[a] = bytes[b];
            bytes[b] = byte;
        }
    /* GCOVR_EXCL_STOP */
}

/* The number of bits of `value`: 0 for 0, 3 for 5. */
static inline unsigned qc_bit_length(uint64_t value)
{
#if defined(__GNUC__)
    return value != 0 ? 64 - (unsigned)__builtin_clzll(value) : 0;
#else
    unsigned bits = 0;
    while (value != 0) {
        bits++;
        value >>= 1;
    }
    return bits;
#endif
}

/* Bytes of one symbol in memory. */
static inline size_t qc_symbol_size(unsigned width) { return width <= 8 ? 1 : 2; }

/* A cursor over the caller's bytes. If they run out, that is Truncated in a head, but Corrupt
   where the length of the part is known (format, section 6). */
typedef struct qc_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    int length_known;
} qc_reader;

static inline qc_reader qc_reader_of(const void *data, size_t size, int length_known)
{
    qc_reader reader = {(const uint8_t *)data, size, 0, length_known};
    return reader;
}

#define QC_SHORT(reader) ((reader)->length_known ? QC_CORRUPT : QC_TRUNCATED)

/* Moves past `count` bytes, any number that was read, and points *bytes to them. */
static inline qc_status qc_read_bytes(qc_reader *reader, uint64_t count, const uint8_t **bytes,
                                      const char *what, qc_error *error)
{
    QC_CHECK(count <= reader->size - reader->at, QC_SHORT(reader), what, reader->at, reader->size,
             reader->at + count);
    *bytes = reader->data + reader->at;
    reader->at += (size_t)count;
    return QC_OK;
}

static inline qc_status qc_read_u8(qc_reader *reader, unsigned *value, const char *what,
                                   qc_error *error)
{
    const uint8_t *p;
    QC_TRY(qc_read_bytes(reader, 1, &p, what, error));
    *value = p[0];
    return QC_OK;
}

static inline qc_status qc_read_vu(qc_reader *reader, uint64_t *value, const char *what,
                                   qc_error *error)
{
    uint64_t result = 0;
    for (unsigned i = 0; i < QC_VU_MAX_BYTES; i++) {
        unsigned byte;
        QC_TRY(qc_read_u8(reader, &byte, what, error));
        result |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            QC_CHECK(byte != 0 || i == 0, QC_CORRUPT, "LEB128 integer is not in its shortest form",
                     reader->at - 1, byte, 1);
            *value = result;
            return QC_OK;
        }
    }
    return qc_fail(error, QC_CORRUPT, "LEB128 integer is longer than 8 bytes", reader->at, 9,
                   QC_VU_MAX_BYTES);
}

/* A number that is at most `max`. */
static inline qc_status qc_read_size(qc_reader *reader, size_t max, size_t *size, const char *what,
                                     qc_error *error)
{
    uint64_t value;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &value, what, error));
    QC_CHECK(value <= max, QC_CORRUPT, what, at, value, max);
    *size = (size_t)value;
    return QC_OK;
}

static inline size_t qc_vu_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        size++;
        value >>= 7;
    }
    return size;
}

/* Writes qc_vu_size(value) bytes and returns their number. */
static inline size_t qc_write_vu(uint8_t *out, uint64_t value)
{
    size_t size = 0;
    while (value >= 0x80) {
        out[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    return size;
}

/* ---- prefetching ---- */

#define QC_PREFETCH_AHEAD ((size_t)4096)

/* `used` bytes at `next`, of those up to `end`, are about to be read in order: fetch as many that
   come some way behind them. Streams that are read in turns, a block of each, are more than the
   machine foresees by itself. */
static inline void qc_prefetch(const uint8_t *next, size_t used, const uint8_t *end)
{
    size_t left = (size_t)(end - next);
    size_t stop = used + QC_PREFETCH_AHEAD < left ? used + QC_PREFETCH_AHEAD : left;
#if defined(__GNUC__) || defined(__clang__)
    for (size_t at = QC_PREFETCH_AHEAD; at < stop; at += 64)
        __builtin_prefetch(next + at, 0, 3);
#else
    (void)stop;
#endif
}

#endif /* QC_BYTES_H */
