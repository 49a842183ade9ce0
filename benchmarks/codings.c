/*
 * The speed of the integer codings on one core: medians of repeated runs on 1 MiB of symbols, and
 * in brackets the fastest and the slowest. Build and run from the project's root:
 *
 *     cc -O3 -ffp-contract=off -Icsrc benchmarks/codings.c $(find csrc -name '*.c') -lm -o codings
 *     ./codings
 */
#define _POSIX_C_SOURCE 199309L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qcodec.h"

#define SYMBOLS ((size_t)1 << 20)
#define RUNS    15

/* Symbols of one kind, and what encoding and decoding them needs. */
typedef struct job {
    const char *name;
    unsigned width;
    uint64_t codings;
    uint8_t *symbols, *decoded, *data;
    size_t capacity, size;
    void *workspace;
} job;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void require(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

static void encode(job *job)
{
    qc_status status = qc_stream_encode(job->symbols, SYMBOLS, job->width, job->codings, QC_SMALL,
                                        job->data, job->capacity, &job->size, job->workspace, NULL);
    require(status == QC_OK, "encoding");
}

static void decode(job *job)
{
    qc_status status = qc_stream_decode(job->data, job->size, SYMBOLS, job->width, job->decoded,
                                        job->workspace, NULL);
    require(status == QC_OK, "decoding");
}

static uint32_t checksum; /* seen from outside, so that it is computed */

static void crc(job *job) { checksum ^= qc_crc32c(0, job->symbols, SYMBOLS); }

/* Print the rate of `run`, which does `amount` units of work. */
static void measure(const char *what, void (*run)(job *), job *job, double amount, const char *unit)
{
    double seconds[RUNS];
    for (unsigned i = 0; i < RUNS; i++) {
        double start = now();
        run(job);
        seconds[i] = now() - start;
    }
    qsort(seconds, RUNS, sizeof *seconds, by_value);
    printf("%-18s %-7s %9.1f [%.1f, %.1f] %s\n", job->name, what, amount / seconds[RUNS / 2],
           amount / seconds[0], amount / seconds[RUNS - 1], unit);
}

/* A standard normal number. */
static double normal(void)
{
    double u = (rand() + 1.0) / (RAND_MAX + 2.0), v = rand() / (RAND_MAX + 1.0);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* Gaussian weights in 2^width equal steps: about what k-means indices look like. */
static void fill(job *job, double step)
{
    int levels = 1 << job->width;
    for (size_t i = 0; i < SYMBOLS; i++) {
        int level = (int)floor(normal() / step + levels / 2.0);
        job->symbols[i] = (uint8_t)(level < 0 ? 0 : level >= levels ? levels - 1 : level);
    }
}

static void measure_coding(job *job, qc_coding coding, double step)
{
    int adaptive = coding == QC_ADAPTIVE;
    double amount = (double)SYMBOLS * (adaptive ? job->width : 1) / 1e6;
    const char *unit = adaptive ? "M decisions/s" : "M symbols/s";
    char name[32];
    snprintf(name, sizeof name, "%s, %u bits", qc_coding_name(coding), job->width);
    job->name = name;
    job->codings = QC_CODING_MASK(coding);
    fill(job, step);
    measure("encode", encode, job, amount, unit);
    measure("decode", decode, job, amount, unit);
    require(memcmp(job->symbols, job->decoded, SYMBOLS) == 0, "symbols come back");
    printf("%-18s %-7s %9.3f bits a symbol\n", name, "size", 8.0 * (double)job->size / SYMBOLS);
}

int main(void)
{
    static const unsigned widths[] = {1, 2, 3, 4, 8};
    static const double steps[] = {1, 1.3, 0.8, 0.335, 0.03};
    job job = {.capacity = qc_stream_bound(SYMBOLS, 8), .workspace = malloc(QC_WORKSPACE_BYTES)};
    job.symbols = malloc(SYMBOLS);
    job.decoded = malloc(SYMBOLS);
    job.data = malloc(job.capacity);
    require(job.symbols && job.decoded && job.data && job.workspace, "memory");

    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        job.width = widths[i];
        measure_coding(&job, QC_PACKED, steps[i]);
        measure_coding(&job, QC_HUFFMAN, steps[i]);
        if (job.width % 4 == 0)
            measure_coding(&job, QC_ADAPTIVE, steps[i]);
    }
    job.name = "crc32c, selected";
    measure("", crc, &job, SYMBOLS / 1e9, "GB/s");
    qc_cpu_select(0);
    job.name = "crc32c, portable";
    measure("", crc, &job, SYMBOLS / 1e9, "GB/s");
    free(job.symbols), free(job.decoded), free(job.data), free(job.workspace);
    return checksum == 1;
}
