/*
 * decode_corpus CORPUS: decode every input of a corpus, and print a line for each: the statuses and
 * a checksum of all that was decoded. An input is written by tools/check_checks.py:
 *
 *     kind (1 byte: f a frame, p a pack, s a stream), width of symbols (1 byte), whether the rule
 *     that is broken is printed (1 byte); three sizes of 8 bytes: symbols, bytes of the base, bytes
 *     of data; the base; the data.
 *
 * All buffers have the exact size, so that a sanitizer sees the first byte too many.
 */
#include "base/bytes.h"
#include "support.h"

enum { HEAD_BYTES = 3 + 3 * 8 };
#define MOST_BYTES ((size_t)1 << 26)

typedef struct input {
    char kind;
    unsigned width;
    size_t count, base_bytes, bytes;
    uint8_t *base, *data;
} input;

static uint8_t workspace[QC_WORKSPACE_BYTES];
static qc_error error;
static int named; /* the rule that is broken is printed too */

static void *memory_of(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    CHECK(memory != NULL, "%zu bytes", size);
    memset(memory, 0x5A, size);
    return memory;
}

/* What came of one way through an input. */
static void put(const char *way, qc_status status, const void *bytes, size_t size)
{
    printf(" %s:%s", way, qc_status_name(status));
    if (status == QC_OK)
        printf("/%08x", qc_crc32c(0, bytes, size));
    else if (named)
        printf(" (%s)", error.what);
}

/* ---- streams and packs ------------------------------------------------------ */

static void decode_stream(const input *in)
{
    size_t bytes = in->count * qc_symbol_size(in->width);
    uint8_t *symbols = memory_of(bytes);
    const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        qc_cpu_select(paths[i]);
        qc_status status = qc_stream_decode(in->data, in->bytes, in->count, in->width, symbols,
                                            workspace, NULL, &error);
        put("stream", status, symbols, bytes);
    }
    free(symbols);
}

static void read_pack(const input *in)
{
    size_t offset, bytes, count;
    qc_frame table;
    qc_status status = qc_pack_head(in->data, in->bytes, &offset, &bytes, &error);
    if (status == QC_OK && bytes > in->bytes - offset)
        status = QC_TRUNCATED;
    if (status == QC_OK)
        status = qc_frame_read(in->data + offset, bytes, QC_WHOLE | QC_VERIFY, &table, &error);
    put("head", status, &bytes, sizeof bytes);
    if (status != QC_OK)
        return;
    size_t size = table.elements * table.item_size;
    uint8_t *content = memory_of(size);
    status = qc_decode(in->data + offset, bytes, table.dtype, content, size, NULL, 0, QC_VERIFY,
                       workspace, &error);
    put("content", status, content, size);
    if (status == QC_OK)
        status = qc_pack_count(content, size, &count, &error);
    if (status == QC_OK) {
        qc_pack_entry *entries = memory_of(count * sizeof *entries);
        status = qc_pack_read(content, size, offset + bytes, in->bytes, entries, count, &error);
        put("table", status, entries, count * sizeof *entries);
        free(entries);
    }
    free(content);
}

/* ---- frames ------------------------------------------------------------------- */

/* A way through the chunks of a frame; `bytes` are one chunk's, in a buffer of their own, and what
   is decoded is appended to `out`. */
typedef qc_status way(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                      uint8_t **out);

static qc_status decode_values(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                               uint8_t **out)
{
    size_t size = chunk->elements * frame->item_size;
    uint8_t *values = memory_of(size);
    qc_status status = qc_chunk_decode(frame, chunk, bytes, 0, chunk->elements, frame->dtype,
                                       values, QC_VERIFY, workspace, &error);
    memcpy(*out, values, size);
    *out += size;
    free(values);
    return status;
}

static qc_status check_values(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                              uint8_t **out)
{
    (void)out;
    return qc_chunk_decode(frame, chunk, bytes, 0, chunk->elements, frame->dtype, NULL, QC_VERIFY,
                           workspace, &error);
}

/* The last element alone: what stands before it is skipped. */
static qc_status decode_last(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                             uint8_t **out)
{
    size_t count = chunk->elements > 0;
    if (frame->positions == QC_COPIES ||
        (frame->kind == QC_DELTA && frame->positions != QC_DENSE)) /* only whole chunks */
        count = chunk->elements;
    size_t first = chunk->elements - count;
    uint8_t *value = memory_of(count * frame->item_size);
    qc_status status = qc_chunk_decode(frame, chunk, bytes, first, count, frame->dtype, value,
                                       QC_VERIFY, workspace, &error);
    (void)out;
    free(value);
    return status;
}

static qc_status decode_codes(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                              uint8_t **out)
{
    size_t stored;
    qc_status status = qc_chunk_codes(frame, chunk, bytes, &stored, &error);
    if (status != QC_OK)
        return status;
    CHECK(stored <= chunk->elements, "%zu stored of %zu", stored, chunk->elements);
    size_t size = stored * qc_stored_size(frame);
    int dense = frame->positions == QC_DENSE || frame->positions == QC_COPIES;
    uint32_t *positions = dense ? NULL : memory_of(stored * sizeof *positions);
    uint8_t *codes = memory_of(size);
    status = qc_chunk_decode_codes(frame, chunk, bytes, stored, positions, codes, QC_VERIFY,
                                   workspace, &error);
    memcpy(*out, codes, size);
    *out += size;
    if (!dense)
        memcpy(*out, positions, stored * sizeof *positions);
    *out += dense ? 0 : stored * sizeof *positions;
    free(codes);
    free(positions);
    return status;
}

static qc_status list_streams(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                              uint8_t **out)
{
    qc_stream_info infos[QC_MAX_STREAMS];
    size_t count;
    (void)out;
    return qc_chunk_streams(frame, chunk, bytes, infos, &count, &error);
}

static qc_status through_chunks(const qc_frame *frame, const input *in, way *step, uint8_t **out)
{
    CHECK(frame->chunks <= MOST_BYTES / sizeof(qc_chunk), "%zu chunks", frame->chunks);
    qc_chunk *chunks = memory_of(frame->chunks * sizeof *chunks);
    qc_status status = qc_frame_chunks(frame, in->data, chunks, &error);
    for (size_t i = 0; status == QC_OK && i < frame->chunks; i++) {
        uint8_t *bytes = memory_of(chunks[i].bytes);
        memcpy(bytes, in->data + chunks[i].offset, chunks[i].bytes);
        status = step(frame, &chunks[i], bytes, out);
        free(bytes);
    }
    free(chunks);
    return status;
}

/* A way without a name is only gone, to see that it ends and stays inside. */
static void decode_by(const char *name, way *step, const qc_frame *head, int decoded,
                      const input *in)
{
    qc_frame frame = *head;
    uint8_t *memory = memory_of(frame.coded_bytes);
    uint8_t *out = memory_of(frame.elements * (sizeof(uint32_t) + 8)), *end = out;
    qc_status status = qc_parameters_decode(&frame, decoded ? memory : NULL, workspace, &error);
    if (status == QC_OK)
        status = through_chunks(&frame, in, step, &end);
    if (name != NULL)
        put(name, status, out, (size_t)(end - out));
    free(out);
    free(memory);
}

static void decode_frame(const input *in)
{
    qc_frame frame;
    qc_status status = qc_frame_read(in->data, in->bytes, QC_VERIFY | QC_WHOLE, &frame, &error);
    if (status == QC_OK && (frame.elements > MOST_BYTES / 16 || frame.coded_bytes > MOST_BYTES))
        status = qc_fail(&error, QC_LIMIT, "larger than a test", 0, 0, 0);
    if (status != QC_OK) {
        put("decode", status, NULL, 0);
        put("check", status, NULL, 0);
        put("codes", status, NULL, 0);
        return;
    }
    if (in->base_bytes == frame.elements * frame.item_size)
        frame.delta.base = in->base;
    decode_by("decode", decode_values, &frame, 1, in);
    decode_by("check", check_values, &frame, 0, in);
    decode_by("codes", decode_codes, &frame, 1, in);
    /* Rules that a part does not need may be broken beside it: what comes of it is open, unless a
       test says. */
    decode_by(named ? "last" : NULL, decode_last, &frame, 1, in);
    decode_by(NULL, list_streams, &frame, 0, in);
}

/* ---- the corpus ---------------------------------------------------------------- */

static uint8_t *read_bytes(FILE *file, size_t size)
{
    uint8_t *bytes = memory_of(size);
    CHECK(fread(bytes, 1, size, file) == size, "the corpus ends early");
    return bytes;
}

static int read_input(FILE *file, input *in)
{
    uint8_t head[HEAD_BYTES];
    size_t found = fread(head, 1, sizeof head, file);
    if (found == 0)
        return 0;
    CHECK(found == sizeof head, "the corpus ends early");
    in->kind = (char)head[0];
    in->width = head[1];
    named = head[2];
    in->count = (size_t)qc_load64(head + 3);
    in->base_bytes = (size_t)qc_load64(head + 11);
    in->bytes = (size_t)qc_load64(head + 19);
    in->base = read_bytes(file, in->base_bytes);
    in->data = read_bytes(file, in->bytes);
    return 1;
}

int main(int count, char **arguments)
{
    CHECK(count == 2, "usage: decode_corpus CORPUS");
    FILE *file = fopen(arguments[1], "rb");
    CHECK(file != NULL, "%s", arguments[1]);
    input in;
    for (size_t number = 0; read_input(file, &in); number++) {
        printf("%zu", number);
        if (in.kind == 's')
            decode_stream(&in);
        else if (in.kind == 'p')
            read_pack(&in);
        else
            decode_frame(&in);
        putchar('\n');
        free(in.base);
        free(in.data);
    }
    fclose(file);
    return 0;
}
