/*
 * Weights without Python: opens a pack, decodes one layer and multiplies a vector with it.
 *
 *     cc -std=c11 -Icsrc examples/matvec.c $(find csrc -name '*.c') -o matvec
 *     echo "0.5 -1 2" | ./matvec net.qcodec fc.weight
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

/* Decode a frame of floats or bytes, whose head was read. */
static void *decode(const uint8_t *data, size_t bytes, const qc_frame *frame, qc_dtype dtype)
{
    qc_error error;
    size_t size = frame->elements * qc_dtype_size(dtype);
    void *memory = allocate(frame->coded_bytes, 1), *workspace = allocate(1, QC_WORKSPACE_BYTES);
    uint8_t *out = allocate(size, 1);
    check(qc_decode(data, bytes, dtype, out, size, memory, frame->coded_bytes, QC_VERIFY, workspace,
                    &error),
          "frame", &error);
    free(memory);
    free(workspace);
    return out;
}

/* The frame of a tensor in a pack, or the frame that it shares with others. */
static const uint8_t *find(const uint8_t *pack, size_t size, const char *name, qc_pack_entry *found,
                           uint64_t dims[QC_MAX_DIMS])
{
    qc_error error;
    qc_frame table;
    size_t offset, bytes, count;
    check(qc_pack_head(pack, size, &offset, &bytes, &error), "pack", &error);
    if (bytes > size - offset)
        fail("pack", "its bytes end early");
    check(qc_frame_read(pack + offset, bytes, QC_VERIFY | QC_WHOLE, &table, &error), "table",
          &error);
    if (table.dtype != QC_U8 || table.elements > (size_t)1 << 24)
        fail("table", "not bytes, or too large for this example");
    uint8_t *content = decode(pack + offset, bytes, &table, QC_U8);
    check(qc_pack_count(content, table.elements, &count, &error), "table", &error);
    qc_pack_entry *entries = allocate(count, sizeof *entries);
    check(qc_pack_read(content, table.elements, offset + bytes, size, entries, count, &error),
          "table", &error);
    size_t i = qc_pack_find(content, entries, count, name, strlen(name));
    if (i == count || entries[i].role > QC_PACK_NEXT)
        fail(name, "no tensor of this name");
    *found = entries[i];
    qc_pack_dims(content, found, dims);
    free(entries);
    free(content);
    return pack + found->offset;
}

int main(int argc, char **argv)
{
    qc_error error;
    qc_frame frame;
    qc_pack_entry entry;
    uint64_t dims[QC_MAX_DIMS];
    size_t size;
    if (argc != 3)
        fail("usage", "matvec FILE.qcodec NAME, the vector on standard input");
    uint8_t *pack = read_file(argv[1], &size);
    const uint8_t *data = find(pack, size, argv[2], &entry, dims);
    check(qc_frame_read(data, entry.bytes, QC_VERIFY | QC_WHOLE, &frame, &error), argv[2], &error);
    if (entry.role == QC_PACK_FRAME) {
        entry.ndim = frame.ndim;
        entry.elements = frame.elements;
        memcpy(dims, frame.dims, sizeof dims);
    }

    /* The head says how large the tensor is; a program that reads files from anyone bounds it. */
    if (entry.ndim == 0 || dims[0] == 0 || frame.elements > (size_t)1 << 28)
        fail(argv[2], "not a matrix, or too large for this example");
    if (entry.first > frame.elements || entry.elements > frame.elements - entry.first)
        fail(argv[2], "not inside its frame");
    float *weights = decode(data, entry.bytes, &frame, QC_F32);
    const float *matrix = weights + entry.first;
    size_t columns = entry.elements / (size_t)dims[0];

    float *vector = allocate(columns, sizeof *vector);
    for (size_t i = 0; i < columns; i++) {
        if (scanf("%f", &vector[i]) != 1)
            fail("vector", "has fewer numbers than the layer has columns");
    }
    for (size_t row = 0; row < dims[0]; row++) {
        double sum = 0;
        for (size_t i = 0; i < columns; i++)
            sum += (double)matrix[row * columns + i] * vector[i];
        printf("%.9g\n", sum);
    }
    free(vector);
    free(weights);
    free(pack);
    return 0;
}
