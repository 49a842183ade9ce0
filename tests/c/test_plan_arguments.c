/*
 * What a caller must not ask of a frame that is planned is refused, by the rule that it breaks:
 * each argument, one after the other, just outside of what it may be.
 */
#include "frames/refused_frames.h"

/* ---- heads -------------------------------------------------------------------- */

/* A planned frame with one field changed. */
#define PLAN_REFUSED(kind, positions, change, rule)                                                \
    do {                                                                                           \
        qc_frame frame = frame_of(kind, positions);                                                \
        CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "%s", rule);                                   \
        change;                                                                                    \
        REFUSED(qc_frame_plan(&frame, &error), QC_INVALID, rule);                                  \
    } while (0)

static void heads(void)
{
    const char *filter = "delta: only elements beside each other have a filter";
    const char *chunk_size = "frame: elements of a chunk",
               *apart = "frame: positions form of differences";
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.dtype = QC_DTYPE_COUNT, "frame: dtype");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.kind = QC_KIND_COUNT, "frame: kind");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.positions = QC_POSITIONS_COUNT, "frame: positions form");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.ndim = QC_MAX_DIMS + 1, "frame: number of dimensions");
    PLAN_REFUSED(QC_BYTES, QC_GAPS, frame.gap_width = 0, "gaps: width");
    PLAN_REFUSED(QC_BYTES, QC_CSR, frame.gap_width = 17, "gaps: width");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.dims[0] = QC_MAX_CHUNK_ELEMENTS,
                 "frame: elements of an unchunked tensor");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.chunk_elements = QC_MAX_CHUNK_ELEMENTS + 1, chunk_size);
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.chunk_elements = QC_MIN_CHUNK_ELEMENTS - 1, chunk_size);
    PLAN_REFUSED(QC_BYTES, QC_CSR, frame.ndim = 0, "frame: csr needs at least one dimension");
    PLAN_REFUSED(QC_BYTES, QC_CSR, frame.chunk_elements = CHUNK + 1,
                 "frame: csr chunks are whole rows");
    PLAN_REFUSED(QC_AFFINE, QC_DENSE, frame.dtype = QC_I32,
                 "frame: affine, codebook and delta need f32, f16, bf16 or f64");
    PLAN_REFUSED(QC_BYTES, QC_DENSE, frame.scales.count = ROWS,
                 "frame: only planes, affine and codebook have scales");
    PLAN_REFUSED(QC_DELTA, QC_MASK, frame.positions = QC_CSR, apart);
    PLAN_REFUSED(QC_DELTA, QC_MASK, frame.delta.filter_width = 2, filter);
    PLAN_REFUSED(QC_AFFINE, QC_COPIES, frame.scales.count = 2,
                 "frame: copies need one codebook, scale and zero point for all elements");
    qc_frame huge = frame_of(QC_BYTES, QC_DENSE);
    huge.dims[0] = huge.dims[1] = (uint64_t)1 << 30;
    REFUSED(qc_frame_plan(&huge, &error), QC_LIMIT, "frame: the dimensions' product");
#if SIZE_MAX < UINT64_MAX
    huge.dims[1] = 1;
    REFUSED(qc_frame_plan(&huge, &error), QC_LIMIT,
            "frame: tensor is larger than this machine's memory");
#endif
}

static void kinds(void)
{
    const qc_kind affine = QC_AFFINE, book = QC_CODEBOOK, delta = QC_DELTA;
    const char *groups = "affine: zero points by group need scales";
    for (qc_dtype dtype = QC_F32; dtype <= QC_F64; dtype += QC_F64 - QC_F32)
        PLAN_REFUSED(QC_PLANES, QC_DENSE, (frame.scales.count = ROWS, frame.stored_dtype = dtype),
                     "planes: dtype of scaled elements");
    PLAN_REFUSED(affine, QC_DENSE, frame.width = 0, "affine: width");
    PLAN_REFUSED(affine, QC_DENSE, frame.width = 17, "affine: width");
    PLAN_REFUSED(affine, QC_DENSE, frame.zero_points.groups.count = ROWS, groups);
    PLAN_REFUSED(affine, QC_DENSE, (frame.scales.count = ROWS, frame.zero_points.groups.count = 1),
                 groups);
    PLAN_REFUSED(affine, QC_DENSE, frame.zero_points.common = 65536, "affine: zero point");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.entries = 0, "codebook: entries");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.entries = 257, "codebook: entries");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.books.dtype = QC_F64, "codebook: dtype");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.books.count = 0, "codebook: books");
    PLAN_REFUSED(book, QC_DENSE, frame.codebook.books.inner = 0, "codebook: books");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.digest = NULL, "delta: the base is missing");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.base = NULL, "delta: the base is missing");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.step = 4096, "delta: step");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_width = 0, "delta: sides of a filter");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_width = 256, "delta: sides of a filter");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_height = 0, "delta: sides of a filter");
    PLAN_REFUSED(delta, QC_DENSE, frame.delta.filter_height = 256, "delta: sides of a filter");
}

static void scales(void)
{
    static const qc_dtype allowed[] = {QC_F32, QC_F16, QC_BF16, QC_F8E4M3, QC_E8M0};
    static const qc_dtype refused[] = {QC_F64, QC_U8, QC_BOOL, QC_F8E5M2, QC_DTYPE_COUNT};
    for (unsigned i = 0; i < 5; i++) {
        qc_frame frame = frame_of(QC_AFFINE, QC_DENSE);
        frame.scales.count = ROWS;
        frame.scales.dtype = allowed[i];
        CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "scale of dtype %d", allowed[i]);
        frame.scales.dtype = refused[i];
        REFUSED(qc_frame_plan(&frame, &error), QC_INVALID, "scale: dtype");
    }
    const char *ends = "parameters: ends of the groups";
    static const uint64_t right[] = {1, ELEMENTS}, level[] = {ELEMENTS, ELEMENTS},
                          short_of_all[] = {1, ELEMENTS - 1}, beyond[] = {1, ELEMENTS + 1};
    const uint64_t *const wrong[] = {level, short_of_all, beyond};
    PLAN_REFUSED(QC_AFFINE, QC_DENSE, (frame.scales.count = ROWS, frame.scales.inner = 0), ends);
    for (unsigned i = 0; i < 3; i++)
        PLAN_REFUSED(QC_AFFINE, QC_DENSE,
                     (frame.scales.count = 2, frame.scales.inner = 0,
                      frame.scales.ends = (const uint8_t *)wrong[i]),
                     ends);
    qc_frame frame = frame_of(QC_AFFINE, QC_DENSE);
    frame.scales.count = 2;
    frame.scales.inner = 0;
    frame.scales.ends = (const uint8_t *)right;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "groups of any length");
}

/* ---- parameters ---------------------------------------------------------------- */

static void parameters_to_code(void)
{
    static const uint8_t twice[] = {0, 2, 2}, beyond[] = {0, 1, 3}, order[] = {2, 0, 1};
    const char *rule = "parameters: order of the codebook";
    qc_frame frame = frame_of(QC_CODEBOOK, QC_DENSE);
    frame.codebook.order = order;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    size_t bound = qc_parameters_bound(&frame), room = qc_parameters_encode_workspace(&frame);
    CHECK(bound <= sizeof bodies && room <= sizeof workspace, "%zu, %zu", bound, room);
    CHECK(encode_parameters(&frame, 63, QC_SMALL, bound, room, NULL) == QC_OK, "parameters");
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound, room - 1, &error), QC_NO_SPACE,
            "parameters: workspace");
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound - 1, room, &error), QC_NO_SPACE,
            "parameters: output");
    REFUSED(encode_parameters(&frame, 63, QC_FIXED, bound, room, &error), QC_INVALID, rule);
    REFUSED(encode_parameters(&frame, 63, QC_FAST, bound, room, &error), QC_INVALID, rule);
    REFUSED(encode_parameters(&frame, 0, QC_SMALL, bound, room, &error), QC_INVALID,
            "parameters: no coding that is allowed holds them");
    frame.codebook.order = twice;
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound, room, &error), QC_INVALID, rule);
    frame.codebook.order = beyond;
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, bound, room, &error), QC_INVALID, rule);
}

/* An order is stored for no more entries than there are elements, or 256. */
static void too_many_books(void)
{
    static uint8_t books[4 * 4 * 100], orders[4 * 100];
    qc_frame frame = frame_of(QC_CODEBOOK, QC_DENSE);
    frame.codebook.books.count = 100;
    frame.codebook.books.values = books;
    frame.codebook.order = orders;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
    REFUSED(encode_parameters(&frame, 63, QC_SMALL, sizeof bodies, sizeof workspace, &error),
            QC_INVALID, "parameters: order of the codebook");
}

int main(void)
{
    heads();
    kinds();
    scales();
    parameters_to_code();
    too_many_books();
    return 0;
}
