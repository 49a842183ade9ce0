/*
 * encoder: encodes bytes from standard input as two frames, then as a stream, to standard output:
 * each a length of 4 bytes, little-endian, and its bytes. The first frame holds a vector of uint8,
 * as copies if they may pay, the second a sparse tensor of the bytes that are not 0, by gaps.
 * Linked with the files of an encoder alone (csrc/README.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qcodec.h"

#define MAX_BYTES ((size_t)1 << 20)
#define ROOM      (4 * MAX_BYTES)

static const qc_encoding encoding = {~(uint64_t)0, QC_SMALL, QC_EFFORT_USUAL};
static uint8_t data[MAX_BYTES], values[MAX_BYTES], chunk_bytes[ROOM], out[ROOM];
static uint8_t workspace[64 * MAX_BYTES];
static uint32_t positions[MAX_BYTES];

static void check(qc_status status, const qc_error *error)
{
    if (status == QC_OK)
        return;
    fprintf(stderr, "%s: %s\n", qc_status_name(status), error->what);
    exit(1);
}

static void put(size_t size)
{
    for (unsigned i = 0; i < 4; i++)
        putchar((int)(size >> 8 * i & 255));
    fwrite(out, 1, size, stdout);
}

/* A tensor of uint8 in one chunk; the fields of `input` are in this order in qcodec.h. */
static void encode_frame(qc_positions form, size_t size, size_t stored)
{
    qc_frame frame = {.dtype = QC_U8,
                      .kind = QC_PLANES,
                      .positions = form,
                      .ndim = 1,
                      .dims = {size},
                      .gap_width = form == QC_GAPS ? 5 : 0};
    qc_error error;
    uint64_t features = 0;
    size_t written;
    check(qc_frame_plan(&frame, &error), &error);
    check(qc_parameters_encode(&frame, encoding.codings, encoding.profile, NULL, 0, &features,
                               workspace, sizeof workspace, &error),
          &error);
    check(qc_chunk_encode(
              &frame,
              &(qc_chunk_input){0, size, stored, form == QC_GAPS ? positions : NULL, values, 0},
              &encoding, chunk_bytes, sizeof chunk_bytes, &written, &features, workspace,
              sizeof workspace, &error),
          &error);
    qc_bytes chunk = {chunk_bytes, written};
    check(qc_frame_write(&frame, features, &chunk, out, sizeof out, &error), &error);
    put(qc_frame_size(&frame, features, &chunk));
}

int main(void)
{
    qc_error error;
    size_t size = fread(data, 1, sizeof data, stdin), stored = 0, written;
    memcpy(values, data, size);
    encode_frame(qc_copies_may_pay(values, size, 1, QC_U8) ? QC_COPIES : QC_DENSE, size, size);
    for (size_t i = 0; i < size; i++)
        if (data[i] != 0) {
            positions[stored] = (uint32_t)i;
            values[stored++] = data[i];
        }
    encode_frame(QC_GAPS, size, stored);
    check(qc_stream_encode(data, size, 8, encoding.codings, encoding.profile, out, sizeof out,
                           &written, workspace, NULL, &error),
          &error);
    put(written);
    return 0;
}
