/*
 * The frames that are asked for what they must refuse.
 */
#ifndef QC_REFUSED_FRAMES_H
#define QC_REFUSED_FRAMES_H

#include "../support.h"
#include "base/bytes.h"

enum { ROWS = 100, ROW = 6, ELEMENTS = ROWS * ROW, CHUNK = 50 * ROW };

static const uint8_t parameters[4 * ELEMENTS];
static float base[ELEMENTS];

static qc_frame frame_of(qc_kind kind, qc_positions positions)
{
    qc_frame frame = {.dtype = QC_F32, .kind = kind, .positions = positions, .ndim = 2};
    frame.dims[0] = ROWS;
    frame.dims[1] = ROW;
    frame.gap_width = 3;
    frame.width = 4;
    frame.codebook.entries = 3;
    frame.codebook.books.count = frame.codebook.books.inner = 1;
    frame.codebook.books.values = frame.delta.digest = parameters;
    frame.scales = frame.zero_points.groups =
        (qc_groups){.dtype = QC_F32, .inner = 1, .count = 0, .values = parameters};
    frame.delta.base = base;
    frame.delta.filter_width = frame.delta.filter_height = 1;
    return frame;
}

static uint8_t workspace[1 << 20], bodies[1 << 16];

static qc_status encode_parameters(qc_frame *frame, uint64_t codings, qc_profile profile,
                                   size_t capacity, size_t room, qc_error *error)
{
    uint64_t features = 0;
    return qc_parameters_encode(frame, codings, profile, bodies, capacity, &features, workspace,
                                room, error);
}

#endif /* QC_REFUSED_FRAMES_H */
