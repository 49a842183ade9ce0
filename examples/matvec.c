/*
 * Weights without Python: opens a pack, decodes one layer and multiplies a vector with it.
 *
 *     cc -std=c11 -Icsrc examples/matvec.c $(find csrc -name '*.c') -o matvec
 *     echo "0.5 -1 2" | ./matvec net.qc fc.weight
 *
 * The vector has as many numbers as the layer has columns; one result a row is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcodec.h"

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "matvec: %s: %s\n", what, why);
    exit(1);
}

static void check(qc_status status, const char *what, const qc_error *error)
{
    if (status != QC_OK)
        fail(what, error->what);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        fail("memory", "not enough");
    return memory;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail(path, "cannot be opened");
    long end = ftell(file);
    rewind(file);
    *size = end > 0 ? (size_t)end : 0;
    uint8_t *data = allocate(*size, 1);
    if (fread(data, 1, *size, file) != *size)
        fail(path, "cannot be read");
    fclose(file);
    return data;
}

/* The frame of a tensor in a pack. */
static const uint8_t *find(const uint8_t *pack, size_t size, const char *name, size_t *frame_bytes)
{
    qc_error error;
    size_t count, table_bytes;
    check(qc_pack_count(pack, size, size, &count, &error), "pack", &error);
    qc_pack_entry *entries = allocate(count, sizeof *entries);
    check(qc_pack_read(pack, size, size, entries, count, &table_bytes, &error), "pack", &error);
    size_t i = qc_pack_find(pack, entries, count, name, strlen(name));
    if (i == count)
        fail(name, "no tensor of this name");
    const uint8_t *frame = pack + entries[i].offset;
    *frame_bytes = entries[i].bytes;
    free(entries);
    return frame;
}

int main(int argc, char **argv)
{
    qc_error error;
    qc_frame frame;
    size_t size, frame_bytes;
    if (argc != 3)
        fail("usage", "matvec FILE.qc NAME, the vector on standard input");
    uint8_t *pack = read_file(argv[1], &size);
    const uint8_t *data = find(pack, size, argv[2], &frame_bytes);
    check(qc_frame_read(data, frame_bytes, QC_VERIFY, &frame, &error), argv[2], &error);

    /* The head says how large the tensor is; a program that reads files from anyone bounds it. */
    if (frame.ndim == 0 || frame.elements > (size_t)1 << 28)
        fail(argv[2], "not a matrix, or too large for this example");
    float *weights = allocate(frame.elements, sizeof *weights);
    void *memory = allocate(frame.coded_bytes, 1), *workspace = allocate(1, QC_WORKSPACE_BYTES);
    check(qc_decode(data, frame_bytes, QC_F32, weights, frame.elements * sizeof *weights, memory,
                    frame.coded_bytes, QC_VERIFY, workspace, &error),
          argv[2], &error);

    float *vector = allocate(frame.row_elements, sizeof *vector);
    for (size_t i = 0; i < frame.row_elements; i++) {
        if (scanf("%f", &vector[i]) != 1)
            fail("vector", "has fewer numbers than the layer has columns");
    }
    for (size_t row = 0; row < frame.dims[0]; row++) {
        double sum = 0;
        for (size_t i = 0; i < frame.row_elements; i++)
            sum += (double)weights[row * frame.row_elements + i] * vector[i];
        printf("%.9g\n", sum);
    }
    return 0;
}
