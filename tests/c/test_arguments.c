/*
 * What a caller must not ask of streams, the relative index, packs and the quantizers' kernels is
 * refused, by the rule that it breaks.
 */
#include <math.h>

#include "qcodec_numeric.h"
#include "support.h"

static uint8_t workspace[1 << 20] __attribute__((aligned(16)));

/* ---- streams -------------------------------------------------------------------- */

static qc_status encode(const void *symbols, unsigned width, uint64_t codings, int profile,
                        size_t capacity, qc_error *error)
{
    static uint8_t out[1 << 14];
    size_t size;
    return qc_stream_encode(symbols, 8, width, codings, (qc_profile)profile, out, capacity, &size,
                            workspace, NULL, error);
}

static void streams(void)
{
    static const uint8_t symbols[16] = {1, 3, 2};
    size_t bound = qc_stream_bound(8, 2);
    CHECK(encode(symbols, 2, ~(uint64_t)0, QC_FIXED, bound, NULL) == QC_OK, "encoding");
    REFUSED(encode(symbols, 0, 63, QC_SMALL, 1 << 14, &error), QC_INVALID, "stream: width");
    REFUSED(encode(symbols, 17, 63, QC_SMALL, 1 << 14, &error), QC_INVALID, "stream: width");
    REFUSED(encode(symbols, 2, 63, QC_FIXED + 1, bound, &error), QC_INVALID, "stream: profile");
    REFUSED(encode(symbols, 2, 63, -1, bound, &error), QC_INVALID, "stream: profile");
    REFUSED(encode(symbols, 2, 63, QC_SMALL, bound - 1, &error), QC_NO_SPACE,
            "stream: output buffer");
    REFUSED(encode(symbols, 1, 63, QC_SMALL, bound, &error), QC_INVALID, "stream: largest symbol");
    REFUSED(encode(symbols, 2, QC_CODING_MASK(QC_CONSTANT), QC_SMALL, bound, &error), QC_INVALID,
            "stream: no allowed coding holds the symbols");
}

static qc_status to_gaps(const uint32_t *positions, unsigned width, size_t room, qc_error *error)
{
    static uint8_t gaps[16];
    return qc_relative_index_encode(positions, 3, width, gaps, NULL, &room, error);
}

static qc_status from_gaps(unsigned width, size_t limit, qc_error *error)
{
    static const uint8_t gaps[] = {3, 1, 3};
    uint32_t found[3];
    return qc_relative_index_decode(gaps, 3, width, limit, found, error);
}

static void relative_index(void)
{
    static const uint32_t ascending[] = {3, 5, 9}, equal[] = {3, 5, 5}, far[] = {3, 5, 6 + 16};
    const char *width = "relative index: gap width";
    CHECK(to_gaps(ascending, 3, 3, NULL) == QC_OK, "encoding");
    CHECK(to_gaps(far, 3, 5, NULL) == QC_OK, "encoding with two fillers");
    CHECK(from_gaps(3, 10, NULL) == QC_OK, "decoding");
    REFUSED(to_gaps(ascending, 0, 3, &error), QC_INVALID, width);
    REFUSED(to_gaps(ascending, 17, 3, &error), QC_INVALID, width);
    REFUSED(to_gaps(equal, 3, 3, &error), QC_INVALID,
            "relative index: positions are not strictly ascending");
    REFUSED(to_gaps(ascending, 3, 2, &error), QC_NO_SPACE, "relative index: stored gaps");
    REFUSED(to_gaps(far, 3, 4, &error), QC_NO_SPACE, "relative index: stored gaps");
    REFUSED(from_gaps(0, 10, &error), QC_INVALID, width);
    REFUSED(from_gaps(17, 10, &error), QC_INVALID, width);
#if SIZE_MAX > UINT32_MAX
    REFUSED(from_gaps(3, (size_t)UINT32_MAX + 1, &error), QC_INVALID, "relative index: limit");
#endif
    REFUSED(from_gaps(3, 9, &error), QC_CORRUPT,
            "relative index: last position is not below the limit");
}

/* ---- packs ---------------------------------------------------------------------- */

enum { ENTRIES = 4 };

typedef qc_pack_entry pack[ENTRIES];

static const uint64_t dims[] = {2, 300, 5};

/* A frame, a frame of two tensors, and another name of the first. */
static void fill_pack(pack entries)
{
    const pack filled = {
        {.name_offset = 0, .name_bytes = 1, .role = QC_PACK_FRAME, .bytes = 5},
        {.name_offset = 1, .name_bytes = 2, .role = QC_PACK_FIRST, .bytes = 7, .ndim = 2},
        {.name_offset = 3, .name_bytes = 1, .role = QC_PACK_NEXT, .ndim = 1, .dims_offset = 2},
        {.name_offset = 4, .name_bytes = 1, .role = QC_PACK_SAME, .target_bytes = 1}};
    memcpy(entries, filled, sizeof filled);
}

static qc_status write_pack(pack entries, size_t capacity, qc_error *error)
{
    static const char names[2048] = "abcde\xFF"; /* and zeros, which are UTF-8 */
    static uint8_t out[2048];
    return qc_pack_write_content(names, dims, entries, ENTRIES, out, capacity, error);
}

#define PACK_REFUSED(change, rule)                                                                 \
    do {                                                                                           \
        pack entries;                                                                              \
        fill_pack(entries);                                                                        \
        change;                                                                                    \
        REFUSED(write_pack(entries, 2048, &error), QC_INVALID, rule);                              \
    } while (0)

static void packs(void)
{
    const char *length = "pack: length of a frame";
    const char *target = "pack: a name that stands for another name, or for no tensor";
    pack valid;
    fill_pack(valid);
    size_t bytes = qc_pack_content_bytes(valid, ENTRIES, dims);
    CHECK(write_pack(valid, bytes, NULL) == QC_OK, "writing");
    REFUSED(write_pack(valid, bytes - 1, &error), QC_NO_SPACE, "pack: content of the table");
    PACK_REFUSED((entries[0].name_offset = 6, entries[0].name_bytes = QC_MAX_NAME_BYTES + 1),
                 "pack: length of a name");
    PACK_REFUSED(entries[3].name_bytes = 2, "pack: name is not UTF-8");
    PACK_REFUSED((entries[3].target_offset = 5, entries[3].target_bytes = 1),
                 "pack: name is not UTF-8");
    PACK_REFUSED(entries[3].target_bytes = QC_MAX_NAME_BYTES + 1, "pack: length of a name");
    PACK_REFUSED(entries[1].bytes = 0, length);
#if SIZE_MAX > UINT32_MAX
    PACK_REFUSED(entries[1].bytes = (size_t)1 << 56, length);
#endif
    PACK_REFUSED(entries[0].role = QC_PACK_ATTACHED + 1, "pack: role");
    PACK_REFUSED(entries[1].ndim = QC_MAX_DIMS + 1, "pack: number of dimensions");
    PACK_REFUSED(entries[1].role = QC_PACK_FRAME, "pack: a next part without the one before");
    PACK_REFUSED(entries[0].role = QC_PACK_NEXT, "pack: a next part without the one before");
    PACK_REFUSED((entries[3].role = QC_PACK_CONVERTED, entries[3].dtype = QC_DTYPE_COUNT),
                 "pack: dtype of a converted tensor");
    PACK_REFUSED(entries[3].target_offset = 4, target);
    PACK_REFUSED(entries[0].role = QC_PACK_ATTACHED, target);
    PACK_REFUSED((entries[2].name_offset = 1, entries[2].name_bytes = 2),
                 "pack: name is there twice");
}

static void room_for_a_pack(void)
{
    static uint8_t content[2048];
    pack entries, found;
    uint64_t read[QC_MAX_DIMS];
    fill_pack(entries);
    size_t size = qc_pack_content_bytes(entries, ENTRIES, dims), count;
    CHECK(qc_pack_write_content("abcde", dims, entries, ENTRIES, content, size, NULL) == QC_OK,
          "writing");
    CHECK(qc_pack_count(content, size, &count, NULL) == QC_OK && count == ENTRIES, "counting");
    CHECK(qc_pack_read(content, size, 9, 21, found, ENTRIES, NULL) == QC_OK, "reading");
    CHECK(found[2].first == 600 && found[2].elements == 5 && found[2].offset == 14, "a part");
    qc_pack_dims(content, &found[1], read);
    CHECK(read[0] == 2 && read[1] == 300, "dims");
    CHECK(found[3].target == 0 && found[3].offset == 9 && found[3].bytes == 5, "another name");
    REFUSED(qc_pack_read(content, size, 9, 21, found, ENTRIES - 1, &error), QC_INVALID,
            "pack: room for another number of entries");
    uint8_t head[QC_PACK_MAX_HEAD_BYTES];
    size_t bytes = qc_pack_write_head(300, head), offset, table;
    CHECK(qc_pack_head(head, bytes, &offset, &table, NULL) == QC_OK, "head");
    CHECK(offset == 6 && bytes == 6 && table == 300, "head");
    REFUSED(qc_pack_head(head, 5, &offset, &table, &error), QC_TRUNCATED,
            "pack: length of the table");
}

/* ---- kernels of the quantizers --------------------------------------------------- */

static const float ascending[] = {-1, 0, 2, 5}, descending[] = {5, 2, 0, -1};
static const float with_nan[] = {-1, NAN, 2, 5}, with_infinity[] = {-1, 0, 2, INFINITY},
                   below_all[] = {-INFINITY, 0, 2, 5};

static qc_status lloyd(const float *values, size_t count, size_t k, int init, qc_error *error)
{
    float centroids[256];
    return qc_kmeans_lloyd(values, count, k, (qc_kmeans_init)init, 0, 10, centroids, NULL,
                           workspace, NULL, error);
}

static qc_status exact(const float *values, size_t count, size_t k, qc_error *error)
{
    float centroids[256];
    return qc_kmeans_exact(values, count, k, centroids, NULL, workspace, NULL, error);
}

static qc_status fast(const float *values, size_t count, size_t k, qc_error *error)
{
    static uint8_t *room;
    float centroids[256];
    if (room == NULL)
        room = malloc(qc_kmeans_fast_workspace(256));
    return qc_kmeans_fast(values, count, k, centroids, NULL, room, NULL, error);
}

static void kmeans(void)
{
    const char *number = "k-means: number of values", *k = "k-means: number of centroids";
    const char *order = "k-means: values are not ascending",
               *finite = "k-means: values are not finite";
    CHECK(lloyd(ascending, 4, 2, QC_KMEANS_PLUSPLUS, NULL) == QC_OK, "lloyd");
    CHECK(exact(ascending, 4, 2, NULL) == QC_OK, "exact");
    CHECK(fast(descending, 4, 2, NULL) == QC_OK, "fast");
    REFUSED(lloyd(ascending, 0, 2, 0, &error), QC_INVALID, number);
    REFUSED(exact(ascending, UINT32_MAX, 2, &error), QC_INVALID, number);
    REFUSED(fast(ascending, 0, 2, &error), QC_INVALID, number);
    REFUSED(fast(ascending, UINT32_MAX, 2, &error), QC_INVALID, number);
    REFUSED(lloyd(ascending, 4, 0, 0, &error), QC_INVALID, k);
    REFUSED(exact(ascending, 4, 257, &error), QC_INVALID, k);
    REFUSED(fast(ascending, 4, 0, &error), QC_INVALID, k);
    REFUSED(fast(ascending, 4, 257, &error), QC_INVALID, k);
    REFUSED(lloyd(ascending, 4, 2, QC_KMEANS_PLUSPLUS + 1, &error), QC_INVALID, "k-means: start");
    REFUSED(exact(descending, 4, 2, &error), QC_INVALID, order);
    REFUSED(lloyd(with_nan, 4, 2, 0, &error), QC_INVALID, order);
    REFUSED(exact(with_infinity, 4, 2, &error), QC_INVALID, finite);
    REFUSED(lloyd(below_all, 4, 2, 0, &error), QC_INVALID, finite);
    REFUSED(fast(with_nan, 4, 2, &error), QC_INVALID, finite);
    REFUSED(fast(with_infinity, 4, 2, &error), QC_INVALID, finite);
    REFUSED(fast(below_all, 4, 2, &error), QC_INVALID, finite);
}

/* Values that somebody changes during the call: the question whether to go on is asked between two
   looks at them, so this is the moment. */
typedef struct change {
    float *values;
    size_t first, count;
    float to;
    unsigned question, asked; /* at which question they change, and how many there were */
} change;

static int change_values(void *context)
{
    change *by = context;
    by->asked++;
    for (size_t i = by->first; i < by->count && by->asked >= by->question; i++)
        by->values[i] = by->to;
    return 0;
}

/* `pieces` of 2^16 values, of which one is far from all others. At a question the values from
   `first` on become `to`. The first ones are asked between two blocks of 32 pieces. */
static qc_status fast_while_changing(size_t pieces, int far_is_last, unsigned question,
                                     double first, float to, qc_error *error)
{
    size_t count = pieces << 16;
    float *values = malloc(count * sizeof *values), centroids[2];
    void *room = malloc(qc_kmeans_fast_workspace(2));
    CHECK(values != NULL && room != NULL, "memory");
    for (size_t i = 0; i < count; i++)
        values[i] = 1 + (float)(i % 7) / 8;
    values[far_is_last ? count - 1 : 0] = 1e30f;
    change by = {values, (size_t)(first * (double)count), count, to, question, 0};
    const qc_poll poll = {.stop = change_values, .context = &by};
    qc_status status = qc_kmeans_fast(values, count, 2, centroids, NULL, room, &poll, error);
    CHECK(by.asked >= question, "the values have not changed");
    free(values);
    free(room);
    return status;
}

static void kmeans_of_values_that_change(void)
{
    const char *change = "k-means: values change while they are read";
    /* In the first pass, so that the centre lies outside of the range that the second finds. */
    REFUSED(fast_while_changing(150, 1, 1, 0, 1e20f, &error), QC_INVALID, change);
    /* In the third pass, after seven blocks of the first and 8 M values of its own, beyond the
       range that the second has found. */
    REFUSED(fast_while_changing(200, 0, 7, 0.5, 3e38f, &error), QC_INVALID, change);
}

static qc_status assign(const float *centroids, const double *costs, size_t k, qc_error *error)
{
    uint8_t codes[4];
    return qc_assign_by_cost(ascending, 4, centroids, costs, k, codes, error);
}

static void costs(void)
{
    static const double none[256], infinite[] = {INFINITY, INFINITY}, one[] = {INFINITY, 1},
                                   is_nan[] = {1, NAN}, below[] = {-INFINITY, 1};
    const char *k = "costs: number of centroids";
    CHECK(assign(ascending, one, 2, NULL) == QC_OK, "assigning");
    REFUSED(assign(ascending, none, 0, &error), QC_INVALID, k);
    REFUSED(assign(ascending, none, 257, &error), QC_INVALID, k);
    REFUSED(assign(with_infinity, none, 4, &error), QC_INVALID, "costs: centroids are not finite");
    REFUSED(assign(descending, none, 4, &error), QC_INVALID, "costs: centroids do not ascend");
    REFUSED(assign(ascending, is_nan, 2, &error), QC_INVALID,
            "costs: one is NaN or below all numbers");
    REFUSED(assign(ascending, below, 2, &error), QC_INVALID,
            "costs: one is NaN or below all numbers");
    REFUSED(assign(ascending, infinite, 2, &error), QC_INVALID, "costs: all are infinite");
}

static qc_status ternary(const float *values, size_t count, size_t sides, qc_error *error)
{
    static uint8_t *room;
    float thresholds[2], means[2];
    int coarse;
    if (room == NULL)
        room = malloc(qc_ternary_best_workspace(2));
    return qc_ternary_best(values, count, sides, thresholds, means, &coarse, room, NULL, error);
}

static void ternary_weights(void)
{
    const char *sides = "ternary: number of scales";
    CHECK(ternary(ascending, 4, 2, NULL) == QC_OK, "two sides");
    REFUSED(ternary(ascending, 4, 0, &error), QC_INVALID, sides);
    REFUSED(ternary(ascending, 4, 3, &error), QC_INVALID, sides);
    REFUSED(ternary(ascending, UINT32_MAX, 1, &error), QC_INVALID, "ternary: number of values");
    REFUSED(ternary(with_nan, 4, 1, &error), QC_INVALID, "ternary: values are not finite");
    REFUSED(ternary(below_all, 4, 2, &error), QC_INVALID, "ternary: values are not finite");
}

static qc_status distinct(size_t item_size, size_t limit, qc_error *error)
{
    static const uint32_t items[4] = {7, 7, 8, 7};
    size_t ends[] = {4}, done;
    uint64_t patterns[QC_MAX_VALUES];
    uint16_t counts[1];
    uint8_t codes[4];
    return qc_distinct(items, item_size, ends, 1, limit, patterns, counts, codes, &done, NULL,
                       error);
}

static qc_status equal_steps(qc_dtype dtype, unsigned max_level, qc_error *error)
{
    size_t ends[] = {4}, done;
    float scale;
    qc_levels levels;
    return qc_equal_steps(ascending, ends, 1, dtype, max_level, &scale, &levels, &done, NULL,
                          error);
}

static qc_status step_codes_of(qc_dtype dtype, float scale, size_t code_size, qc_error *error)
{
    size_t ends[] = {4};
    int32_t zeros[] = {9};
    uint8_t codes[8];
    return qc_step_codes(ascending, ends, 1, dtype, &scale, zeros, 0, code_size, codes, NULL,
                         error);
}

static qc_status step_codes(float scale, size_t code_size, qc_error *error)
{
    return step_codes_of(QC_F32, scale, code_size, error);
}

static qc_status scaled_halves(qc_dtype dtype, qc_error *error)
{
    size_t ends[] = {4}, done;
    float scale;
    return qc_scaled_halves(ascending, ends, 1, dtype, &scale, &done, NULL, error);
}

static qc_status halves(float scale, qc_dtype dtype, qc_error *error)
{
    size_t ends[] = {4};
    uint16_t halves[4];
    return qc_halves(ascending, ends, 1, &scale, dtype, halves, NULL, error);
}

static qc_status probe_of(qc_dtype dtype, size_t row_sample, size_t run_sample, unsigned axes,
                          qc_error *error)
{
    static const double items[QC_PROBED_ITEMS];
    qc_exact_probe probe = {.dtype = dtype, .count = QC_PROBED_ITEMS, .max_level = 255};
    int found;
    probe.row_sample = row_sample;
    probe.run_sample = run_sample;
    probe.axes = axes;
    return qc_may_have_exact_form(&probe, items, &found, error);
}

static void probes(void)
{
    CHECK(probe_of(QC_F64, QC_PROBED_ITEMS, QC_PROBED_ITEMS, QC_PROBE_AXES, NULL) == QC_OK,
          "probe");
    REFUSED(probe_of(QC_U8, 1, 1, 0, &error), QC_INVALID, "type of probed elements");
    REFUSED(probe_of(QC_F32, QC_PROBED_ITEMS + 1, 1, 0, &error), QC_INVALID, "sample");
    REFUSED(probe_of(QC_F32, 1, 2, 0, &error), QC_INVALID, "sample");
    REFUSED(probe_of(QC_F32, 1, 1, QC_PROBE_AXES + 1, &error), QC_INVALID, "sample");
}

static void scaled(void)
{
    const char *no_half = "values that are no halves times the scale";
    CHECK(scaled_halves(QC_F16, NULL) == QC_OK && scaled_halves(QC_BF16, NULL) == QC_OK, "halves");
    REFUSED(scaled_halves(QC_F32, &error), QC_INVALID, "dtype of halves");
    CHECK(halves(1, QC_F16, NULL) == QC_OK && halves(0.5f, QC_BF16, NULL) == QC_OK, "halves");
    REFUSED(halves(1, QC_F64, &error), QC_INVALID, "dtype of halves");
    REFUSED(halves(0.7f, QC_F16, &error), QC_INVALID, no_half);
    REFUSED(halves(1e-9f, QC_F16, &error), QC_INVALID, no_half);
    REFUSED(halves(0, QC_F16, &error), QC_INVALID, no_half);
    REFUSED(halves(NAN, QC_BF16, &error), QC_INVALID, no_half);
}

static void exact_forms(void)
{
    const char *no_steps = "steps of another dtype than f32, f16 or bf16";
    const char *no_multiple = "values that are no multiples of the scale";
    CHECK(distinct(4, 2, NULL) == QC_OK, "distinct");
    REFUSED(distinct(3, 2, &error), QC_INVALID, "item size");
    REFUSED(distinct(4, 0, &error), QC_INVALID, "patterns of a group");
    REFUSED(distinct(4, 257, &error), QC_INVALID, "patterns of a group");
    for (qc_dtype dtype = QC_F32; dtype <= QC_BF16; dtype++) {
        unsigned most = dtype == QC_F32 ? QC_MAX_LEVEL : QC_MAX_NARROW_LEVEL;
        CHECK(equal_steps(dtype, most, NULL) == QC_OK, "steps");
        CHECK(step_codes_of(dtype, 1, 1, NULL) == QC_OK, "codes");
        REFUSED(equal_steps(dtype, 0, &error), QC_INVALID, "largest level");
        REFUSED(equal_steps(dtype, most + 1, &error), QC_INVALID, "largest level");
    }
    REFUSED(equal_steps(QC_F64, 1, &error), QC_INVALID, no_steps);
    REFUSED(step_codes_of(QC_U8, 1, 1, &error), QC_INVALID, no_steps);
    CHECK(step_codes(1, 1, NULL) == QC_OK, "codes");
    REFUSED(step_codes(1, 3, &error), QC_INVALID, "code size");
    REFUSED(step_codes(0.7f, 1, &error), QC_INVALID, no_multiple);
    REFUSED(step_codes(0.001f, 1, &error), QC_INVALID, no_multiple);
    REFUSED(step_codes(0, 1, &error), QC_INVALID, no_multiple);
    REFUSED(step_codes(-1, 1, &error), QC_INVALID, no_multiple);
    REFUSED(step_codes(NAN, 1, &error), QC_INVALID, no_multiple);
}

#include "arguments/groups.h"

int main(void)
{
    groups();
    streams();
    relative_index();
    packs();
    room_for_a_pack();
    kmeans();
    kmeans_of_values_that_change();
    costs();
    ternary_weights();
    exact_forms();
    probes();
    scaled();
    return 0;
}
