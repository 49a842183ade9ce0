/*
 * What a caller must not ask of planes with scales is refused, by the rule that it breaks; and a
 * filler of these is refused where it would not be +0.
 */
#include "base/bytes.h"
#include "support.h"

enum { ROWS = 100, ROW = 6, ELEMENTS = ROWS * ROW };

static uint8_t workspace[1 << 20], chunk[1 << 16];
static const float scales[ROWS];

static qc_frame frame_of(qc_positions positions)
{
    qc_frame frame = {.dtype = QC_F32, .kind = QC_PLANES, .positions = positions, .ndim = 2};
    frame.dims[0] = ROWS;
    frame.dims[1] = ROW;
    frame.gap_width = 3;
    frame.stored_dtype = QC_F16;
    frame.scales = (qc_groups){
        .dtype = QC_F32, .inner = ROW, .count = ROWS, .values = (const uint8_t *)scales};
    return frame;
}

#define PLAN_REFUSED(change, rule)                                                                 \
    do {                                                                                           \
        qc_frame frame = frame_of(QC_DENSE);                                                       \
        CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "%s", rule);                                   \
        change;                                                                                    \
        REFUSED(qc_frame_plan(&frame, &error), QC_INVALID, rule);                                  \
    } while (0)

static void heads(void)
{
    const char *stored = "planes: dtype of scaled elements";
    const char *dtype = "frame: scaled planes need f32, f16, bf16 or f64";
    PLAN_REFUSED(frame.stored_dtype = QC_F32, stored);
    PLAN_REFUSED(frame.stored_dtype = QC_F64, stored);
    PLAN_REFUSED(frame.dtype = QC_I16, dtype);
    PLAN_REFUSED(frame.dtype = QC_F8E4M3, dtype);
    PLAN_REFUSED((frame.positions = QC_COPIES, frame.scales.count = 1),
                 "frame: copies of scaled elements");
    PLAN_REFUSED(frame.kind = QC_BYTES, "frame: only planes, affine and codebook have scales");
    PLAN_REFUSED(frame.scales.dtype = QC_F64, "scale: dtype");
}

static void derived(void)
{
    qc_frame frame = frame_of(QC_DENSE);
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    CHECK(frame.value_streams == 2 && frame.item_size == 4 && qc_stored_size(&frame) == 2,
          "%u streams, %zu bytes", frame.value_streams, frame.item_size);
    frame.scales.count = 0;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    CHECK(frame.value_streams == 4 && frame.stored_dtype == QC_F32 && qc_stored_size(&frame) == 4,
          "%u streams", frame.value_streams);
}

static qc_status encode(size_t count, int32_t filler, qc_error *error)
{
    static const uint32_t positions[] = {1, 3, ELEMENTS - 1};
    static const float values[3];
    qc_chunk_input input = {0, ELEMENTS, 3, positions, values, filler};
    qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_BALANCED, 1};
    qc_frame frame = frame_of(QC_GAPS);
    uint64_t features = 0;
    size_t size;
    frame.scales.count = count;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    return qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &size, &features,
                           workspace, sizeof workspace, error);
}

static void fillers(void)
{
    CHECK(encode(0, -1, NULL) == QC_OK, "elements that are not scaled");
    CHECK(encode(ROWS, 0, NULL) == QC_OK, "scales that are positive");
    REFUSED(encode(ROWS, -1, &error), QC_INVALID,
            "gaps: a filler is needed, but no code has the value zero");
}

int main(void)
{
    heads();
    derived();
    fillers();
    return 0;
}
