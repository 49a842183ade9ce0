/*
 * Any bytes as a frame, through every function that decodes: to every element type, chunk by chunk,
 * a range of a chunk, its codes, and checked without output, with one choice of instruction sets.
 * An accepted frame must be written completely, and all functions must agree.
 */
#include "decode.h"
#include "harness.h"
#include "repair.h"

#ifndef MIN_ELEMENTS
#define MIN_ELEMENTS ((size_t)0)
#endif

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = mutate(data, size, max_size);
    if (seed % 16 != 0) /* the rest stays blind, and tests the checksums themselves */
        repair_frame(data, size);
    return size;
}

/* A head is complete at head_bytes, and one byte less is not enough. */
static void check_head_prefixes(const uint8_t *data, const qc_frame *frame)
{
    qc_frame again;
    qc_error error;
    uint8_t *head = copy_of(data, frame->head_bytes);
    PROMISE(qc_frame_read(head, frame->head_bytes, QC_VERIFY, &again, &error) == QC_OK);
    PROMISE(again.frame_bytes == frame->frame_bytes);
    free(head);
    head = copy_of(data, frame->head_bytes - 1);
    PROMISE(qc_frame_read(head, frame->head_bytes - 1, QC_VERIFY, &again, &error) == QC_TRUNCATED);
    PROMISE(error.allowed > frame->head_bytes - 1);
    free(head);
}

/* The whole frame as one element type: its bytes if it is valid, else NULL. */
static uint8_t *decode_whole(const uint8_t *data, size_t size, const qc_frame *frame,
                             qc_dtype dtype)
{
    qc_error error;
    size_t bytes = frame->elements * qc_dtype_size(dtype), coded = frame->coded_bytes;
    uint8_t *out = buffer_of(bytes, 0xA5), *again = buffer_of(bytes, 0x5A);
    uint8_t *memory = buffer_of(coded, 0xA5);
    qc_status status =
        decode_whole_frame(data, size, frame->kind, dtype, out, bytes, memory, coded, &error);
    PROMISE(decode_whole_frame(data, size, frame->kind, dtype, NULL, bytes, NULL, 0, &error) ==
            status);
    if (refused(status, &error)) {
        free(out);
        out = NULL;
    } else {
        memset(memory, 0x5A, coded);
        PROMISE(decode_whole_frame(data, size, frame->kind, dtype, again, bytes, memory, coded,
                                   &error) == QC_OK);
        /* So every byte was written. */
        PROMISE(same_values(out, again, frame->elements, frame, dtype));
    }
    free(memory);
    free(again);
    return out;
}

/* Coded parameters in memory of exact size, to which the frame then points; NULL if they are
   refused. Checking them says the same, and leaves the frame as it is. */
static uint8_t *decode_parameters(qc_frame *frame, const uint8_t *whole)
{
    qc_error error;
    uint8_t *memory = buffer_of(frame->coded_bytes, 0xA5);
    int coded = frame->scales.count > 0 && frame->scales.values == NULL;
    qc_stream_info infos[QC_MAX_STREAMS];
    size_t count;
    if (frame->scales.coded.mode != 0) {
        qc_status status = qc_coded_streams(&frame->scales, infos, &count, &error);
        PROMISE(!refused(status, &error) || whole == NULL);
    }
    qc_status status = qc_parameters_decode(frame, NULL, workspace, &error);
    PROMISE((frame->scales.count > 0 && frame->scales.values == NULL) == coded);
    PROMISE(qc_parameters_decode(frame, memory, workspace, &error) == status);
    if (!refused(status, &error)) {
        PROMISE(frame->scales.count == 0 || frame->scales.values != NULL);
        PROMISE(frame->codebook.books.count == 0 || frame->codebook.books.values != NULL);
        return memory;
    }
    PROMISE(whole == NULL);
    free(memory);
    return NULL;
}

static int is_float(qc_dtype dtype)
{
    return dtype <= QC_F64 || (dtype >= QC_F8E4M3 && dtype <= QC_E8M0);
}

/* Decode to one of the other element types: that does not decide whether a frame is valid. */
static void check_other_type(const uint8_t *data, size_t size, const qc_frame *frame, int valid)
{
    if (!is_float(frame->dtype))
        return;
    /* Without the checksum at the end: with it, the CRCs of all frames would be equal. */
    qc_dtype dtype = (qc_dtype)(qc_crc32c(0, data, size - 4) % (QC_F64 + 1));
    uint8_t *out = decode_whole(data, size, frame, dtype);
    PROMISE((out != NULL) == valid);
    free(out);
}

/* Some range of a chunk: if the whole frame is valid, the range has the same bytes. */
static void check_range(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                        const uint8_t *whole)
{
    qc_error error;
    size_t item = frame->item_size;
    size_t first = chunk->elements > 0 ? qc_crc32c(0, bytes, chunk->bytes) % chunk->elements : 0;
    size_t count = (chunk->elements - first + 1) / 2;
    uint8_t *out = buffer_of(count * item, 0xA5);
    qc_status status = qc_chunk_decode(frame, chunk, bytes, first, count, frame->dtype, out,
                                       QC_VERIFY, workspace, &error);
    int has_changes = frame->kind == QC_DELTA && frame->positions != QC_DENSE;
    if ((frame->positions == QC_COPIES || has_changes) && count != chunk->elements) {
        PROMISE(status == QC_INVALID); /* of copies and changes, only whole chunks */
        free(out);
        return;
    }
    int failed = refused(status, &error);
    if (whole != NULL) {
        PROMISE(!failed);
        PROMISE(
            same_values(out, whole + (chunk->first + first) * item, count, frame, frame->dtype));
    }
    free(out);
}

static void check_codes(const qc_frame *frame, const uint8_t *codes, size_t stored)
{
    for (size_t i = 0; i < stored && frame->kind == QC_CODEBOOK; i++)
        PROMISE(codes[i] < frame->codebook.entries);
}

static void check_positions(const uint32_t *positions, size_t stored, size_t elements)
{
    for (size_t i = 0; i < stored; i++)
        PROMISE(positions[i] < elements && (i == 0 || positions[i - 1] < positions[i]));
}

/* A chunk as integers: positions ascending and inside, codes of the codebook. */
static void check_integers(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                           int valid)
{
    qc_error error;
    size_t stored;
    if (refused(qc_chunk_codes(frame, chunk, bytes, &stored, &error), &error)) {
        PROMISE(!valid);
        return;
    }
    PROMISE(stored <= chunk->elements);
    uint8_t *codes = buffer_of(stored * qc_stored_size(frame), 0xA5);
    uint32_t *positions = NULL;
    if (frame->positions != QC_DENSE && frame->positions != QC_COPIES)
        positions = (uint32_t *)(void *)buffer_of(stored * sizeof *positions, 0xA5);
    qc_status status = qc_chunk_decode_codes(frame, chunk, bytes, stored, positions, codes,
                                             QC_VERIFY, workspace, &error);
    if (refused(status, &error)) {
        PROMISE(!valid);
    } else {
        check_codes(frame, codes, stored);
        if (positions != NULL)
            check_positions(positions, stored, chunk->elements);
    }
    free(positions);
    free(codes);
}

/* The heads of a chunk's streams: they fill it, but for some numbers before them. */
static void check_streams(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *bytes,
                          int valid)
{
    qc_error error;
    qc_stream_info infos[QC_MAX_STREAMS];
    size_t count, sum = 0;
    if (refused(qc_chunk_streams(frame, chunk, bytes, infos, &count, &error), &error)) {
        PROMISE(!valid);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        PROMISE(infos[i].offset >= sum); /* in order, apart from each other */
        sum += infos[i].bytes;
        PROMISE(infos[i].offset + infos[i].bytes <= chunk->bytes);
    }
    PROMISE(sum <= chunk->bytes);
    PROMISE(!valid || chunk->bytes - sum <= 6 * QC_VU_MAX_BYTES);
}

/* One chunk in a buffer of its own: nothing beside it may be read. */
static void check_chunk(const qc_frame *frame, const qc_chunk *chunk, const uint8_t *data,
                        const uint8_t *whole)
{
    qc_error error;
    uint8_t *bytes = copy_of(data + chunk->offset, chunk->bytes);
    size_t size = chunk->elements * frame->item_size;
    uint8_t *out = buffer_of(size, 0xA5);
    qc_status status = qc_chunk_decode(frame, chunk, bytes, 0, chunk->elements, frame->dtype, out,
                                       QC_VERIFY, workspace, &error);
    int valid = !refused(status, &error);
    PROMISE(valid || whole == NULL);
    if (whole != NULL)
        PROMISE(same_values(out, whole + chunk->first * frame->item_size, chunk->elements, frame,
                            frame->dtype));
    PROMISE(qc_chunk_decode(frame, chunk, bytes, 0, chunk->elements, frame->dtype, NULL, QC_VERIFY,
                            workspace, &error) == status);
    check_range(frame, chunk, bytes, whole);
    check_integers(frame, chunk, bytes, valid);
    check_streams(frame, chunk, bytes, valid);
    free(out);
    free(bytes);
}

static void check_chunks(const qc_frame *frame, const uint8_t *data, const uint8_t *whole)
{
    qc_error error;
    qc_chunk *chunks = (qc_chunk *)(void *)buffer_of(frame->chunks * sizeof *chunks, 0);
    if (refused(qc_frame_chunks(frame, data, chunks, &error), &error)) {
        PROMISE(whole == NULL);
    } else {
        for (size_t i = 0; i < frame->chunks; i++)
            check_chunk(frame, &chunks[i], data, whole);
    }
    free(chunks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qc_frame frame;
    qc_error error;
    forget(workspace, sizeof workspace);
    select_path(size > 0 ? data[size - 1] : 0); /* of a checksum: any byte, and it says nothing */
    if (refused(qc_frame_read(data, size, QC_VERIFY, &frame, &error), &error))
        return 0;
    check_head_prefixes(data, &frame);
    if (frame.elements < MIN_ELEMENTS || frame.elements > MAX_ELEMENTS)
        return 0;
    uint8_t *whole = decode_whole(data, size, &frame, frame.dtype);
    PROMISE(whole == NULL || frame.frame_bytes == size);
    check_other_type(data, size, &frame, whole != NULL);
    if (refused(qc_frame_read(data, size, QC_VERIFY | QC_WHOLE, &frame, &error), &error)) {
        PROMISE(whole == NULL);
    } else {
        frame.delta.base = fuzz_base();
        uint8_t *memory = decode_parameters(&frame, whole);
        if (memory != NULL)
            check_chunks(&frame, data, whole);
        free(memory);
    }
    free(whole);
    return 0;
}
