/*
 * Wherever a caller's workspace and output are, the decoder finds its place inside the workspace,
 * at the same distance from the output modulo a page, and decodes the same.
 */
#include "base/workspace.h"
#include "support.h"

#define ELEMENTS ((size_t)5000)

static guarded memory;
static uint8_t file[1 << 14];

static size_t encode(void)
{
    static uint8_t codes[ELEMENTS], chunk[1 << 14], workspace[1 << 20];
    static const float book[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    qc_frame frame = {.dtype = QC_F32, .kind = QC_CODEBOOK, .positions = QC_DENSE, .ndim = 1};
    qc_chunk_input input = {0, ELEMENTS, ELEMENTS, NULL, codes, 0};
    const qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_SMALL, QC_EFFORT_USUAL};
    qc_bytes bytes = {chunk, 0};
    uint64_t features = 0;
    for (size_t i = 0; i < ELEMENTS; i++)
        codes[i] = (uint8_t)(random_bits() % 9);
    frame.dims[0] = ELEMENTS;
    frame.codebook.entries = 9;
    frame.codebook.books =
        (qc_groups){.dtype = QC_F32, .inner = 1, .count = 1, .values = (const uint8_t *)book};
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "planning");
    CHECK(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &bytes.size, &features,
                          workspace, sizeof workspace, NULL) == QC_OK,
          "encoding");
    size_t size = qc_frame_size(&frame, features, &bytes);
    CHECK(qc_frame_write(&frame, features, &bytes, file, sizeof file, NULL) == QC_OK, "writing");
    return size;
}

static void check_place(size_t workspace_at, size_t out_at)
{
    static uint8_t workspace[3 * QC_PLACEMENT_PERIOD], out[2 * QC_PLACEMENT_PERIOD];
    const size_t offset = 1000 + workspace_at / 3;
    uint8_t *place = qc_workspace_place(workspace + workspace_at, offset, out + out_at);
    size_t taken = (size_t)(place - (workspace + workspace_at));
    size_t above = (size_t)((uintptr_t)place + offset - (uintptr_t)(out + out_at));
    size_t from_phase = (QC_PLACEMENT - above) % QC_PLACEMENT_PERIOD;
    CHECK(taken < QC_WORKSPACE_ALIGNMENT + QC_PLACEMENT_PERIOD, "%zu bytes", taken);
    CHECK((uintptr_t)place % QC_WORKSPACE_ALIGNMENT == 0, "alignment");
    CHECK(from_phase < QC_WORKSPACE_ALIGNMENT, "%zu bytes from the phase", from_phase);
}

int main(void)
{
    static float right[ELEMENTS], out[ELEMENTS + QC_PLACEMENT_PERIOD];
    static uint8_t parameters[1 << 10];
    size_t size = encode();
    memory = guarded_memory(QC_WORKSPACE_BYTES + QC_PLACEMENT_PERIOD);
    for (size_t at = 0; at < QC_PLACEMENT_PERIOD; at += 52)
        for (size_t out_at = 0; out_at < QC_PLACEMENT_PERIOD; out_at += 772) {
            check_place(at, out_at);
            uint8_t *workspace = last_bytes(memory, QC_WORKSPACE_BYTES) - at;
            uint8_t *to = (uint8_t *)out + out_at;
            CHECK(qc_decode(file, size, QC_F32, to, sizeof right, parameters, sizeof parameters, 0,
                            workspace, NULL) == QC_OK,
                  "decoding");
            if (at == 0 && out_at == 0)
                memcpy(right, to, sizeof right);
            CHECK(memcmp(right, to, sizeof right) == 0, "workspace at %zu, output at %zu", at,
                  out_at);
        }
    return 0;
}
