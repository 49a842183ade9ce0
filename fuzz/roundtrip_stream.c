/*
 * Any symbols through the encoders: every profile, and every coding alone, either refuses them or
 * gives a stream within the promised bound that decodes to the same symbols.
 */
#include "bytes.h"
#include "harness.h"

enum { PREFIX = 2 }; /* width, alphabet */

static uint8_t workspace[QC_STREAM_ENCODE_WORKSPACE(1 << 20)];

/* Encode and decode; returns whether any allowed coding could hold the symbols. */
static int round_trips(const uint8_t *symbols, size_t count, unsigned width, uint64_t codings,
                       qc_profile profile)
{
    qc_error error;
    size_t bytes = count * qc_symbol_size(width);
    size_t capacity = qc_stream_bound(count, width), size = 0;
    uint8_t *stream = buffer_of(capacity, 0xA5);
    qc_status status = qc_stream_encode(symbols, count, width, codings, profile, stream, capacity,
                                        &size, workspace, &error);
    if (status == QC_OK) {
        PROMISE(size <= capacity);
        PROMISE((codings >> stream[0] & 1) != 0);
        uint8_t *exact = copy_of(stream, size);
        uint8_t *again = buffer_of(bytes, 0x5A);
        PROMISE(qc_stream_decode(exact, size, count, width, again, workspace, &error) == QC_OK);
        PROMISE(memcmp(symbols, again, bytes) == 0);
        free(again);
        free(exact);
    } else {
        PROMISE(status == QC_INVALID);
    }
    free(stream);
    return status == QC_OK;
}

/* Symbols of a small alphabet now and then: those are what the codings are for. */
static uint8_t *symbols_of(const uint8_t *data, size_t count, unsigned width, unsigned alphabet)
{
    uint8_t *symbols = copy_of(data, count * qc_symbol_size(width));
    for (size_t i = 0; i < count; i++) {
        unsigned symbol = width <= 8 ? data[i] : qc_load16(data + 2 * i);
        symbol = (alphabet > 0 ? symbol % alphabet : symbol) & ((1u << width) - 1);
        uint16_t wide = (uint16_t)symbol;
        if (width <= 8)
            symbols[i] = (uint8_t)symbol;
        else
            memcpy(symbols + 2 * i, &wide, sizeof wide);
    }
    return symbols;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    unsigned width = 1 + data[0] % 16;
    size_t count = (size - PREFIX) / qc_symbol_size(width);
    uint8_t *symbols = symbols_of(data + PREFIX, count, width, data[1]);
    for (int profile = QC_FAST; profile <= QC_FIXED; profile++)
        PROMISE(round_trips(symbols, count, width, ~(uint64_t)0, (qc_profile)profile));
    for (unsigned coding = 0; coding < QC_CODING_COUNT; coding++)
        round_trips(symbols, count, width, QC_CODING_MASK(coding), QC_SMALL);
    free(symbols);
    return 0;
}
