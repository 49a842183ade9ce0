/*
 * What a caller must not ask of the functions that write and read frames is refused, by the rule
 * that it breaks: each argument, one after the other, just outside of what it may be.
 */
#include "frames/refused_frames.h"

static uint8_t chunk[1 << 16], file[1 << 16];

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
        REFUSED(qc_frame_decode(&frame, chunks, file, 0, beyond_tensor[i][0], beyond_tensor[i][1],
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
            QC_INVALID, "decode: a chunk of copies or changes is decoded as a whole");
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
    REFUSED(
        qc_frame_decode(&frame, chunks, file, 0, 0, ELEMENTS, QC_F32, out, 0, workspace, &error),
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
    REFUSED(
        qc_frame_decode(&frame, chunks, file, 0, 0, ELEMENTS, QC_F32, out, 0, workspace, &error),
        QC_INVALID, "delta: the base is missing");
    frame.delta.base = base;
    CHECK(qc_frame_decode(&frame, chunks, file, 0, 0, ELEMENTS, QC_F32, out, 0, workspace, NULL) ==
              QC_OK,
          "decoding");
}

/* The bytes of the second chunk alone: no others are read, and errors are where they are in the
   frame. */
static void bytes_from_an_offset_on(void)
{
    uint8_t out[4 * ELEMENTS];
    qc_chunk chunks[ELEMENTS / CHUNK];
    qc_frame frame = read_frame(write_frame(QC_BYTES, 0), chunks);
    size_t offset = chunks[1].offset, count = ELEMENTS - CHUNK;
    uint8_t *bytes = malloc(chunks[1].bytes);
    memcpy(bytes, file + offset, chunks[1].bytes);
    CHECK(qc_frame_decode(&frame, chunks, bytes, offset, CHUNK, count, QC_F32, out, QC_VERIFY,
                          workspace, NULL) == QC_OK,
          "decoding");
    bytes[0] = QC_CODING_COUNT;
    for (unsigned flags = 0; flags <= QC_VERIFY; flags += QC_VERIFY) {
        qc_error found;
        qc_status status = qc_frame_decode(&frame, chunks, bytes, offset, CHUNK, count, QC_F32, out,
                                           flags, workspace, &found);
        CHECK(status == (flags != 0 ? QC_CHECKSUM : QC_UNSUPPORTED), "%s", qc_status_name(status));
        CHECK(found.offset == offset, "offset %zu, not %zu", (size_t)found.offset, offset);
    }
    free(bytes);
    CHECK(qc_frame_decode(&frame, chunks, NULL, 0, CHUNK, 0, QC_F32, out, QC_VERIFY, workspace,
                          NULL) == QC_OK,
          "no elements");
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
    CHECK(count == 1 && infos[0].bytes == chunks[0].bytes && infos[0].offset == 0, "%zu streams",
          count);
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
    inputs();
    a_chunk_of_too_many_elements();
    encoding_of_chunks();
    a_row_with_too_many_entries();
    ranges();
    outputs();
    a_base();
    bytes_from_an_offset_on();
    streams_of_a_chunk();
    a_directory_that_changes();
    return 0;
}
