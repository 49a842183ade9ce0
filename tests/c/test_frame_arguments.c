/*
 * What a caller must not ask of the functions that write and read frames is refused, by the rule
 * that it breaks: each argument, one after the other, just outside of what it may be.
 */
#include "base/bytes.h"
#include "support.h"

enum { ROWS = 100, ROW = 6, ELEMENTS = ROWS * ROW, CHUNK = 50 * ROW };

static uint8_t workspace[1 << 20], chunk[1 << 16], file[1 << 16], bodies[1 << 16];
static const uint8_t parameters[4 * ELEMENTS];
static float base[ELEMENTS];

static qc_frame frame_of(qc_kind kind, qc_positions positions)
{
    qc_frame frame = {.dtype = QC_F32, .kind = kind, .positions = positions, .ndim = 2};
    frame.dims[0] = ROWS;
    frame.dims[1] = ROW;
    frame.gap_width = 3;
    frame.width = 4;
    frame.codebook.entries = 3;
    frame.codebook.books.count = frame.codebook.books.inner = 1;
    frame.codebook.books.values = frame.delta.digest = parameters;
    frame.scales = frame.zero_points.groups =
        (qc_groups){.dtype = QC_F32, .inner = 1, .count = 0, .values = parameters};
    frame.delta.base = base;
    frame.delta.filter_width = frame.delta.filter_height = 1;
    return frame;
}

/* ---- heads -------------------------------------------------------------------- */

/* A planned frame with one field changed. */
#define PLAN_REFUSED(kind, positions, change, rule)                                                \
    do {                                                                                           \
        qc_frame frame = frame_of(kind, positions);                                                \
        CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "%s", rule);                                   \
        change;                                                                                    \
        REFUSED(qc_frame_plan(&frame, &error), QC_INVALID, rule);                                  \
    } while (0)

static void heads(void)
{
    const char *chunk_size = "frame: elements of a chunk";
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.dtype = QC_DTYPE_COUNT, "frame: dtype");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.kind = QC_KIND_COUNT, "frame: kind");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.positions = QC_POSITIONS_COUNT, "frame: positions form");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.ndim = QC_MAX_DIMS + 1, "frame: number of dimensions");
    PLAN_REFUSED(QC_BYTES, QC_GAPS, frame.gap_width = 0, "gaps: width");
    PLAN_REFUSED(QC_BYTES, QC_CSR, frame.gap_width = 17, "gaps: width");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.dims[0] = QC_MAX_CHUNK_ELEMENTS,
                 "frame: elements of an unchunked tensor");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.chunk_elements = QC_MAX_CHUNK_ELEMENTS + 1, chunk_size);
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.chunk_elements = QC_MIN_CHUNK_ELEMENTS - 1, chunk_size);
    PLAN_REFUSED(QC_BYTES, QC_CSR, frame.ndim = 0, "frame: csr needs at least one dimension");
    PLAN_REFUSED(QC_BYTES, QC_CSR, frame.chunk_elements = CHUNK + 1,
                 "frame: csr chunks are whole rows");
    PLAN_REFUSED(QC_AFFINE, QC_DENSE, frame.dtype = QC_I32,
                 "frame: affine, codebook and delta need f32, f16, bf16 or f64");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.scales.count = ROWS,
                 "frame: only planes, affine and codebook have scales");
    PLAN_REFUSED(QC_DELTA, QC_DENSE, frame.positions = QC_MASK, "frame: delta is dense");
    PLAN_REFUSED(QC_DELTA, QC_DENSE, frame.positions = QC_COPIES, "frame: copies of differences");
    PLAN_REFUSED(QC_AFFINE, QC_COPIES, frame.scales.count = 2,
                 "frame: copies need one codebook, scale and zero point for all elements");
    qc_frame huge = frame_of(QC_BYTES, QC_DENSE);
    huge.dims[0] = huge.dims[1] = (uint64_t)1 << 30;
    REFUSED(qc_frame_plan(&huge, &error), QC_LIMIT, "frame: the dimensions' product");
#if SIZE_MAX < UINT64_MAX
    huge.dims[1] = 1;
    REFUSED(qc_frame_plan(&huge, &error), QC_LIMIT,
            "frame: tensor is larger than this machine's memory");
#endif
}

static void kinds(void)
{
    const qc_kind affine = QC_AFFINE, book = QC_CODEBOOK, delta = QC_DELTA;
    const char *groups = "affine: zero points by group need scales";
    PLAN_REFUSED(affine, QC_DENSE, frame.width = 0, "affine: width");
    PLAN_REFUSED(affine, QC_DENSE, frame.width = 17, "affine: width");
    PLAN_REFUSED(affine, QC_DENSE, frame.zero_points.groups.count = ROWS, groups);
    PLAN_REFUSED(affine, QC_DENSE, (frame.scales.count = ROWS, frame.zero_points.groups.count = 1),
                 groups);
    PLAN_REFUSED(affine, QC_DENSE, frame.zero_points.common = 65536, "affine: zero point");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.entries = 0, "codebook: entries");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.entries = 257, "codebook: entries");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.books.dtype = QC_F64, "codebook: dtype");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.books.count = 0, "codebook: books");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.books.inner = 0, "codebook: books");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.digest = NULL, "delta: the base is missing");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.base = NULL, "delta: the base is missing");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.step = 4096, "delta: step");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_width = 0, "delta: sides of a filter");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_width = 256, "delta: sides of a filter");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_height = 0, "delta: sides of a filter");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_height = 256, "delta: sides of a filter");
}

static void scales(void)
{
    static const qc_dtype allowed[] = {QC_F32, QC_F16, QC_BF16, QC_F8E4M3, QC_E8M0};
    static const qc_dtype refused[] = {QC_F64, QC_U8, QC_BOOL, QC_F8E5M2, QC_DTYPE_COUNT};
    for (unsigned i = 0; i < 5; i++) {
        qc_frame frame = frame_of(QC_AFFINE, QC_DENSE);
        frame.scales.count = ROWS;
        frame.scales.dtype = allowed[i];
        CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "scale of dtype %d", allowed[i]);
        frame.scales.dtype = refused[i];
        REFUSED(qc_frame_plan(&frame, &error), QC_INVALID, "scale: dtype");
    }
    const char *ends = "parameters: ends of the groups";
    static const uint64_t right[] = {1, ELEMENTS}, level[] = {ELEMENTS, ELEMENTS},
                          short_of_all[] = {1, ELEMENTS - 1}, beyond[] = {1, ELEMENTS + 1};
    const uint64_t *const wrong[] = {level, short_of_all, beyond};
    PLAN_REFUSED(QC_AFFINE, QC_DENSE, (frame.scales.count = ROWS, frame.scales.inner = 0), ends);
    for (unsigned i = 0; i < 3; i++)
        PLAN_REFUSED(QC_AFFINE, QC_DENSE,
                     (frame.scales.count = 2, frame.scales.inner = 0,
                      frame.scales.ends = (const uint8_t *)wrong[i]),
                     ends);
    qc_frame frame = frame_of(QC_AFFINE, QC_DENSE);
    frame.scales.count = 2;
    frame.scales.inner = 0;
    frame.scales.ends = (const uint8_t *)right;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "groups of any length");
}

/* ---- parameters ---------------------------------------------------------------- */

static qc_status encode_parameters(qc_frame *frame, uint64_t codings, qc_profile profile,
                                   size_t capacity, size_t room, qc_error *error)
{
    uint64_t features = 0;
    return qc_parameters_encode(frame, codings, profile, bodies, capacity, &features, workspace,
                                room, error);
}

static void parameters_to_code(void)
{
    static const uint8_t twice[] = {0, 2, 2}, beyond[] = {0, 1, 3}, order[] = {2, 0, 1};
    const char *rule = "parameters: order of the codebook";
    qc_frame frame = frame_of(QC_CODEBOOK, QC_DENSE);
    frame.codebook.order = order;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    size_t bound = qc_parameters_bound(&frame), room = qc_parameters_encode_workspace(&frame);
    CHECK(bound <= sizeof bodies && room <= sizeof workspace, "%zu, %zu", bound, room);
    CHECK(encode_parameters(&frame, 63, QC_SMALL, bound, room, NULL) == QC_OK, "parameters");
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound, room - 1, &error), QC_NO_SPACE,
            "parameters: workspace");
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound - 1, room, &error), QC_NO_SPACE,
            "parameters: output");
    REFUSED(encode_parameters(&frame, 63, QC_FIXED, bound, room, &error), QC_INVALID, rule);
    REFUSED(encode_parameters(&frame, 63, QC_FAST, bound, room, &error), QC_INVALID, rule);
    REFUSED(encode_parameters(&frame, 0, QC_SMALL, bound, room, &error), QC_INVALID,
            "parameters: no coding that is allowed holds them");
    frame.codebook.order = twice;
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound, room, &error), QC_INVALID, rule);
    frame.codebook.order = beyond;
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound, room, &error), QC_INVALID, rule);
}

/* An order is stored for no more entries than there are elements, or 256. */
static void too_many_books(void)
{
    static uint8_t books[4 * 4 * 100], orders[4 * 100];
    qc_frame frame = frame_of(QC_CODEBOOK, QC_DENSE);
    frame.codebook.books.count = 100;
    frame.codebook.books.values = books;
    frame.codebook.order = orders;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, sizeof bodies, sizeof workspace, &error),
            QC_INVALID, "parameters: order of the codebook");
}

/* ---- chunks to encode ----------------------------------------------------------- */

static const uint32_t positions[] = {1, 3, ELEMENTS - 1};
static const uint8_t codes[ELEMENTS] = {2, 1, 2, 0};

static qc_chunk_input sparse_input(void)
{
    return (qc_chunk_input){0, ELEMENTS, 3, positions, codes, 0};
}

static qc_status encode_input(qc_kind kind, qc_positions form, const qc_chunk_input *input,
                              unsigned effort, size_t capacity, size_t room, qc_error *error)
{
    qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_BALANCED, effort};
    qc_frame frame = frame_of(kind, form);
    uint64_t features = 0;
    size_t size;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    return qc_chunk_encode(&frame, input, &encoding, chunk, capacity, &size, &features, workspace,
                           room, error);
}

static qc_status encode(qc_kind kind, qc_positions form, const qc_chunk_input *input,
                        qc_error *error)
{
    return encode_input(kind, form, input, QC_EFFORT_USUAL, sizeof chunk, sizeof workspace, error);
}

#define INPUT_REFUSED(form, change, rule)                                                          \
    do {                                                                                           \
        qc_chunk_input input = sparse_input();                                                     \
        CHECK(encode(QC_CODEBOOK, QC_GAPS, &input, NULL) == QC_OK, "%s", rule);                    \
        change;                                                                                    \
        REFUSED(encode(QC_CODEBOOK, form, &input, &error), QC_INVALID, rule);                      \
    } while (0)

static void inputs(void)
{
    static const uint32_t again[] = {1, 3, 3}, beyond[] = {1, 3, ELEMENTS};
    static const uint8_t no_entry[ELEMENTS] = {2, 3, 0};
    const char *ascend = "encode: positions ascend and are inside the chunk";
    INPUT_REFUSED(QC_MASK, input.elements = 2, "encode: stored elements");
    INPUT_REFUSED(QC_DENSE, (void)input, "encode: dense and copies have every element");
    INPUT_REFUSED(QC_MASK, input.first = ELEMENTS + 1, "encode: elements of the chunk");
    INPUT_REFUSED(QC_MASK, input.first = 1, "encode: elements of the chunk");
    INPUT_REFUSED(QC_MASK, input.positions = again, ascend);
    INPUT_REFUSED(QC_GAPS, input.positions = beyond, ascend);
    INPUT_REFUSED(QC_CSR, input.values = no_entry, "encode: code without an entry");
    INPUT_REFUSED(QC_GAPS, input.filler = -1,
                  "gaps: a filler is needed, but no code has the value zero");
}

static void a_chunk_of_too_many_elements(void)
{
    static uint8_t room[1 << 24];
    const size_t most = QC_MAX_CHUNK_ELEMENTS;
    qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_BALANCED, 1};
    qc_chunk_input input = {0, most, 3, positions, codes, 0};
    qc_frame frame = frame_of(QC_CODEBOOK, QC_GAPS);
    uint64_t features = 0;
    size_t size;
    frame.dims[0] = 2 * most;
    frame.dims[1] = 1;
    frame.chunk_elements = most;
    frame.gap_width = 16;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    CHECK(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &size, &features, room,
                          sizeof room, NULL) == QC_OK,
          "a chunk of as many as may be");
    input.elements = most + 1;
    REFUSED(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &size, &features, room,
                            sizeof room, &error),
            QC_INVALID, "encode: elements of the chunk");
}

static void encoding_of_chunks(void)
{
    qc_chunk_input input = sparse_input();
    qc_frame frame = frame_of(QC_CODEBOOK, QC_MASK);
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    size_t bound = qc_chunk_bound(&frame, &input);
    size_t room = qc_chunk_encode_workspace(&frame, &input);
    CHECK(bound <= sizeof chunk && room <= sizeof workspace, "%zu, %zu", bound, room);
    CHECK(encode_input(QC_CODEBOOK, QC_MASK, &input, 1, bound, room, NULL) == QC_OK, "chunk");
    REFUSED(encode_input(QC_CODEBOOK, QC_MASK, &input, 1, bound, room - 1, &error), QC_NO_SPACE,
            "encode: workspace");
    REFUSED(encode_input(QC_CODEBOOK, QC_MASK, &input, 1, bound - 1, room, &error), QC_NO_SPACE,
            "encode: output");
    REFUSED(encode_input(QC_CODEBOOK, QC_MASK, &input, 0, bound, room, &error), QC_INVALID,
            "encode: effort");
    REFUSED(encode_input(QC_CODEBOOK, QC_MASK, &input, 10, bound, room, &error), QC_INVALID,
            "encode: effort");
}

/* A row count has 16 bits at most. */
static void a_row_with_too_many_entries(void)
{
    enum { MANY = 1 << 16 };
    static uint32_t all[MANY];
    static uint8_t values[MANY], large[1 << 20], scratch[1 << 22];
    qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_BALANCED, 1};
    qc_frame frame = frame_of(QC_CODEBOOK, QC_CSR);
    qc_chunk_input input = {0, MANY, MANY - 1, all, values, 0};
    uint64_t features = 0;
    size_t size;
    for (uint32_t i = 0; i < MANY; i++)
        all[i] = i;
    frame.dims[0] = 1;
    frame.dims[1] = MANY;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    CHECK(qc_chunk_encode(&frame, &input, &encoding, large, sizeof large, &size, &features, scratch,
                          sizeof scratch, NULL) == QC_OK,
          "65,535 entries of a row");
    input.stored = MANY;
    REFUSED(qc_chunk_encode(&frame, &input, &encoding, large, sizeof large, &size, &features,
                            scratch, sizeof scratch, &error),
            QC_INVALID, "csr: stored elements of a row, use gaps instead");
}

/* ---- frames to write and to read --------------------------------------------------- */

/* Zeros of this kind in two chunks, in `file`; its length. */
static size_t write_frame(qc_kind kind, int scaled)
{
    static uint8_t chunks[ELEMENTS / CHUNK][1 << 14];
    static const uint8_t zeros[8 * ELEMENTS];
    qc_encoding encoding = {63, QC_BALANCED, QC_EFFORT_USUAL};
    qc_bytes bytes[ELEMENTS / CHUNK];
    qc_frame frame = frame_of(kind, QC_DENSE);
    uint64_t features = 0;
    frame.chunk_elements = CHUNK;
    frame.scales.count = scaled ? ROWS : 0;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    CHECK(encode_parameters(&frame, 63, QC_SMALL, sizeof bodies, sizeof workspace, NULL) == QC_OK,
          "parameters");
    for (size_t i = 0; i < frame.chunks; i++) {
        qc_chunk_input input = {i * CHUNK, CHUNK, CHUNK, NULL, zeros, 0};
        CHECK(qc_chunk_encode(&frame, &input, &encoding, chunks[i], sizeof chunks[i],
                              &bytes[i].size, &features, workspace, sizeof workspace,
                              NULL) == QC_OK,
              "chunk %zu", i);
        bytes[i].data = chunks[i];
    }
    size_t size = qc_frame_size(&frame, 63, bytes);
    REFUSED(qc_frame_write(&frame, 63, bytes, file, size - 1, &error), QC_NO_SPACE,
            "frame: output");
    CHECK(qc_frame_write(&frame, 63, bytes, file, size, NULL) == QC_OK, "writing");
#if SIZE_MAX > UINT32_MAX
    bytes[0].size = (size_t)UINT32_MAX + 1;
    REFUSED(qc_frame_write(&frame, 63, bytes, file, SIZE_MAX, &error), QC_INVALID,
            "frame: chunk is too large");
#endif
    return size;
}

static qc_frame read_frame(size_t size, qc_chunk *chunks)
{
    qc_frame frame;
    CHECK(qc_frame_read(file, size, QC_WHOLE, &frame, NULL) == QC_OK, "head");
    CHECK(qc_frame_chunks(&frame, file, chunks, NULL) == QC_OK, "chunks");
    return frame;
}

static void ranges(void)
{
    qc_chunk chunks[ELEMENTS / CHUNK], next;
    uint8_t out[4 * ELEMENTS];
    qc_frame frame = read_frame(write_frame(QC_BYTES, 0), chunks);
    const uint8_t *bytes = file + chunks[0].offset;
    static const size_t beyond_chunk[][2] = {{CHUNK + 1, 0}, {1, CHUNK}, {2, SIZE_MAX}};
    static const size_t beyond_tensor[][2] = {{ELEMENTS + 1, 0}, {1, ELEMENTS}, {2, SIZE_MAX}};
    for (unsigned i = 0; i < 3; i++) {
        REFUSED(qc_chunk_decode(&frame, chunks, bytes, beyond_chunk[i][0], beyond_chunk[i][1],
                                QC_F32, out, 0, workspace, &error),
                QC_INVALID, "decode: the range is beyond the chunk");
        REFUSED(qc_frame_decode(&frame, chunks, file, beyond_tensor[i][0], beyond_tensor[i][1],
                                QC_F32, out, 0, workspace, &error),
                QC_INVALID, "decode: the range is beyond the tensor");
    }
    REFUSED(qc_chunk_next(&frame, file, &chunks[1], &next, &error), QC_INVALID,
            "frame: no more chunks");
    REFUSED(
        qc_chunk_decode_codes(&frame, chunks, bytes, CHUNK - 1, NULL, out, 0, workspace, &error),
        QC_INVALID, "decode: number of codes");
    frame.positions = QC_COPIES;
    REFUSED(qc_chunk_decode(&frame, chunks, bytes, 0, 1, QC_F32, out, 0, workspace, &error),
            QC_INVALID, "decode: a chunk of copies is decoded as a whole");
}

static void outputs(void)
{
    uint8_t out[8 * ELEMENTS], memory[1 << 12];
    const char *dtype = "decode: the tensor cannot be given in this dtype";
    size_t size = write_frame(QC_BYTES, 0), bytes = 4 * ELEMENTS;
    static const qc_dtype refused[] = {QC_I32, QC_F8E4M3, QC_BOOL};
    for (unsigned i = 0; i < 3; i++)
        REFUSED(qc_decode(file, size, refused[i], out, qc_dtype_size(refused[i]) * ELEMENTS, NULL,
                          0, 0, workspace, &error),
                QC_INVALID, dtype);
    REFUSED(qc_decode(file, size, QC_DTYPE_COUNT, out, bytes, NULL, 0, 0, workspace, &error),
            QC_INVALID, "decode: bytes of the output");
    REFUSED(qc_decode(file, size, QC_F32, out, bytes - 1, NULL, 0, 0, workspace, &error),
            QC_INVALID, "decode: bytes of the output");
    REFUSED(qc_decode(file, size, QC_F32, out, bytes + 1, NULL, 0, 0, workspace, &error),
            QC_INVALID, "decode: bytes of the output");
    size = write_frame(QC_AFFINE, 1);
    qc_chunk chunks[ELEMENTS / CHUNK];
    qc_frame frame = read_frame(size, chunks);
    CHECK(frame.coded_bytes > 0 && frame.coded_bytes <= sizeof memory, "coded scales");
    REFUSED(qc_frame_decode(&frame, chunks, file, 0, ELEMENTS, QC_F32, out, 0, workspace, &error),
            QC_INVALID, "decode: the parameters are not decoded yet");
    REFUSED(qc_decode(file, size, QC_F32, out, bytes, memory, frame.coded_bytes - 1, 0, workspace,
                      &error),
            QC_NO_SPACE, "decode: memory for the parameters");
    CHECK(qc_decode(file, size, QC_F32, out, bytes, memory, frame.coded_bytes, 0, workspace,
                    NULL) == QC_OK,
          "decoding");
}

static void a_base(void)
{
    uint8_t out[4 * ELEMENTS];
    qc_chunk chunks[ELEMENTS / CHUNK];
    qc_frame frame = read_frame(write_frame(QC_DELTA, 0), chunks);
    REFUSED(qc_frame_decode(&frame, chunks, file, 0, ELEMENTS, QC_F32, out, 0, workspace, &error),
            QC_INVALID, "delta: the base is missing");
    frame.delta.base = base;
    CHECK(qc_frame_decode(&frame, chunks, file, 0, ELEMENTS, QC_F32, out, 0, workspace, NULL) ==
              QC_OK,
          "decoding");
}

/* A list of streams names their codings. */
static void streams_of_a_chunk(void)
{
    qc_chunk chunks[ELEMENTS / CHUNK];
    qc_stream_info infos[QC_MAX_STREAMS];
    size_t count;
    qc_frame frame = read_frame(write_frame(QC_BYTES, 0), chunks);
    uint8_t *bytes = file + chunks[0].offset;
    CHECK(qc_chunk_streams(&frame, &chunks[0], bytes, infos, &count, NULL) == QC_OK, "streams");
    CHECK(count == 1 && infos[0].bytes == chunks[0].bytes, "%zu streams", count);
    bytes[0] = QC_CODING_COUNT;
    REFUSED(qc_chunk_streams(&frame, &chunks[0], bytes, infos, &count, &error), QC_UNSUPPORTED,
            "stream: coding");
}

/* The directory is read again where its chunks are asked for: it may have changed meanwhile. */
static void a_directory_that_changes(void)
{
    qc_chunk chunks[ELEMENTS / CHUNK];
    qc_frame frame = read_frame(write_frame(QC_BYTES, 0), chunks);
    qc_store32(file + frame.directory_offset, (uint32_t)file[frame.directory_offset] + 1);
    REFUSED(qc_frame_chunks(&frame, file, chunks, &error), QC_CORRUPT,
            "frame: chunk lengths exceed the frame");
}

int main(void)
{
    heads();
    kinds();
    scales();
    parameters_to_code();
    too_many_books();
    inputs();
    a_chunk_of_too_many_elements();
    encoding_of_chunks();
    a_row_with_too_many_entries();
    ranges();
    outputs();
    a_base();
    streams_of_a_chunk();
    a_directory_that_changes();
    return 0;
}
