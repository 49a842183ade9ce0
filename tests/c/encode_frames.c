/*
 * encode_frames FOLDER (FRAME PROFILE CODINGS)...: decode each file to codes and positions, and
 * encode these again, in a profile and a set of codings (both numbers). Frames become FOLDER/0,
 * FOLDER/1 and so on, by the number of the request.
 */
#include "frames/frame_files.h"

static void *take(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    CHECK(memory != NULL, "%zu bytes", size);
    return memory;
}

/* What a caller of qc_frame_plan fills in. */
static qc_frame plan_of(const qc_frame *read)
{
    qc_frame frame = *read;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "the head of a frame that was read");
    return frame;
}

/* A chunk's codes and positions, of which fillers are a part. */
static qc_chunk_input decode_codes(const frame_file *file, const qc_chunk *chunk)
{
    static uint8_t workspace[QC_WORKSPACE_BYTES];
    const qc_frame *frame = &file->frame;
    const uint8_t *bytes = file->data + chunk->offset;
    qc_chunk_input input = {.first = chunk->first, .elements = chunk->elements, .filler = -1};
    CHECK(qc_chunk_codes(frame, chunk, bytes, &input.stored, NULL) == QC_OK, "codes");
    void *codes = take(input.stored * qc_stored_size(frame));
    uint32_t *positions = NULL;
    if (frame->positions != QC_DENSE && frame->positions != QC_COPIES)
        positions = take(input.stored * sizeof *positions);
    CHECK(qc_chunk_decode_codes(frame, chunk, bytes, input.stored, positions, codes, QC_VERIFY,
                                workspace, NULL) == QC_OK,
          "codes");
    input.values = codes;
    input.positions = positions;
    return input;
}

static qc_bytes encode_chunk(const frame_file *file, const qc_frame *plan, size_t number,
                             const qc_encoding *encoding, uint64_t *features)
{
    qc_chunk_input input = decode_codes(file, &file->chunks[number]);
    size_t capacity = qc_chunk_bound(plan, &input), size;
    size_t workspace_bytes = qc_chunk_encode_workspace(plan, &input);
    void *out = take(capacity), *workspace = take(workspace_bytes);
    CHECK(qc_chunk_encode(plan, &input, encoding, out, capacity, &size, features, workspace,
                          workspace_bytes, NULL) == QC_OK,
          "chunk %zu", number);
    free(workspace);
    free((void *)(uintptr_t)input.positions);
    free((void *)(uintptr_t)input.values);
    return (qc_bytes){out, size};
}

static void encode(const frame_file *file, const qc_encoding *encoding, const char *folder,
                   int number)
{
    static uint8_t out[MAX_FILE_BYTES], bodies[MAX_FILE_BYTES];
    static qc_bytes chunks[MAX_FILE_CHUNKS];
    uint64_t features = 0;
    qc_frame plan = plan_of(&file->frame);
    size_t bound = qc_parameters_bound(&plan);
    size_t workspace_bytes = qc_parameters_encode_workspace(&plan);
    void *workspace = take(workspace_bytes);
    CHECK(bound <= sizeof bodies, "parameters of %zu bytes", bound);
    CHECK(qc_parameters_encode(&plan, encoding->codings, encoding->profile, bodies, bound,
                               &features, workspace, workspace_bytes, NULL) == QC_OK,
          "parameters");
    free(workspace);
    for (size_t i = 0; i < plan.chunks; i++)
        chunks[i] = encode_chunk(file, &plan, i, encoding, &features);
    CHECK(qc_frame_write(&plan, features, chunks, out, sizeof out, NULL) == QC_OK, "writing");
    char name[16];
    snprintf(name, sizeof name, "%d", number);
    write_bytes(folder, name, out, qc_frame_size(&plan, features, chunks));
    for (size_t i = 0; i < plan.chunks; i++)
        free((void *)(uintptr_t)chunks[i].data);
}

int main(int count, char **arguments)
{
    static frame_file file;
    CHECK(count >= 2 && count % 3 == 2, "%d arguments", count);
    for (int i = 2; i < count; i += 3) {
        const qc_encoding encoding = {
            .codings = strtoull(arguments[i + 2], NULL, 10),
            .profile = (qc_profile)strtoul(arguments[i + 1], NULL, 10),
            .effort = QC_EFFORT_USUAL,
        };
        CHECK(read_frame_file(arguments[i], &file) == QC_OK, "%s", arguments[i]);
        encode(&file, &encoding, arguments[1], i / 3);
    }
    return 0;
}
