/*
 * Frames as files: read, decoded on one thread, and written, little-endian. For programs that run
 * on machines on which Python is not at hand. The base of a frame of kind delta is FRAME.base.
 */
#ifndef QC_TEST_FRAME_FILES_H
#define QC_TEST_FRAME_FILES_H

#include "../support.h"
#include "base/bytes.h"

#define MAX_FILE_BYTES  ((size_t)1 << 20)
#define MAX_FILE_CHUNKS 4096

typedef struct frame_file {
    uint8_t data[MAX_FILE_BYTES];
    uint8_t base[MAX_FILE_BYTES];       /* in the machine's order */
    uint8_t parameters[MAX_FILE_BYTES]; /* those that are coded, decoded */
    size_t size;
    qc_frame frame;
    qc_chunk chunks[MAX_FILE_CHUNKS];
} frame_file;

static inline size_t read_bytes(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL, "%s", path);
    size_t size = fread(bytes, 1, MAX_FILE_BYTES, file);
    CHECK(size < MAX_FILE_BYTES, "%s is too large", path);
    fclose(file);
    return size;
}

static inline void write_bytes(const char *folder, const char *name, const uint8_t *bytes,
                               size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s", path);
}

static inline void read_base(const char *frame_path, frame_file *from)
{
    char path[4096];
    if (from->frame.kind != QC_DELTA)
        return;
    snprintf(path, sizeof path, "%s.base", frame_path);
    size_t size = read_bytes(path, from->base);
    CHECK(size == from->frame.elements * from->frame.item_size, "%s", path);
    qc_swap_if_big_endian(from->base, from->frame.item_size, from->frame.elements);
    from->frame.delta.base = from->base;
}

/* Read the file, its head, its directory and its parameters. */
static inline qc_status read_frame_file(const char *path, frame_file *file)
{
    static uint8_t workspace[QC_WORKSPACE_BYTES];
    qc_frame *frame = &file->frame;
    file->size = read_bytes(path, file->data);
    qc_status status = qc_frame_read(file->data, file->size, QC_VERIFY | QC_WHOLE, frame, NULL);
    if (status != QC_OK)
        return status;
    CHECK(frame->elements <= MAX_FILE_BYTES / frame->item_size, "%s", path);
    CHECK(frame->coded_bytes <= MAX_FILE_BYTES, "%s", path);
    CHECK(frame->chunks <= MAX_FILE_CHUNKS, "%zu chunks", frame->chunks);
    read_base(path, file);
    status = qc_frame_chunks(frame, file->data, file->chunks, NULL);
    if (status == QC_OK && frame->coded_bytes > 0)
        status = qc_parameters_decode(frame, file->parameters, workspace, NULL);
    return status;
}

#endif /* QC_TEST_FRAME_FILES_H */
