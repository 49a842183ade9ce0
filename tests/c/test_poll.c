/*
 * Every call that may take long asks its poll, ends with QC_INTERRUPTED when that says stop, at
 * whichever question, asks no more then, and gives the same bytes with a poll as without one.
 */
#include <math.h>

#include "codings/stream_encode.h"
#include "qcodec_numeric.h"
#include "support.h"

#define SYMBOLS ((size_t)3 << 18)
#define VALUES  ((size_t)1 << 17)
#define ROWS    ((size_t)512)
#define KERNELS ((size_t)16384) /* of 3 x 3 */
#define SCALES  ((size_t)1 << 19)
#define TINY    ((size_t)2048) /* chunks of the smallest size */
#define ROOM    ((size_t)48 << 20)
#define MANY    (ROOM / (VALUES * sizeof(float))) /* so many times the values fill the room */

static uint8_t *symbols, *stream, *out, *workspace, *frame_bytes, *memory;
static float *values, *sorted, *found;
static size_t stream_size, frame_size;

#include "polls/groups.h"

/* ---- the poll ---- */

static size_t questions, stop_at;

static int stop(void *context)
{
    CHECK(context == &questions, "the context");
    CHECK(questions < stop_at, "asked after it had said stop");
    return ++questions == stop_at;
}

static const qc_poll poll_stop = {.stop = stop, .context = &questions};

/* ---- what is called: each leaves its results in `out`, and returns how many bytes in *size ----
 */

static qc_status encode_stream(const qc_poll *poll, size_t *size)
{
    return qc_stream_encode(symbols, SYMBOLS, 4, QC_CODING_MASK(QC_CONTEXTS), QC_SMALL, out, ROOM,
                            size, workspace, poll, NULL);
}

static qc_status decode_stream(const qc_poll *poll, size_t *size)
{
    *size = SYMBOLS;
    return qc_stream_decode(stream, stream_size, SYMBOLS, 4, out, workspace, poll, NULL);
}

static float book[16];

/* 4-bit codes as `rows` rows, or as kernels, with all effort. */
static qc_frame plan(const qc_poll *poll, int rows)
{
    qc_frame frame = {.dtype = QC_F32, .kind = QC_CODEBOOK, .poll = poll};
    frame.codebook.entries = 16;
    frame.codebook.books.dtype = QC_F32;
    frame.codebook.books.count = frame.codebook.books.inner = 1;
    frame.codebook.books.values = (const uint8_t *)book;
    frame.ndim = rows ? 2 : 3;
    frame.dims[0] = rows ? ROWS : KERNELS;
    frame.dims[1] = rows ? ROWS : 3;
    frame.dims[2] = 3;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    return frame;
}

static qc_status encode_chunk(const qc_frame *frame, size_t *size)
{
    qc_chunk_input input = {0, frame->elements, frame->elements, NULL, symbols, -1};
    qc_encoding encoding = {~(uint64_t)0, QC_SMALL, QC_EFFORT_MAX};
    uint64_t features = 0;
    return qc_chunk_encode(frame, &input, &encoding, out, ROOM, size, &features, workspace, ROOM,
                           NULL);
}

static qc_status encode_rows(const qc_poll *poll, size_t *size)
{
    qc_frame frame = plan(poll, 1);
    return encode_chunk(&frame, size);
}

static qc_status encode_kernels(const qc_poll *poll, size_t *size)
{
    qc_frame frame = plan(poll, 0);
    return encode_chunk(&frame, size);
}

/* Affine codes, each with a scale. */
static qc_frame plan_tiny(const qc_poll *poll, size_t elements, size_t chunk_elements)
{
    qc_frame frame = {.dtype = QC_F32, .kind = QC_AFFINE, .ndim = 1, .width = 4, .poll = poll};
    frame.dims[0] = elements;
    frame.chunk_elements = chunk_elements;
    frame.scales.dtype = QC_E8M0; /* many floats would have no slow coding */
    frame.scales.inner = 1;
    frame.scales.count = elements;
    frame.scales.values = (const uint8_t *)values;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    return frame;
}

static qc_status encode_parameters(const qc_poll *poll, size_t *size)
{
    qc_frame frame = plan_tiny(poll, SCALES, SCALES);
    uint64_t features = 0;
    qc_status status = qc_parameters_encode(&frame, QC_CODING_MASK(QC_CONTEXTS), QC_SMALL, out,
                                            ROOM, &features, workspace, ROOM, NULL);
    *size = frame.scales.coded.size;
    return status;
}

/* A frame into `frame_bytes`: its length. */
static size_t write_frame(size_t elements, size_t chunk_elements, uint64_t codings)
{
    static qc_bytes chunks[TINY];
    qc_frame frame = plan_tiny(NULL, elements, chunk_elements);
    uint64_t features = 0;
    uint8_t *at = memory;
    CHECK(qc_parameters_encode(&frame, codings, QC_SMALL, at, ROOM, &features, workspace, ROOM,
                               NULL) == QC_OK,
          "parameters");
    at += ROOM / 2;
    for (size_t i = 0; i < frame.chunks; i++) {
        qc_chunk_input input = {i * chunk_elements,
                                chunk_elements,
                                chunk_elements,
                                NULL,
                                symbols + i * chunk_elements,
                                -1};
        qc_encoding encoding = {codings, QC_SMALL, QC_EFFORT_USUAL};
        chunks[i].data = at;
        CHECK(qc_chunk_encode(&frame, &input, &encoding, at, ROOM / 2, &chunks[i].size, &features,
                              workspace, ROOM, NULL) == QC_OK,
              "chunk");
        at += chunks[i].size;
    }
    CHECK(qc_frame_write(&frame, features, chunks, frame_bytes, ROOM, NULL) == QC_OK, "frame");
    return qc_frame_size(&frame, features, chunks);
}

static qc_frame read_frame(const qc_poll *poll, qc_chunk *chunks)
{
    qc_frame frame;
    CHECK(qc_frame_read(frame_bytes, frame_size, QC_WHOLE, &frame, NULL) == QC_OK, "head");
    CHECK(qc_frame_chunks(&frame, frame_bytes, chunks, NULL) == QC_OK, "chunks");
    frame.poll = poll;
    return frame;
}

static qc_status decode_parameters(const qc_poll *poll, size_t *size)
{
    qc_chunk chunks[1];
    qc_frame frame = read_frame(poll, chunks);
    *size = frame.coded_bytes;
    return qc_parameters_decode(&frame, out, workspace, NULL);
}

static qc_status decode_chunk(const qc_poll *poll, size_t *size)
{
    qc_chunk chunks[1];
    qc_frame frame = read_frame(poll, chunks);
    *size = 0; /* checked only: this frame's parameters are not decoded */
    return qc_chunk_decode(&frame, chunks, frame_bytes + chunks->offset, 0, chunks->elements,
                           QC_F32, NULL, 0, workspace, NULL);
}

static qc_status decode_codes(const qc_poll *poll, size_t *size)
{
    qc_chunk chunks[1];
    qc_frame frame = read_frame(poll, chunks);
    *size = chunks->elements;
    return qc_chunk_decode_codes(&frame, chunks, frame_bytes + chunks->offset, chunks->elements,
                                 NULL, out, 0, workspace, NULL);
}

static qc_status decode_tiny_chunks(const qc_poll *poll, size_t *size)
{
    static qc_chunk chunks[TINY];
    qc_frame frame = read_frame(poll, chunks);
    *size = 0;
    return qc_frame_decode(&frame, chunks, frame_bytes, 0, 0, frame.elements, QC_F32, NULL, 0,
                           workspace, NULL);
}

/* Chunks that are large and few: a frame of 24 MB. */
static qc_status write_large(const qc_poll *poll, size_t *size)
{
    enum { CHUNKS = 6 };
    const qc_bytes chunk = {memory, (size_t)4 << 20};
    const qc_bytes chunks[CHUNKS] = {chunk, chunk, chunk, chunk, chunk, chunk};
    qc_frame frame = plan_tiny(poll, CHUNKS * QC_MIN_CHUNK_ELEMENTS, QC_MIN_CHUNK_ELEMENTS);
    *size = qc_frame_size(&frame, 1, chunks);
    return qc_frame_write(&frame, 1, chunks, out, ROOM, NULL);
}

static qc_status sort(const qc_poll *poll, size_t *size)
{
    enum { TIMES = 64 }; /* it is fast */
    qc_status status = QC_OK;
    float *many = (float *)out;
    for (size_t i = 0; i < TIMES; i++)
        memcpy(many + i * VALUES, values, VALUES * sizeof *values);
    status = qc_sort(many, TIMES * VALUES, memory, poll, NULL);
    for (size_t i = 1; status == QC_OK && i < TIMES * VALUES; i++)
        CHECK(many[i - 1] <= many[i], "sorted");
    *size = TIMES * VALUES * sizeof *many;
    return status;
}

static qc_status lloyd(const qc_poll *poll, size_t *size)
{
    *size = 64 * sizeof *found;
    return qc_kmeans_lloyd(sorted, VALUES, 64, QC_KMEANS_PLUSPLUS, 0, 300, (float *)out, NULL,
                           workspace, poll, NULL);
}

static qc_status exact(const qc_poll *poll, size_t *size)
{
    *size = 64 * sizeof *found;
    return qc_kmeans_exact(sorted, VALUES, 64, (float *)out, NULL, workspace, poll, NULL);
}

static qc_status fast(const qc_poll *poll, size_t *size)
{
    *size = 256 * sizeof *found;
    return qc_kmeans_fast((const float *)memory, MANY * VALUES, 256, (float *)out, NULL, workspace,
                          poll, NULL);
}

static qc_status codebooks(const qc_poll *poll, size_t *size)
{
    enum { GROUPS = 1000, MEMBERS = 1000, K = 16 };
    const qc_group_codebooks wanted = {K, MEMBERS, 0, 0, NULL};
    static uint16_t entries[GROUPS];
    uint8_t *codes = out + GROUPS * K * sizeof(float);
    *size = GROUPS * K * sizeof(float) + GROUPS * MEMBERS;
    return qc_group_codebooks_find((const float *)memory, NULL, GROUPS * MEMBERS,
                                   &(qc_grouping){MEMBERS, GROUPS}, &wanted, (float *)out, entries,
                                   codes, workspace, poll, NULL);
}

static qc_status choose_stored(const qc_poll *poll, size_t *size)
{
    static const float entries[QC_CANDIDATE_ENTRIES];
    static const double costs[QC_CANDIDATE_ENTRIES];
    const qc_candidates all = {(const float *)memory, workspace, MANY * VALUES, NULL, MANY, VALUES};
    uint32_t *columns = (uint32_t *)(void *)(memory + 4);
    int changed;
    *size = 0;
    return qc_choose_stored(&all, entries, costs, 1, columns, columns, out, &changed, poll, NULL);
}

static qc_status ternary(const qc_poll *poll, size_t *size)
{
    int coarse;
    *size = 4 * sizeof *found;
    return qc_ternary_best(values, VALUES, 2, (float *)out, (float *)out + 2, &coarse, workspace,
                           poll, NULL);
}

static const size_t end = MANY * VALUES;

static qc_status distinct(const qc_poll *poll, size_t *size)
{
    uint64_t patterns[7];
    uint16_t count;
    size_t done;
    *size = end;
    return qc_distinct(memory, sizeof(float), &end, 1, 7, patterns, &count, out, &done, poll, NULL);
}

static qc_status equal_steps(const qc_poll *poll, size_t *size)
{
    size_t done;
    qc_levels levels;
    *size = sizeof(float);
    return qc_equal_steps((const float *)memory, &end, 1, QC_F32, 255, (float *)out, &levels, &done,
                          poll, NULL);
}

static qc_status step_codes(const qc_poll *poll, size_t *size)
{
    static const float scale = 0.1f;
    static const int32_t zero = 1;
    *size = end;
    return qc_step_codes((const float *)memory, &end, 1, QC_F32, &scale, &zero, 0, 1, out, poll,
                         NULL);
}

static qc_status scaled_halves(const qc_poll *poll, size_t *size)
{
    size_t done;
    *size = sizeof(float);
    return qc_scaled_halves((const float *)memory, &end, 1, QC_F16, (float *)out, &done, poll,
                            NULL);
}

static qc_status halves(const qc_poll *poll, size_t *size)
{
    static const float scale = 0.1f;
    *size = 2 * end;
    return qc_halves((const float *)memory, &end, 1, &scale, QC_BF16, (uint16_t *)out, poll, NULL);
}

/* ---- the rule ---- */

typedef qc_status called(const qc_poll *poll, size_t *size);

static void check(const char *name, called *call)
{
    size_t size = 0, again = 0;
    CHECK(call(NULL, &size) == QC_OK, "%s", name);
    uint8_t *expected = malloc(size + 1);
    CHECK(expected != NULL, "memory");
    memcpy(expected, out, size);
    stop_at = SIZE_MAX;
    questions = 0;
    CHECK(call(&poll_stop, &again) == QC_OK, "%s", name);
    CHECK(again == size && memcmp(expected, out, size) == 0, "%s: other bytes", name);
    free(expected);
    size_t asked = questions;
    CHECK(asked > 0, "%s asks nobody", name);
    for (stop_at = 1; stop_at <= asked; stop_at += 1 + stop_at) {
        questions = 0;
        qc_status status = call(&poll_stop, &again);
        CHECK(status == QC_INTERRUPTED, "%s, stopped at %zu of %zu: status %d", name, stop_at,
              asked, (int)status);
    }
}

static int ascending(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static void *room(size_t size)
{
    void *bytes = malloc(size);
    CHECK(bytes != NULL, "memory");
    return bytes;
}

static void fill(void)
{
    symbols = room(SYMBOLS);
    stream = room(ROOM);
    out = room(ROOM);
    workspace = room(ROOM);
    frame_bytes = room(ROOM);
    memory = room(ROOM);
    values = room(SCALES * sizeof *values);
    sorted = room(VALUES * sizeof *sorted);
    for (size_t i = 0; i < SYMBOLS; i++) {
        uint64_t bits = random_bits() >> 20;
        symbols[i] = (uint8_t)(bits % 7 + bits / 7 % 7 + i / ROWS % 4);
    }
    for (size_t i = 0; i < SCALES; i++)
        values[i] = (float)(random_bits() >> 40) + 1;
    memcpy(sorted, values, VALUES * sizeof *sorted);
    qsort(sorted, VALUES, sizeof *sorted, ascending);
    CHECK(qc_stream_encode(symbols, SYMBOLS, 4, QC_CODING_MASK(QC_CONTEXTS), QC_SMALL, stream, ROOM,
                           &stream_size, workspace, NULL, NULL) == QC_OK,
          "stream");
}

int main(void)
{
    fill();
    check("qc_stream_encode", encode_stream);
    check("qc_stream_decode", decode_stream);
    check("qc_chunk_encode, rows", encode_rows);
    check("qc_chunk_encode, kernels", encode_kernels);
    check("qc_parameters_encode", encode_parameters);
    frame_size = write_frame(SCALES, SCALES, QC_CODING_MASK(QC_CONTEXTS));
    check("qc_parameters_decode", decode_parameters);
    check("qc_chunk_decode", decode_chunk);
    check("qc_chunk_decode_codes", decode_codes);
    frame_size = write_frame(TINY * QC_MIN_CHUNK_ELEMENTS, QC_MIN_CHUNK_ELEMENTS,
                             QC_CODING_MASK(QC_BITPACKED));
    check("qc_frame_decode, tiny chunks", decode_tiny_chunks);
    check("qc_frame_write", write_large);
    check("qc_sort", sort);
    check("qc_kmeans_lloyd", lloyd);
    check("qc_kmeans_exact", exact);
    for (size_t i = 0; i < MANY; i++)
        memcpy(memory + i * VALUES * sizeof *values, values, VALUES * sizeof *values);
    check("qc_kmeans_fast", fast);
    check("qc_group_ranges", ranges);
    check("qc_group_squares", squares);
    check("qc_affine_codes", affine_codes);
    check("qc_fixed_point_errors", fixed_point_errors);
    check("qc_group_codebooks_find", codebooks);
    check("qc_choose_stored", choose_stored);
    check("qc_ternary_best", ternary);
    check("qc_deviation_sums_keep", deviation_sums);
    check("qc_ternary_thresholds", ternary_thresholds);
    check("qc_sums_beyond", sums_beyond);
    check("qc_ternary_codes", ternary_codes);
    for (size_t i = 0; i < end; i++)
        ((float *)memory)[i] = 0.1f * (float)(i % 7);
    check("qc_distinct", distinct);
    check("qc_equal_steps", equal_steps);
    check("qc_step_codes", step_codes);
    check("qc_scaled_halves", scaled_halves);
    check("qc_halves", halves);
    return 0;
}
