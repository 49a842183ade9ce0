/*
 * decode_frames FOLDER FRAME...: decode each file, and print the name of the status. Values of a
 * valid one, little-endian, become FOLDER/0, FOLDER/1 and so on, by the number of the frame. For
 * machines on which Python is not at hand.
 */
#include "bytes.h"
#include "support.h"

#define MOST_BYTES ((size_t)1 << 20)

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

int main(int count, char **arguments)
{
    static uint8_t data[MOST_BYTES], values[MOST_BYTES], workspace[QC_WORKSPACE_BYTES];
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
            status = qc_decode(data, size, frame.dtype, values, bytes, parameters,
                               frame.coded_bytes, QC_VERIFY | QC_WHOLE, workspace, NULL);
        }
        if (status == QC_OK) {
            qc_swap_if_big_endian(values, frame.item_size, frame.elements);
            write_file(arguments[1], i - 2, values, bytes);
        }
        puts(qc_status_name(status));
    }
    return 0;
}
