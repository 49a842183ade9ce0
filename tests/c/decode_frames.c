/*
 * decode_frames FOLDER FRAME...: decode each file, and print the name of the status. Values of a
 * valid one, little-endian, become FOLDER/0, FOLDER/1 and so on, by the number of the frame.
 */
#include "frames/frame_files.h"
#include "kernels/planes.h"

static qc_status decode(const frame_file *file, uint8_t *values)
{
    static uint8_t workspace[QC_WORKSPACE_BYTES];
    const qc_frame *frame = &file->frame;
    return qc_frame_decode(frame, file->chunks, file->data, 0, 0, frame->elements, frame->dtype,
                           values, QC_VERIFY, workspace, NULL);
}

int main(int count, char **arguments)
{
    static frame_file file;
    static uint8_t values[MAX_FILE_BYTES];
    CHECK(count >= 2, "no folder");
    for (int i = 2; i < count; i++) {
        qc_status status = read_frame_file(arguments[i], &file);
        if (status == QC_OK)
            status = decode(&file, values);
        if (status == QC_OK) {
            char name[16];
            snprintf(name, sizeof name, "%d", i - 2);
            qc_swap_elements_if_big_endian(values, file.frame.dtype, file.frame.elements);
            write_bytes(arguments[1], name, values, file.frame.elements * file.frame.item_size);
        }
        puts(qc_status_name(status));
    }
    return 0;
}
