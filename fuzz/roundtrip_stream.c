/*
 * Any symbols through the encoders: every profile, and every coding alone, either refuses them or
 * gives a stream within the promised bound that decodes to the same symbols, and that is the same
 * on every path.
 */
#include "bytes.h"
#include "harness.h"

enum { PREFIX = 3 }; /* width, alphabet, path */

static uint8_t workspace[QC_STREAM_ENCODE_WORKSPACE(1 << 20)];

/* What a set of codings makes of the symbols. */
typedef struct request {
    const uint8_t *symbols;
    size_t count;
    unsigned width;
    uint64_t codings;
    qc_profile profile;
} request;

static qc_status encode(const request *ask, uint8_t *stream, size_t *size)
{
    qc_error error;
    size_t capacity = qc_stream_bound(ask->count, ask->width);
    qc_status status =
        qc_stream_encode(ask->symbols, ask->count, ask->width, ask->codings, ask->profile, stream,
                         capacity, size, workspace, NULL, &error);
    PROMISE(status == QC_INVALID || (status == QC_OK && *size <= capacity));
    return status;
}

static void check_decodes(const request *ask, const uint8_t *stream, size_t size)
{
    qc_error error;
    size_t bytes = ask->count * qc_symbol_size(ask->width);
    uint8_t *exact = copy_of(stream, size);
    uint8_t *again = buffer_of(bytes, 0x5A);
    PROMISE((ask->codings >> stream[0] & 1) != 0);
    PROMISE(qc_stream_decode(exact, size, ask->count, ask->width, again, workspace, NULL, &error) ==
            QC_OK);
    PROMISE(memcmp(ask->symbols, again, bytes) == 0);
    free(again);
    free(exact);
}

/* Encode and decode; returns whether any allowed coding could hold the symbols. */
static int round_trips(const request *ask, unsigned path)
{
    size_t capacity = qc_stream_bound(ask->count, ask->width), size = 0, portable_size = 0;
    uint8_t *stream = buffer_of(capacity, 0xA5);
    uint8_t *portable = buffer_of(capacity, 0x5A);
    qc_cpu_select(0);
    qc_status expected = encode(ask, portable, &portable_size);
    select_path(path);
    qc_status status = encode(ask, stream, &size);
    PROMISE(status == expected);
    if (status == QC_OK) {
        PROMISE(size == portable_size && memcmp(stream, portable, size) == 0);
        check_decodes(ask, stream, size);
    }
    free(portable);
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
    request ask = {symbols, count, width, ~(uint64_t)0, QC_FAST};
    for (; ask.profile <= QC_FIXED; ask.profile++)
        PROMISE(round_trips(&ask, data[2]));
    ask.profile = QC_SMALL;
    for (unsigned coding = 0; coding < QC_CODING_COUNT; coding++) {
        ask.codings = QC_CODING_MASK(coding);
        round_trips(&ask, data[2]);
    }
    free(symbols);
    return 0;
}
