/*
 * Any symbols through the encoders. Each profile, and each coding alone, must refuse them or write
 * a stream that is within the promised bound, decodes to the same symbols, and is the same with
 * every kernel. One input makes one request: all requests would take most of the time for paths
 * that the fuzzer already knows.
 */
#include "base/bytes.h"
#include "harness.h"

enum {
    PREFIX = 4, /* width, alphabet, path, request */
    PROFILES = QC_FIXED + 1,
    MAX_SYMBOLS = 1024 /* some blocks of every coding */
};

static uint8_t workspace[QC_STREAM_ENCODE_WORKSPACE(MAX_SYMBOLS)];

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

/* Every path writes what portable C wrote. */
static void check_path(const request *ask, const uint8_t *portable, size_t portable_size,
                       qc_status expected)
{
    size_t capacity = qc_stream_bound(ask->count, ask->width), size = 0;
    uint8_t *stream = buffer_of(capacity, 0xA5);
    PROMISE(encode(ask, stream, &size) == expected);
    if (expected == QC_OK)
        PROMISE(size == portable_size && memcmp(stream, portable, size) == 0);
    free(stream);
}

/* Encode and decode; returns whether any allowed coding could hold the symbols. */
static int round_trips(const request *ask, unsigned path)
{
    size_t size = 0;
    uint8_t *stream = buffer_of(qc_stream_bound(ask->count, ask->width), 0x5A);
    qc_cpu_select(0);
    qc_status status = encode(ask, stream, &size);
    if (select_path(path))
        check_path(ask, stream, size, status);
    if (status == QC_OK)
        check_decodes(ask, stream, size);
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

/* A profile with every coding, or the profile without limits with one coding. */
static request request_of(unsigned byte)
{
    unsigned number = byte % (PROFILES + QC_CODING_COUNT);
    request ask = {.codings = ~(uint64_t)0, .profile = (qc_profile)number};
    if (number >= PROFILES) {
        ask.codings = QC_CODING_MASK(number - PROFILES);
        ask.profile = QC_SMALL;
    }
    return ask;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    forget(workspace, sizeof workspace);
    request ask = request_of(data[3]);
    ask.width = 1 + data[0] % 16;
    ask.count = (size - PREFIX) / qc_symbol_size(ask.width);
    if (ask.count > MAX_SYMBOLS)
        return 0;
    uint8_t *symbols = symbols_of(data + PREFIX, ask.count, ask.width, data[1]);
    ask.symbols = symbols;
    int held = round_trips(&ask, data[2]);
    PROMISE(held || ask.codings != ~(uint64_t)0);
    free(symbols);
    return 0;
}
