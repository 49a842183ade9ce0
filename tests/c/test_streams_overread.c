/*
 * Streams that end where the next byte cannot be read, and symbols that end where the next byte
 * cannot be written: whole, cut at every length, and with bytes changed. A decoder must never touch
 * the guard page, and a cut stream must never be accepted.
 */
#include "support.h"

#define MAX_COUNT    600
#define MUTATIONS    12
#define WORKSPACE_AT 3 /* any alignment will do */

static guarded input, output, scratch;

static qc_status decode_at_guard(const uint8_t *data, size_t size, size_t count, unsigned width)
{
    size_t symbol_size = width <= 8 ? 1 : 2;
    uint8_t *stream = last_bytes(input, size);
    memcpy(stream, data, size);
    return qc_stream_decode(stream, size, count, width, last_bytes(output, count * symbol_size),
                            last_bytes(scratch, QC_WORKSPACE_BYTES), NULL, NULL);
}

static void check(const void *symbols, size_t count, unsigned width, uint64_t codings)
{
    size_t capacity = qc_stream_bound(count, width), size;
    uint8_t *data = malloc(capacity);
    uint8_t *out = last_bytes(output, capacity);
    if (qc_stream_encode(symbols, count, width, codings, QC_SMALL, out, capacity, &size,
                         last_bytes(scratch, QC_STREAM_ENCODE_WORKSPACE(count)), NULL,
                         NULL) != QC_OK) {
        free(data);
        return;
    }
    memcpy(data, out, size);
    CHECK(decode_at_guard(data, size, count, width) == QC_OK, "coding %u", data[0]);
    for (size_t cut = 0; cut < size; cut++)
        CHECK(decode_at_guard(data, cut, count, width) == QC_TRUNCATED, "coding %u cut at %zu",
              data[0], cut);
    for (unsigned i = 0; i < MUTATIONS; i++) { /* accepted or not: only without a fault */
        size_t at = (size_t)(random_bits() % size);
        uint8_t before = data[at];
        data[at] = (uint8_t)(random_bits() >> 11);
        decode_at_guard(data, size, count, width);
        data[at] = before;
    }
    /* Other counts and widths than encoded. */
    decode_at_guard(data, size, count * 2 + 1, width);
    decode_at_guard(data, size, count, 1 + (unsigned)(random_bits() % 16));
    free(data);
}

int main(void)
{
    input = guarded_memory(qc_stream_bound(MAX_COUNT, 16));
    output = guarded_memory(qc_stream_bound(2 * MAX_COUNT + 1, 16));
    scratch = guarded_memory(QC_STREAM_ENCODE_WORKSPACE(MAX_COUNT) + WORKSPACE_AT);
    scratch.guard -= WORKSPACE_AT;
    for (unsigned width = 1; width <= 16; width += width < 8 ? 1 : 4)
        for (size_t count = 0; count <= MAX_COUNT; count += count < 20 ? 1 : 29) {
            uint16_t symbols[MAX_COUNT];
            unsigned mask = (1u << width) - 1;
            for (size_t i = 0; i < count; i++) {
                unsigned bits = (unsigned)(random_bits() >> 20), value = (bits & bits >> 5) & mask;
                if (width <= 8)
                    ((uint8_t *)symbols)[i] = (uint8_t)value;
                else
                    symbols[i] = (uint16_t)value;
            }
            for (unsigned coding = 0; coding < QC_CODING_COUNT; coding++)
                check(symbols, count, width, QC_CODING_MASK(coding));
        }
    return 0;
}
