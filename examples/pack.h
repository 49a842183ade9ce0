/*
 * Tensors of a pack (a .qcodec file) as floats, without Python: read_file, then read_tensor. Copy
 * this file into your program. What goes wrong ends the program with a line that says why.
 */
#ifndef PACK_H
#define PACK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcodec.h"

#define MAX_TABLE_BYTES ((size_t)1 << 24) /* a head says how large things are once decoded: */
#define MAX_ELEMENTS    ((size_t)1 << 28) /* a program that reads files from anyone bounds it */

typedef struct tensor {
    unsigned ndim;
    uint64_t dims[QC_MAX_DIMS];
    size_t elements;
    float *values; /* to be freed */
} tensor;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
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

/* Find a tensor in the table: its frame, which it may share with others. */
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
    if (table.dtype != QC_U8 || table.elements > MAX_TABLE_BYTES)
        fail("table", "not bytes, or too large");
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

static tensor read_tensor(const uint8_t *pack, size_t size, const char *name)
{
    qc_error error;
    qc_frame frame;
    qc_pack_entry entry;
    tensor tensor;
    const uint8_t *data = find(pack, size, name, &entry, tensor.dims);
    check(qc_frame_read(data, entry.bytes, QC_VERIFY | QC_WHOLE, &frame, &error), name, &error);
    if (frame.elements > MAX_ELEMENTS)
        fail(name, "too large");
    if (entry.role == QC_PACK_FRAME) { /* the tensor is the whole frame */
        entry.ndim = frame.ndim;
        entry.elements = frame.elements;
        memcpy(tensor.dims, frame.dims, sizeof tensor.dims);
    } else if (entry.first > frame.elements || entry.elements > frame.elements - entry.first) {
        fail(name, "not inside its frame");
    }
    tensor.ndim = (unsigned)entry.ndim;
    tensor.elements = entry.elements;
    tensor.values = decode(data, entry.bytes, &frame, QC_F32);
    memmove(tensor.values, tensor.values + entry.first, entry.elements * sizeof *tensor.values);
    return tensor;
}

#endif
