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

/* Units of work a second of `run`, which does `amount`: the median, and the fastest and slowest. */
typedef struct rates {
    double median, best, worst;
} rates;

static rates measure(void (*run)(job *), job *job, double amount)
{
    double seconds[RUNS];
    for (unsigned i = 0; i < RUNS; i++) {
        double start = now();
        run(job);
        seconds[i] = now() - start;
    }
    qsort(seconds, RUNS, sizeof *seconds, by_value);
    return (rates){amount / seconds[RUNS / 2], amount / seconds[0], amount / seconds[RUNS - 1]};
}

static void print_rates(rates rates)
{
    printf(" | %8.0f [%.0f, %.0f]", rates.median, rates.best, rates.worst);
}

/* ---- symbols ---- */

static double uniform(void) { return (rand() + 1.0) / (RAND_MAX + 2.0); }

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

/* Gaussian weights in steps of a part of their deviation: about what k-means indices look like. */
static void fill_levels(job *job, double step)
{
    int levels = 1 << job->width;
    for (size_t i = 0; i < SYMBOLS; i++) {
        int level = (int)floor(normal() / step + levels / 2.0);
        job->symbols[i] = (uint8_t)(level < 0 ? 0 : level >= levels ? levels - 1 : level);
    }
}

static void fill_trits(job *job, double zeros)
{
    for (size_t i = 0; i < SYMBOLS; i++)
        job->symbols[i] = uniform() < zeros ? 1 : uniform() < 0.5 ? 0 : 2;
}

/* Exponents of Gaussian weights of deviation 0.04, as in float32 and bfloat16. */
static void fill_exponents(job *job, double deviation)
{
    for (size_t i = 0; i < SYMBOLS; i++)
        job->symbols[i] = (uint8_t)(ilogb(deviation * normal()) + 127);
}

static double entropy(const job *job)
{
    size_t counts[256] = {0};
    double bits = 0;
    for (size_t i = 0; i < SYMBOLS; i++)
        counts[job->symbols[i]]++;
    for (unsigned s = 0; s < 256; s++)
        if (counts[s] > 0)
            bits -= (double)counts[s] * log2((double)counts[s] / SYMBOLS);
    return bits / SYMBOLS;
}

static const struct {
    const char *name;
    unsigned width;
    void (*fill)(job *, double);
    double parameter;
} sets[] = {
    {"16 levels", 4, fill_levels, 0.335},   {"64 levels", 6, fill_levels, 0.104},
    {"256 levels", 8, fill_levels, 0.0308}, {"70 % zeros", 2, fill_trits, 0.7},
    {"90 % zeros", 2, fill_trits, 0.9},     {"exponents", 8, fill_exponents, 0.04},
};

/* ---- the table ---- */

static const struct {
    const char *name;
    uint32_t cpu;
} paths[] = {{"portable", 0}, {"AVX2", QC_CPU_SSE42 | QC_CPU_AVX2}, {"AVX-512", UINT32_MAX}};

static void measure_coding(job *job, qc_coding coding, double bits)
{
    int adaptive = coding == QC_ADAPTIVE;
    double amount = (double)SYMBOLS * (adaptive ? job->width : 1) / 1e6;
    job->codings = QC_CODING_MASK(coding);
    for (size_t path = 0; path < sizeof paths / sizeof *paths; path++) {
        if (qc_cpu_select(paths[path].cpu) != (paths[path].cpu & qc_cpu_detect()))
            continue;
        printf("%-10s | %-13s | %-8s", job->name, qc_coding_name(coding), paths[path].name);
        print_rates(measure(encode, job, amount));
        print_rates(measure(decode, job, amount));
        require(memcmp(job->symbols, job->decoded, SYMBOLS) == 0, "symbols come back");
        double size = 8.0 * (double)job->size / SYMBOLS;
        printf(" | %.3f (%+.2f %%)%s\n", size, 100 * (size / bits - 1),
               adaptive ? " M binary decisions" : "");
    }
}

int main(void)
{
    job job = {.capacity = qc_stream_bound(SYMBOLS, 8),
               .workspace = malloc(QC_STREAM_ENCODE_WORKSPACE(SYMBOLS))};
    job.symbols = malloc(SYMBOLS);
    job.decoded = malloc(SYMBOLS);
    job.data = malloc(job.capacity);
    require(job.symbols && job.decoded && job.data && job.workspace, "memory");

    puts("symbols    | coding        | path     | encode M/s [best, worst] | decode | bits (over "
         "entropy)");
    for (size_t set = 0; set < sizeof sets / sizeof *sets; set++) {
        job.name = sets[set].name;
        job.width = sets[set].width;
        sets[set].fill(&job, sets[set].parameter);
        double bits = entropy(&job);
        /* Split is no coding of symbols by themselves: it needs a tensor's shape. */
        for (unsigned coding = QC_PACKED; coding < QC_SPLIT; coding++)
            measure_coding(&job, coding, bits);
    }
    for (size_t path = 0; path < sizeof paths / sizeof *paths; path += 2) {
        qc_cpu_select(paths[path].cpu);
        printf("crc32c     | %s: M bytes/s", paths[path].name);
        print_rates(measure(crc, &job, SYMBOLS / 1e6));
        puts("");
    }
    free(job.symbols), free(job.decoded), free(job.data), free(job.workspace);
    return checksum == 1;
}
