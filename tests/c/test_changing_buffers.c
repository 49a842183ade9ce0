/*
 * Buffers that another thread keeps changing: a decoder gives other values or an error, an encoder
 * other values that can be decoded or an error, and neither touches a byte that is not its own, as
 * sanitizers see. Numeric functions come to an end.
 */
#include "changing/changer.h"
#include "frames/sample_frames.h"
#include "qcodec_numeric.h"

enum { CAPACITY = 1 << 18, ROUNDS = 4, CHANGES = 40, FOCUSED_CHANGES = 10000 };

/* Each is called again until it was called ROUNDS times and the buffer has changed CHANGES times.
 */
#define WHILE_CHANGING(by)                                                                         \
    for (unsigned round = 0; round < ROUNDS || has_changed_little(by, CHANGES); round++)

/* ---- decoding ---- */

static void decode_while_changing(const uint8_t *data, size_t size, const uint8_t *base, size_t run)
{
    changer by = {
        .bytes = exact_copy(data, size), .original = data, .size = size, .run = run, .mask = 255};
    start_changing(&by);
    WHILE_CHANGING(&by)
    {
        uint8_t *values;
        decode_sample(by.bytes, size, base, round % 4 == 3 ? QC_VERIFY : 0, &values);
        free(values);
    }
    stop_changing(&by);
    free(by.bytes);
}

/* The base of a delta may change as well: that is no error at all. */
static void decode_against_a_changing_base(const uint8_t *data, size_t size, const sample *s)
{
    size_t bytes = sizeof s->base;
    changer by = {.bytes = exact_copy(s->base, bytes),
                  .original = s->base,
                  .size = bytes,
                  .run = 512,
                  .mask = 255};
    start_changing(&by);
    WHILE_CHANGING(&by)
    {
        uint8_t *values;
        decode_sample(data, size, by.bytes, QC_VERIFY, &values);
        free(values);
    }
    stop_changing(&by);
    free(by.bytes);
}

static void decode_all(void)
{
    static sample s;
    static uint8_t data[CAPACITY];
    for (size_t w = 0; w < SAMPLE_WAYS; w++)
        for (int form = QC_DENSE; form < QC_POSITIONS_COUNT; form++)
            for (size_t c = 0; c < SAMPLE_CODINGS; c++) {
                const sample_way *way = &sample_ways[w];
                qc_frame frame = frame_of_sample(&s, way, (qc_positions)form);
                if (form != QC_DENSE && c % 3 != w % 3)
                    continue;
                fill_sample(&s, way);
                size_t size = encode_sample(&s, &frame, way, sample_codings[c], data, sizeof data);
                if (size == 0)
                    continue;
                decode_while_changing(data, size, s.base, 1);
                decode_while_changing(data, size, s.base, 200);
                if (way->kind == QC_DELTA)
                    decode_against_a_changing_base(data, size, &s);
            }
}

/* Codes that have no entry are refused in the bytes that are then looked up. One code changes as
   often as it can; its weight is one of the codebook's all the same. */
static void decode_a_changing_code(void)
{
    static sample s;
    static uint8_t data[CAPACITY], workspace[QC_WORKSPACE_BYTES];
    const sample_way way = {QC_F32, QC_CODEBOOK, 0, 200, 3, 0};
    const size_t code = 2 * 64; /* of the last book: behind it are no weights */
    qc_frame frame = frame_of_sample(&s, &way, QC_DENSE);
    qc_chunk chunk;
    frame.codebook.order = NULL;
    fill_sample(&s, &way);
    size_t size = encode_sample(&s, &frame, &way, 0, data, sizeof data), at = 0;
    uint8_t *changing = exact_copy(data, size);
    CHECK(qc_frame_read(changing, size, QC_WHOLE, &frame, NULL) == QC_OK, "the head");
    CHECK(qc_chunk_next(&frame, changing, NULL, &chunk, NULL) == QC_OK, "a chunk");
    uint8_t *memory = malloc(frame.coded_bytes);
    CHECK(qc_parameters_decode(&frame, memory, workspace, NULL) == QC_OK, "the codebook");
    while (memcmp(data + at, s.values, SAMPLE_CHUNK) != 0)
        at++;
    changer by = {.bytes = changing + at + code,
                  .original = data + at + code,
                  .size = 1,
                  .run = 1,
                  .mask = 255};
    unsigned decoded = 0;
    start_changing(&by);
    for (unsigned round = 0; round < 200000 || has_changed_little(&by, FOCUSED_CHANGES); round++) {
        float value;
        if (qc_chunk_decode(&frame, &chunk, changing + chunk.offset, code, 1, QC_F32, &value, 0,
                            workspace, NULL) != QC_OK)
            continue;
        decoded++;
        CHECK(value >= 400 / 16.0f && value <= 600 / 16.0f, "the weight %g", (double)value);
    }
    stop_changing(&by);
    CHECK(decoded > 0, "the code was never right");
    free(changing);
    free(memory);
}

/* ---- encoding ---- */

/* What was encoded of a sample while it changed, decoded. */
static void encode_while_changing(sample *s, const sample_way *way, qc_positions form,
                                  uint64_t codings, uint8_t *changing, size_t bytes, uint8_t mask)
{
    static uint8_t data[CAPACITY];
    uint8_t *original = exact_copy(changing, bytes);
    changer by = {.bytes = changing, .original = original, .size = bytes, .run = 256, .mask = mask};
    start_changing(&by);
    WHILE_CHANGING(&by)
    {
        qc_frame frame = frame_of_sample(s, way, form);
        size_t size = encode_sample(s, &frame, way, codings, data, sizeof data);
        uint8_t *values;
        CHECK(size == 0 || way->kind == QC_DELTA ||
                  decode_sample(data, size, s->base, QC_VERIFY, &values) == QC_OK,
              "kind %d, positions %d, codings %x", (int)way->kind, (int)form, (unsigned)codings);
        if (size > 0 && way->kind != QC_DELTA)
            free(values);
    }
    stop_changing(&by);
    memcpy(changing, original, bytes);
    free(original);
}

static void encode_all(void)
{
    static sample s;
    for (size_t w = 0; w < SAMPLE_WAYS; w++)
        for (int form = QC_DENSE; form < QC_POSITIONS_COUNT; form++)
            for (size_t c = 0; c < SAMPLE_CODINGS; c++) {
                const sample_way *way = &sample_ways[w];
                qc_positions positions = (qc_positions)form;
                uint64_t codings = sample_codings[c];
                size_t item =
                    sample_has_codes(way) ? qc_symbol_size(way->width) : qc_dtype_size(way->dtype);
                uint8_t mask = way->dtype == QC_BOOL ? 1 : way->kind == QC_AFFINE ? 7 : 255;
                if (form != QC_DENSE && c % 3 != w % 3)
                    continue;
                if (way->kind == QC_CODEBOOK)
                    mask = way->entries == 256 ? 255 : way->entries == 200 ? 127 : 7;
                fill_sample(&s, way);
                encode_while_changing(&s, way, positions, codings, s.values, SAMPLE_ELEMENTS * item,
                                      mask);
                if (form != QC_DENSE)
                    encode_while_changing(&s, way, positions, codings, (uint8_t *)s.positions,
                                          sizeof s.positions, 255);
                if (way->kind == QC_DELTA)
                    encode_while_changing(&s, way, positions, codings, s.base, sizeof s.base, 255);
                if (way->kind == QC_CODEBOOK && way->books > 1)
                    encode_while_changing(&s, way, positions, codings, s.order, sizeof s.order,
                                          255);
                if (way->scaled) {
                    encode_while_changing(&s, way, positions, codings, s.scales, sizeof s.scales,
                                          255);
                    encode_while_changing(&s, way, positions, codings, s.zero_points,
                                          sizeof s.zero_points, 15);
                }
            }
}

/* The order of a codebook, a number of which is there twice every other moment. */
static void encode_a_changing_order(void)
{
    static sample s;
    static uint8_t bodies[1 << 17];
    const sample_way way = {QC_F32, QC_CODEBOOK, 0, 200, 3, 0};
    fill_sample(&s, &way);
    uint8_t *order = exact_copy(s.order, sizeof s.order);
    size_t at = 250;
    changer by = {.bytes = order + at, .original = s.order + at, .size = 1, .run = 1, .mask = 127};
    start_changing(&by);
    for (unsigned round = 0; round < 400 || has_changed_little(&by, FOCUSED_CHANGES); round++) {
        qc_frame frame = frame_of_sample(&s, &way, QC_DENSE);
        uint64_t features = 0;
        frame.codebook.order = order;
        CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "planning");
        size_t needed = qc_parameters_encode_workspace(&frame);
        void *workspace = malloc(needed);
        qc_status status = qc_parameters_encode(&frame, 3, QC_SMALL, bodies, sizeof bodies,
                                                &features, workspace, needed, NULL);
        CHECK(status == QC_OK || status == QC_INVALID, "status %d", (int)status);
        free(workspace);
    }
    stop_changing(&by);
    free(order);
}

static void encode_streams(void)
{
    enum { COUNT = 5000 };
    for (unsigned coding = 0; coding <= QC_LANES_TANS; coding++)
        for (unsigned width = 4; width <= 12; width += 4) {
            uint8_t symbols[2 * COUNT];
            size_t bytes = COUNT * qc_symbol_size(width), size;
            size_t capacity = qc_stream_bound(COUNT, width);
            for (size_t i = 0; i < sizeof symbols; i++)
                symbols[i] = width <= 8 || i % 2 == 0 ? (uint8_t)(random_bits() & 7) : 0;
            changer by = {.bytes = exact_copy(symbols, bytes),
                          .original = symbols,
                          .size = bytes,
                          .run = 1000,
                          .sweeps = 1,
                          .mask = (uint8_t)(width == 8 ? 255 : 15)};
            start_changing(&by);
            WHILE_CHANGING(&by)
            {
                uint8_t *out = malloc(capacity), *back = malloc(bytes);
                uint8_t *workspace = malloc(QC_STREAM_ENCODE_WORKSPACE(COUNT));
                qc_status status =
                    qc_stream_encode(by.bytes, COUNT, width, QC_CODING_MASK(coding), QC_SMALL, out,
                                     capacity, &size, workspace, NULL, NULL);
                CHECK(status == QC_OK || status == QC_INVALID, "status %d", (int)status);
                if (status == QC_OK)
                    CHECK(qc_stream_decode(out, size, COUNT, width, back, workspace, NULL, NULL) ==
                              QC_OK,
                          "coding %u, width %u", coding, width);
                free(out);
                free(back);
                free(workspace);
            }
            stop_changing(&by);
            free(by.bytes);
        }
}

static void encode_positions(void)
{
    enum { COUNT = 2000 };
    uint32_t positions[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        positions[i] = 40 * i;
    for (unsigned width = 1; width <= 16; width += 3) {
        changer by = {.bytes = exact_copy(positions, sizeof positions),
                      .original = (const uint8_t *)positions,
                      .size = sizeof positions,
                      .run = 3,
                      .mask = 255};
        start_changing(&by);
        WHILE_CHANGING(&by)
        {
            const uint32_t *changing = (const uint32_t *)(const void *)by.bytes;
            size_t room = qc_relative_index_count(positions, COUNT, width);
            uint16_t *gaps = malloc(2 * room);
            uint32_t *entry_of = malloc(4 * room);
            qc_relative_index_encode(changing, COUNT, width, gaps, entry_of, &room, NULL);
            free(gaps);
            free(entry_of);
        }
        stop_changing(&by);
        free(by.bytes);
    }
}

/* ---- numbers ---- */

static void find_exact_forms(const float *values, size_t count, uint8_t *codes)
{
    uint64_t patterns[QC_MAX_VALUES];
    uint16_t counts;
    size_t done;
    float scale;
    qc_levels levels;
    int32_t zero = 100;
    qc_distinct(values, 4, &count, 1, QC_MAX_VALUES, patterns, &counts, codes, &done, NULL, NULL);
    for (size_t i = 0; i < count && done == 1; i++)
        CHECK(codes[i] < counts, "code %u of %u", codes[i], counts);
    for (qc_dtype dtype = QC_F32; dtype <= QC_BF16; dtype++) {
        unsigned max_level = dtype == QC_F32 ? QC_MAX_LEVEL : QC_MAX_NARROW_LEVEL;
        qc_equal_steps(values, &count, 1, dtype, max_level, &scale, &levels, &done, NULL, NULL);
        if (done == 1 && scale > 0)
            qc_step_codes(values, &count, 1, dtype, &scale, &zero, 1, 1, codes, NULL, NULL);
    }
    qc_scaled_halves(values, &count, 1, QC_F16, &scale, &done, NULL, NULL);
}

/* Everything that looks at values more than once. */
static void quantize(const float *values, size_t count)
{
    enum { K = 15 };
    float centroids[K], thresholds[2], means[2];
    double coarseness, costs[K];
    int coarse;
    size_t above;
    void *workspace = malloc(qc_kmeans_fast_workspace(K) + qc_ternary_best_workspace(2));
    float *between = malloc((count + 1) * sizeof *between);
    uint8_t *codes = malloc(count);
    qc_kmeans_fast(values, count, K, centroids, &coarseness, workspace, NULL, NULL);
    qc_ternary_best(values, count, 1, thresholds, means, &coarse, workspace, NULL, NULL);
    qc_ternary_best(values, count, 2, thresholds, means, &coarse, workspace, NULL, NULL);
    qc_magnitudes_between(values, count, 0.5f, 1.5f, &above, between);
    qc_mask_above(values, count, 1.0f, count / 3, codes);
    qc_mask_n_of_m(values, count / 8, 8, 3, 4, codes);
    for (unsigned i = 0; i < K; i++) {
        centroids[i] = (float)i / 4;
        costs[i] = i % 3;
    }
    qc_assign(values, count, centroids, K, codes);
    for (size_t i = 0; i < count; i++)
        CHECK(codes[i] < K, "code %u", codes[i]);
    qc_assign_by_cost(values, count, centroids, costs, K, codes, NULL);
    for (size_t i = 0; i < count; i++)
        CHECK(codes[i] < K, "code %u", codes[i]);
    find_exact_forms(values, count, codes);
    free(workspace);
    free(between);
    free(codes);
}

/* As few values as a block has, all of which change at once. */
static void prune_while_changing(void)
{
    enum { COUNT = 1024 };
    float ones[COUNT];
    uint8_t mask[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        ones[i] = 1;
    changer by = {.bytes = exact_copy(ones, sizeof ones),
                  .original = (const uint8_t *)ones,
                  .size = sizeof ones,
                  .run = 4,
                  .sweeps = 1};
    start_changing(&by);
    for (unsigned round = 0; round < 20000 || has_changed_little(&by, CHANGES); round++)
        qc_mask_above((const float *)(const void *)by.bytes, COUNT, 1, 1, mask);
    stop_changing(&by);
    free(by.bytes);
}

/* Two values, one of which is anything: nothing that was found in one pass holds in the next. */
static void cluster_while_changing(void)
{
    float values[2] = {1, -1e-3f}, centroids[3];
    double coarseness;
    void *workspace = malloc(qc_kmeans_fast_workspace(3));
    changer by = {.bytes = exact_copy(values, sizeof values),
                  .original = (const uint8_t *)values,
                  .size = 4,
                  .run = 4,
                  .sweeps = 1,
                  .mask = 255};
    start_changing(&by);
    for (unsigned round = 0; round < 2000 || has_changed_little(&by, FOCUSED_CHANGES); round++)
        qc_kmeans_fast((const float *)(const void *)by.bytes, 2, 3, centroids, &coarseness,
                       workspace, NULL, NULL);
    stop_changing(&by);
    free(by.bytes);
    free(workspace);
}

/* Weights of which many are equal, as pruned ones, and some are changed into anything. */
static void quantize_all(void)
{
    enum { COUNT = 6000 };
    static float values[COUNT];
    for (unsigned kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < COUNT; i++)
            values[i] = kind == 0   ? 1.0f
                        : kind == 1 ? (float)(i % 7) / 4
                        : kind == 2 ? (float)(random_bits() >> 40) / (float)(1 << 20)
                                    : (i % 2 == 0 ? 1e30f : -1e-30f) * (float)(i % 100);
        changer by = {.bytes = exact_copy(values, sizeof values),
                      .original = (const uint8_t *)values,
                      .size = sizeof values,
                      .run = kind % 2 == 0 ? 8 : 4000,
                      .mask = 255};
        start_changing(&by);
        for (unsigned part = 0; part < 4; part++)
            WHILE_CHANGING(&by) quantize((const float *)(const void *)by.bytes, COUNT);
        stop_changing(&by);
        free(by.bytes);
    }
}

int main(void)
{
    decode_all();
    decode_a_changing_code();
    encode_all();
    encode_a_changing_order();
    encode_streams();
    encode_positions();
    quantize_all();
    prune_while_changing();
    cluster_while_changing();
    return 0;
}
