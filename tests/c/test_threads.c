/*
 * Eight threads on the same bytes: all decode one frame, and all encode one tensor. Built with the
 * thread sanitizer too, which tells of any write that another thread could see.
 */
#include <pthread.h>

#include "frames/sample_frames.h"

enum { THREADS = 8, CAPACITY = 1 << 18 };

static sample from;
static uint8_t data[CAPACITY];
static size_t size;
static const sample_way *way;
static qc_positions form;
static uint64_t codings;
static uint8_t *expected; /* values */

static void check_decoding(void)
{
    uint8_t *values;
    size_t bytes = SAMPLE_ELEMENTS * qc_dtype_size(way->dtype);
    CHECK(decode_sample(data, size, from.base, QC_VERIFY, &values) == QC_OK, "decoding");
    CHECK(memcmp(values, expected, bytes) == 0, "other values");
    free(values);
}

/* The input is shared; what is written is not. */
static void check_encoding(void)
{
    qc_frame frame = frame_of_sample(&from, way, form);
    qc_encoding encoding = {codings | 3, QC_SMALL, QC_EFFORT_PLACES};
    qc_chunk_input input = input_of_sample(&from, way, form, 0);
    uint64_t features = 0;
    size_t written;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "planning");
    size_t bound = qc_chunk_bound(&frame, &input);
    size_t needed = qc_chunk_encode_workspace(&frame, &input);
    uint8_t *out = malloc(bound), *workspace = malloc(needed);
    CHECK(qc_chunk_encode(&frame, &input, &encoding, out, bound, &written, &features, workspace,
                          needed, NULL) == QC_OK,
          "encoding");
    free(out);
    free(workspace);
}

static void *work(void *argument)
{
    (void)argument;
    check_decoding();
    check_encoding();
    return NULL;
}

static void check_sample(void)
{
    pthread_t threads[THREADS];
    qc_frame frame = frame_of_sample(&from, way, form);
    fill_sample(&from, way);
    size = encode_sample(&from, &frame, way, codings, data, sizeof data);
    if (size == 0) /* not a way of the format */
        return;
    CHECK(decode_sample(data, size, from.base, QC_VERIFY, &expected) == QC_OK, "decoding");
    qc_cpu_select(~(uint32_t)0); /* chosen by all of them, too */
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0, "a thread");
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0, "a thread");
    free(expected);
}

int main(void)
{
    static const uint64_t all = ~(uint64_t)0;
    for (size_t w = 0; w < SAMPLE_WAYS; w++)
        for (int positions = QC_DENSE; positions < QC_POSITIONS_COUNT; positions++)
            for (size_t c = 0; c <= SAMPLE_CODINGS; c++) {
                way = &sample_ways[w];
                form = (qc_positions)positions;
                codings = c < SAMPLE_CODINGS ? sample_codings[c] : all;
                if (form == QC_DENSE || c % 3 == w % 3) /* each coding with some forms */
                    check_sample();
            }
    return 0;
}
