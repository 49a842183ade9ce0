/*
 * The speed at which encoded tensors become floats on one core, against the fastest stores of this
 * machine: non-temporal stores of data that is not zero. Each row takes turns with that bound.
 * Times are medians of processor time. Hot: 64 Ki weights, which stay in L2. Cold: 16 Mi weights.
 * Build and run from the project's root:
 *
 *     cc -O3 -ffp-contract=off -Icsrc benchmarks/values.c $(find csrc -name '*.c') -lm -o values
 *     ./values [row [features]]
 *
 * `row` is the name of a row or its beginning, and limits the run to such rows. `features` limits
 * it to these instruction sets (QC_CPU_... in qcodec.h; 0 for portable C).
 */
#define _POSIX_C_SOURCE 199309L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qcodec.h"
#include "qcodec_numeric.h"

#define HOT       ((size_t)1 << 16)
#define COLD      ((size_t)1 << 24)
#define CHUNK     ((size_t)1 << 20)
#define RUNS      21
#define GROUP     128
#define DENSITY   10 /* one in ten, if sparse */
#define GAP_WIDTH 5

/* What a tensor is, and how it is asked for. */
typedef struct row {
    const char *name;
    qc_kind kind;
    qc_positions positions;
    unsigned width, entries; /* entries: codebook */
    size_t group;            /* elements of a scale; 0: no scales */
    qc_dtype dtype;
} row;

static const row ROWS[] = {
    {"ternary, 2 bits, f32", QC_CODEBOOK, QC_DENSE, 2, 3, 0, QC_F32},
    {"ternary, 2 bits, f16", QC_CODEBOOK, QC_DENSE, 2, 3, 0, QC_F16},
    {"codebook, 1 bit, f32", QC_CODEBOOK, QC_DENSE, 1, 2, 0, QC_F32},
    {"codebook, 3 bits, f32", QC_CODEBOOK, QC_DENSE, 3, 8, 0, QC_F32},
    {"codebook, 4 bits, f32", QC_CODEBOOK, QC_DENSE, 4, 16, 0, QC_F32},
    {"codebook, 4 bits, bf16", QC_CODEBOOK, QC_DENSE, 4, 16, 0, QC_BF16},
    {"codebook, 5 bits, f32", QC_CODEBOOK, QC_DENSE, 5, 32, 0, QC_F32},
    {"codebook, 6 bits, f32", QC_CODEBOOK, QC_DENSE, 6, 64, 0, QC_F32},
    {"codebook, 7 bits, f32", QC_CODEBOOK, QC_DENSE, 7, 128, 0, QC_F32},
    {"codebook, 8 bits, f32", QC_CODEBOOK, QC_DENSE, 8, 256, 0, QC_F32},
    {"codebook, 8 bits, bf16", QC_CODEBOOK, QC_DENSE, 8, 256, 0, QC_BF16},
    {"codebook, 4 bits, scale a 128, f32", QC_CODEBOOK, QC_DENSE, 4, 16, GROUP, QC_F32},
    {"codebook, 4 bits, scale a 128, f16", QC_CODEBOOK, QC_DENSE, 4, 16, GROUP, QC_F16},
    {"affine, 4 bits, f32", QC_AFFINE, QC_DENSE, 4, 0, COLD, QC_F32},
    {"affine, 8 bits, f32", QC_AFFINE, QC_DENSE, 8, 0, COLD, QC_F32},
    {"affine, 8 bits, f16", QC_AFFINE, QC_DENSE, 8, 0, COLD, QC_F16},
    {"affine, 4 bits, scale a 128, f32", QC_AFFINE, QC_DENSE, 4, 0, GROUP, QC_F32},
    {"planes, f32", QC_PLANES, QC_DENSE, 8, 0, 0, QC_F32},
    {"planes, bf16", QC_PLANES, QC_DENSE, 8, 0, 0, QC_BF16},
    {"gaps, 10 %, 4 bits, f32", QC_CODEBOOK, QC_GAPS, 4, 16, 0, QC_F32},
    {"mask, 10 %, 4 bits, f32", QC_CODEBOOK, QC_MASK, 4, 16, 0, QC_F32},
    {"gaps, 10 %, affine 8 bits, f32", QC_AFFINE, QC_GAPS, 8, 0, COLD, QC_F32},
};

static const unsigned CENTROIDS[] = {3, 16, 64, 256};

static void require(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

static void *memory(size_t size)
{
    void *bytes = malloc(size);
    require(bytes != NULL, "memory");
    return bytes;
}

/* ---- time ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *seconds)
{
    qsort(seconds, RUNS, sizeof *seconds, by_value);
    return seconds[RUNS / 2];
}

/* ---- what is measured ---- */

typedef struct job {
    size_t count; /* of weights */
    size_t bytes; /* that are stored */
    /* decoding */
    qc_dtype dtype;
    const uint8_t *frame;
    size_t frame_bytes;
    void *workspace;
    /* assignment */
    const float *values, *centroids;
    size_t k;
    uint8_t *out;
} job;

static void decode(const job *job)
{
    require(qc_decode(job->frame, job->frame_bytes, job->dtype, job->out, job->bytes, NULL, 0, 0,
                      job->workspace, NULL) == QC_OK,
            "decoding");
}

static void assign(const job *job)
{
    qc_assign(job->values, job->count, job->centroids, job->k, job->out);
}

static void copy(const job *job) { memcpy(job->out, job->frame, job->bytes); }

#ifdef __SSE2__
#include <emmintrin.h>

static void store(const job *job)
{
    const __m128i ones = _mm_set1_epi32(0x3F800000);
    for (size_t i = 0; i < job->bytes; i += 16)
        _mm_stream_si128((__m128i *)(job->out + i), ones);
    _mm_sfence();
}
#else
static void store(const job *job) { memset(job->out, 0x3F, job->bytes); }
#endif

static void fill(const job *job) { memset(job->out, 0x3F, job->bytes); }

static double seconds_of(void (*run)(const job *), const job *job, unsigned repeats)
{
    double start = now();
    for (unsigned i = 0; i < repeats; i++)
        run(job);
    return (now() - start) / repeats;
}

/* Print how fast `run` does the job, and which share of `bound`'s speed that is. */
static void measure(void (*run)(const job *), void (*bound)(const job *), const job *job)
{
    double times[RUNS], bounds[RUNS];
    unsigned repeats = job->count < COLD ? 16 : 1;
    for (unsigned i = 0; i < RUNS; i++) {
        times[i] = seconds_of(run, job, repeats);
        bounds[i] = seconds_of(bound, job, repeats);
    }
    double time = median(times);
    printf("  %6.2f G/s [%.2f, %.2f] %6.1f GB/s, %4.2f of the bound",
           (double)job->count / time * 1e-9, (double)job->count / times[RUNS - 1] * 1e-9,
           (double)job->count / times[0] * 1e-9, (double)job->bytes / time * 1e-9,
           median(bounds) / time);
}

/* ---- tensors ---- */

static double normal(void)
{
    double u = (rand() + 1.0) / (RAND_MAX + 2.0), v = rand() / (RAND_MAX + 1.0);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void describe(const row *row, size_t count, const float *parameters, qc_frame *frame)
{
    memset(frame, 0, sizeof *frame);
    frame->dtype = row->dtype;
    frame->kind = row->kind;
    frame->positions = row->positions;
    frame->ndim = 1;
    frame->dims[0] = count;
    frame->chunk_elements = CHUNK;
    frame->gap_width = row->positions == QC_GAPS ? GAP_WIDTH : 0;
    frame->width = row->width;
    frame->codebook.entries = row->entries;
    frame->codebook.books.dtype = frame->scales.dtype = QC_F32;
    frame->codebook.books.count = frame->codebook.books.inner = 1;
    frame->codebook.books.values = frame->scales.values = (const uint8_t *)parameters;
    frame->zero_points.common = row->kind == QC_AFFINE ? 1u << (row->width - 1) : 0;
    frame->scales.inner = row->group > 0 ? row->group : 1;
    frame->scales.count = row->group == 0 ? 0 : row->group < count ? count / row->group : 1;
    require(qc_frame_plan(frame, NULL) == QC_OK, "planning");
}

/* A chunk of random codes, or of Gaussian floats. */
static qc_chunk_input make_input(const row *row, const qc_frame *frame, size_t elements,
                                 uint32_t *positions, uint8_t *values)
{
    qc_chunk_input input = {0, elements, 0, NULL, values, 0};
    unsigned codes = row->kind == QC_CODEBOOK ? row->entries : 1u << row->width;
    for (size_t i = 0; i < elements; i++) {
        float weight = (float)(row->kind == QC_PLANES ? 0.05 * normal() : 0);
        if (row->positions != QC_DENSE && rand() % DENSITY != 0)
            continue;
        positions[input.stored] = (uint32_t)i;
        if (row->kind == QC_PLANES)
            qc_convert(&weight, QC_F32, values + input.stored * frame->item_size, row->dtype, 1);
        else
            values[input.stored] = (uint8_t)(rand() / 8 % codes);
        input.stored++;
    }
    if (row->positions != QC_DENSE)
        input.positions = positions;
    return input;
}

/* A frame of equal chunks. */
static uint8_t *make_frame(const row *row, size_t count, size_t *size)
{
    size_t elements = count < CHUNK ? count : CHUNK, chunk_bytes;
    float *parameters = memory((count / GROUP + 256) * sizeof *parameters);
    for (size_t i = 0; i < count / GROUP + 256; i++)
        parameters[i] = (float)normal();
    parameters[0] = 0.015625f;
    qc_frame frame;
    describe(row, count, parameters, &frame);
    uint32_t *positions = memory(elements * sizeof *positions);
    uint8_t *values = memory(elements * 8);
    qc_chunk_input input = make_input(row, &frame, elements, positions, values);
    size_t bound = qc_chunk_bound(&frame, &input);
    size_t workspace_bytes = qc_chunk_encode_workspace(&frame, &input);
    uint8_t *chunk = memory(bound);
    void *workspace = memory(workspace_bytes);
    uint64_t features = 0;
    const qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_FIXED, QC_EFFORT_USUAL};
    require(qc_chunk_encode(&frame, &input, &encoding, chunk, bound, &chunk_bytes, &features,
                            workspace, workspace_bytes, NULL) == QC_OK,
            "encoding");
    qc_bytes chunks[COLD / CHUNK];
    for (size_t i = 0; i < COLD / CHUNK; i++)
        chunks[i] = (qc_bytes){chunk, chunk_bytes};
    *size = qc_frame_size(&frame, features, chunks);
    uint8_t *out = memory(*size);
    require(qc_frame_write(&frame, features, chunks, out, *size, NULL) == QC_OK, "writing");
    free(parameters), free(positions), free(values), free(chunk), free(workspace);
    return out;
}

/* ---- the table ---- */

static void measure_row(const row *row, uint8_t *out, void *workspace)
{
    static const size_t counts[] = {HOT, COLD};
    printf("%-36s", row->name);
    for (size_t i = 0; i < 2; i++) {
        job job = {.count = counts[i], .dtype = row->dtype, .workspace = workspace, .out = out};
        uint8_t *frame = make_frame(row, job.count, &job.frame_bytes);
        job.frame = frame;
        job.bytes = job.count * qc_dtype_size(row->dtype);
        measure(decode, counts[i] == HOT ? fill : store, &job);
        free(frame);
    }
    printf("\n");
}

/* Against copying as many bytes as are read: nothing reads faster and writes too. */
static void measure_assign(unsigned k, uint8_t *out)
{
    static const size_t counts[] = {HOT, COLD};
    float centroids[256], *values = memory(COLD * sizeof *values);
    for (unsigned j = 0; j < k; j++)
        centroids[j] = ((float)j + 0.5f) / (float)k * 6 - 3;
    for (size_t i = 0; i < COLD; i++)
        values[i] = i < HOT ? (float)normal() : values[i - HOT];
    printf("assign, %3u centroids                ", k);
    for (size_t i = 0; i < 2; i++) {
        job job = {.count = counts[i], .bytes = counts[i], .values = values, .out = out};
        job.centroids = centroids;
        job.k = k;
        job.frame = (const uint8_t *)values;
        measure(assign, copy, &job);
    }
    printf("\n");
    free(values);
}

static int wanted(const char *name, int arguments, char **argument)
{
    return arguments < 2 || strncmp(name, argument[1], strlen(argument[1])) == 0;
}

int main(int arguments, char **argument)
{
    void *pages = memory(4 * COLD + 64), *workspace = memory(QC_WORKSPACE_BYTES);
    uint8_t *out = (uint8_t *)pages + (64 - (uintptr_t)pages % 64);
    memset(out, 1, 4 * COLD);
    if (arguments > 2)
        qc_cpu_select((uint32_t)strtoul(argument[2], NULL, 0));
    job bound = {.count = COLD, .bytes = 4 * COLD, .out = out};
    printf("instruction sets %#x; hot, then cold\n%-36s", qc_cpu_selected(), "memset");
    measure(fill, store, &bound);
    printf("\n");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (wanted(ROWS[i].name, arguments, argument))
            measure_row(&ROWS[i], out, workspace);
    for (size_t i = 0; i < sizeof CENTROIDS / sizeof *CENTROIDS; i++)
        if (wanted("assign", arguments, argument))
            measure_assign(CENTROIDS[i], out);
    free(pages), free(workspace);
    return 0;
}
