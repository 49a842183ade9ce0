/*
 * `mutants COUNT FRAME...` decodes COUNT mutants of these files, in turn, with corrected lengths
 * and checksums. Each must be an error, or decode to exactly the size that its head declares: every
 * byte of the output is written, and none beside it. Every run has the same mutants. libFuzzer
 * searches for new paths; this program guarantees a number of inputs.
 */
#define MAX_ELEMENTS ((size_t)1 << 16)

#include "decode.h"
#include "harness.h"
#include "repair.h"

enum { MAX_FILES = 4096, ROOM = 1 << 16, MAX_CHANGES = 4, HEAD = 48 };

typedef struct file {
    uint8_t *data;
    size_t size;
} file;

/* What came of the mutants. */
typedef struct tally {
    size_t refused[QC_LIMIT + 1]; /* by status */
    size_t too_large;             /* declare more than MAX_ELEMENTS: nobody would take memory */
    size_t decoded;
} tally;

static uint64_t state = 88172645463325252u;

static size_t random_below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)((state >> 16) % limit);
}

static file read_file(const char *path)
{
    static uint8_t bytes[ROOM];
    FILE *stream = fopen(path, "rb");
    size_t size = stream != NULL ? fread(bytes, 1, sizeof bytes, stream) : 0;
    if (size == 0 || size == sizeof bytes) {
        fprintf(stderr, "%s: cannot be read, is empty or is too large\n", path);
        exit(2);
    }
    fclose(stream);
    return (file){copy_of(bytes, size), size};
}

/* Remove `removed` bytes at `at`, and insert `added` bytes copied from another place. */
static size_t splice(uint8_t *data, size_t size, size_t at, size_t removed, size_t added)
{
    static uint8_t piece[64];
    memcpy(piece, data + random_below(size - added + 1), added);
    memmove(data + at + added, data + at + removed, size - at - removed);
    memcpy(data + at, piece, added);
    return size - removed + added;
}

/* One small change, half of the time in the head, where most fields are. */
static size_t change(uint8_t *data, size_t size)
{
    static const uint8_t edges[] = {0, 1, 2, 0x7F, 0x80, 0x81, 0xFE, 0xFF};
    size_t at = random_below(random_below(2) == 0 && size > HEAD ? HEAD : size);
    size_t left = size - at < 16 ? size - at : 16;
    switch (random_below(7)) {
    case 0:
    case 1: data[at] ^= (uint8_t)(1u << random_below(8)); return size;
    case 2: data[at] = edges[random_below(sizeof edges)]; return size;
    case 3: data[at] = (uint8_t)random_below(256); return size;
    case 4: data[at] = (uint8_t)(data[at] + random_below(2) * 2 - 1); return size;
    case 5: return size > 32 ? splice(data, size, at, random_below(left), 0) : size;
    default: return size < 32 ? size : splice(data, size, at, random_below(left), random_below(16));
    }
}

/* Decode into memory of exactly the declared size; the sanitizer sees a byte beside it. */
static void decode_exactly(const uint8_t *data, size_t size, const qc_frame *frame, tally *count)
{
    qc_error error;
    size_t bytes = frame->elements * frame->item_size;
    uint8_t *out = buffer_of(bytes, 0xA5), *again = buffer_of(bytes, 0x5A);
    uint8_t *memory = buffer_of(frame->coded_bytes, 0xA5);
    qc_status status = decode_whole_frame(data, size, frame->kind, frame->dtype, out, bytes, memory,
                                          frame->coded_bytes, &error);
    if (refused(status, &error)) {
        count->refused[status]++;
    } else {
        PROMISE(decode_whole_frame(data, size, frame->kind, frame->dtype, again, bytes, memory,
                                   frame->coded_bytes, &error) == QC_OK);
        PROMISE(same_values(out, again, frame->elements, frame, frame->dtype));
        count->decoded++;
    }
    free(memory);
    free(again);
    free(out);
}

static void try_mutant(const uint8_t *bytes, size_t size, tally *count)
{
    qc_frame frame;
    qc_error error;
    uint8_t *data = copy_of(bytes, size);
    qc_status status = qc_frame_read(data, size, QC_VERIFY, &frame, &error);
    if (refused(status, &error))
        count->refused[status]++;
    else if (frame.elements > MAX_ELEMENTS || frame.coded_bytes > MAX_ELEMENTS)
        count->too_large++;
    else
        decode_exactly(data, size, &frame, count);
    free(data);
}

static void report(const tally *count, size_t mutants, size_t files)
{
    printf("%zu mutants of %zu frames: %zu decoded to their declared size, %zu declare more than "
           "%zu elements",
           mutants, files, count->decoded, count->too_large, MAX_ELEMENTS);
    for (int status = 1; status <= QC_LIMIT; status++)
        printf(", %zu %s", count->refused[status], qc_status_name((qc_status)status));
    puts("");
}

int main(int arguments, char **argument)
{
    static file files[MAX_FILES];
    static uint8_t mutant[ROOM + MAX_CHANGES * 16];
    static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
    tally count = {0};
    size_t mutants = arguments > 2 ? strtoul(argument[1], NULL, 10) : 0;
    size_t known = (size_t)arguments - 2;
    if (mutants == 0 || known > MAX_FILES) {
        fprintf(stderr, "usage: mutants COUNT FRAME...\n");
        return 2;
    }
    for (size_t i = 0; i < known; i++)
        files[i] = read_file(argument[2 + i]);
    for (size_t i = 0; i < mutants; i++) {
        const file *from = &files[i % known];
        size_t size = from->size;
        memcpy(mutant, from->data, size);
        for (size_t changes = 1 + random_below(MAX_CHANGES); changes > 0; changes--)
            size = change(mutant, size);
        repair_frame(mutant, size);
        qc_cpu_select(paths[i / known % 3]);
        try_mutant(mutant, size, &count);
    }
    report(&count, mutants, known);
    /* Else the checksums were what refused them, or nothing was left to decode. */
    PROMISE(count.refused[QC_CHECKSUM] <= mutants / 20 && count.decoded >= mutants / 20);
    for (size_t i = 0; i < known; i++)
        free(files[i].data);
    return 0;
}
