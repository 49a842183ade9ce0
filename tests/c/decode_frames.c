/*
 * decode_frames FOLDER FRAME...: decode each file, and print the name of the status. Values of a
 * valid one, little-endian, become FOLDER/0, FOLDER/1 and so on, by the number of the frame. The
 * base of a frame of kind delta is FRAME.base, little-endian. For machines on which Python is not
 * at hand.
 */
#include "bytes.h"
#include "support.h"

#define MOST_BYTES  ((size_t)1 << 20)
#define MOST_CHUNKS 4096

static size_t read_file(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL, "%s", path);
    size_t size = fread(bytes, 1, MOST_BYTES, file);
    CHECK(size < MOST_BYTES, "%s is too large", path);
    fclose(file);
    return size;
}

static void write_file(const char *folder, int number, const uint8_t *bytes, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%d", folder, number);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s", path);
}

/* The frame's base, if it needs one, in the machine's order. */
static void read_base(const char *frame_path, qc_frame *frame)
{
    static uint8_t base[MOST_BYTES];
    char path[4096];
    if (frame->kind != QC_DELTA)
        return;
    snprintf(path, sizeof path, "%s.base", frame_path);
    size_t size = read_file(path, base);
    CHECK(size == frame->elements * frame->item_size, "%s", path);
    qc_swap_if_big_endian(base, frame->item_size, frame->elements);
    frame->base = base;
}

static qc_status decode(const uint8_t *data, qc_frame *frame, uint8_t *parameters, uint8_t *values)
{
    static uint8_t workspace[QC_WORKSPACE_BYTES];
    static qc_chunk chunks[MOST_CHUNKS];
    CHECK(frame->chunks <= MOST_CHUNKS, "%zu chunks", frame->chunks);
    qc_status status = qc_frame_chunks(frame, data, chunks, NULL);
    if (status == QC_OK && frame->undecoded)
        status = qc_parameters_decode(frame, parameters, workspace, NULL);
    if (status != QC_OK)
        return status;
    return qc_frame_decode(frame, chunks, data, 0, frame->elements, frame->dtype, values, QC_VERIFY,
                           workspace, NULL);
}

int main(int count, char **arguments)
{
    static uint8_t data[MOST_BYTES], values[MOST_BYTES];
    static uint8_t parameters[MOST_BYTES];
    CHECK(count >= 2, "no folder");
    for (int i = 2; i < count; i++) {
        size_t size = read_file(arguments[i], data), bytes = 0;
        qc_frame frame;
        qc_status status = qc_frame_read(data, size, QC_VERIFY | QC_WHOLE, &frame, NULL);
        if (status == QC_OK) {
            CHECK(frame.elements <= MOST_BYTES / frame.item_size, "%s", arguments[i]);
            bytes = frame.elements * frame.item_size;
            CHECK(frame.coded_bytes <= MOST_BYTES, "%s", arguments[i]);
            read_base(arguments[i], &frame);
            status = decode(data, &frame, parameters, values);
        }
        if (status == QC_OK) {
            qc_swap_if_big_endian(values, frame.item_size, frame.elements);
            write_file(arguments[1], i - 2, values, bytes);
        }
        puts(qc_status_name(status));
    }
    return 0;
}
