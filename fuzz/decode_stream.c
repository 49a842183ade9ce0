/*
 * Any bytes as the body of a stream. The first bytes choose the coding, the width, the count and
 * the instruction sets, so that every coding meets every body with every kernel. Decoded symbols
 * must be below 2^width, be written completely, be the same in portable C, and survive encoding.
 */
#include "base/bytes.h"
#include "harness.h"

enum {
    PREFIX = 5, /* coding, width, count, path and whether to encode again */
    MAX_SYMBOLS = 2048
};

static uint8_t workspace[QC_STREAM_ENCODE_WORKSPACE(MAX_SYMBOLS)];

static unsigned symbol_at(const uint8_t *symbols, unsigned width, size_t i)
{
    uint16_t wide;
    if (width <= 8)
        return symbols[i];
    memcpy(&wide, symbols + 2 * i, sizeof wide);
    return wide;
}

static void check_again(const uint8_t *symbols, size_t count, unsigned width)
{
    qc_error error;
    size_t bytes = count * qc_symbol_size(width);
    size_t capacity = qc_stream_bound(count, width), size = 0;
    uint8_t *stream = buffer_of(capacity, 0xA5);
    uint8_t *again = buffer_of(bytes, 0x5A);
    PROMISE(qc_stream_encode(symbols, count, width, ~(uint64_t)0, QC_BALANCED, stream, capacity,
                             &size, workspace, NULL, &error) == QC_OK);
    PROMISE(size <= capacity);
    uint8_t *exact = copy_of(stream, size);
    PROMISE(qc_stream_decode(exact, size, count, width, again, workspace, NULL, &error) == QC_OK);
    PROMISE(memcmp(symbols, again, bytes) == 0);
    free(exact);
    free(again);
    free(stream);
}

/* Every path has the result of portable C. */
static void check_path(const uint8_t *stream, size_t size, size_t count, unsigned width,
                       const uint8_t *portable, qc_status expected)
{
    qc_error error;
    size_t bytes = count * qc_symbol_size(width);
    uint8_t *symbols = buffer_of(bytes, 0xA5);
    qc_status status =
        qc_stream_decode(stream, size, count, width, symbols, workspace, NULL, &error);
    PROMISE(status == expected);
    if (status == QC_OK)
        PROMISE(memcmp(symbols, portable, bytes) == 0);
    free(symbols);
}

static void decode(const uint8_t *stream, size_t size, size_t count, unsigned width, unsigned path)
{
    qc_error error;
    uint8_t *symbols = buffer_of(count * qc_symbol_size(width), 0x5A);
    qc_cpu_select(0);
    qc_status status =
        qc_stream_decode(stream, size, count, width, symbols, workspace, NULL, &error);
    int valid = !refused(status, &error);
    if (select_path(path))
        check_path(stream, size, count, width, symbols, status);
    for (size_t i = 0; i < count && valid; i++)
        PROMISE(symbol_at(symbols, width, i) >> width == 0);
    if (valid && path / 16 % 4 == 0) /* encoding takes longer than all the rest */
        check_again(symbols, count, width);
    free(symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    forget(workspace, sizeof workspace);
    unsigned coding = data[0] % (QC_CODING_COUNT + 1); /* one more: reserved */
    unsigned width = 1 + data[1] % 16;
    size_t count = qc_load16(data + 2) % MAX_SYMBOLS;
    size_t body = size - PREFIX;
    size_t header = 1 + qc_vu_size(body);
    uint8_t *stream = buffer_of(header + body, 0);
    stream[0] = (uint8_t)coding;
    qc_write_vu(stream + 1, body);
    memcpy(stream + header, data + PREFIX, body);
    decode(stream, header + body, count, width, data[4]);
    free(stream);
    return 0;
}
