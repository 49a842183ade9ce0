/*
 * Coding 6, encoded: the classes and their maps, then every sub-stream in the coding that is best
 * for it.
 */
#include "codings/routers/router_encode.h"

/* Bytes of a stream beside its codes, about. */
#define LANES_HEAD   512
#define HUFFMAN_HEAD 48

/* ---- writing ---- */

/* `sorted` has the symbols of all sub-streams, one after the other; they end at `ends`. */
static qc_status write_sub_streams(qc_body_writer *w, const qc_router_plan *plan,
                                   const uint8_t *sorted, const size_t *ends)
{
    for (unsigned target = 0; target < plan->targets; target++) {
        size_t start = target > 0 ? ends[target - 1] : 0, count = ends[target] - start;
        qc_body_vu(w, count);
        QC_TRY(qc_body_stream(w, sorted + start, count, w->input->width));
    }
    return QC_OK;
}

/* ---- sorting ---- */

/* By symbol: `targets` says where each goes. */
static void sort(const qc_router_input *input, const qc_router_plan *plan, const uint8_t *targets,
                 uint8_t *sorted, size_t *ends)
{
    size_t counts[QC_ROUTER_MAX_SUB_STREAMS] = {0}, before = 0;
    for (size_t i = 0; i < input->count; i++)
        counts[targets[i]]++;
    for (unsigned target = 0; target < plan->targets; target++) {
        ends[target] = before;
        before += counts[target];
    }
    for (size_t i = 0; i < input->count; i++)
        sorted[ends[targets[i]]++] = input->symbols[i];
}

/* By row, where columns have no classes. */
static void sort_rows(const qc_router_input *input, const qc_router_plan *plan, uint8_t *sorted,
                      size_t *ends)
{
    size_t length = input->geometry.row_length, at = 0;
    for (unsigned target = 0; target < plan->targets; target++) {
        for (size_t i = 0, row = 0; i < input->count; i += length, row++) {
            size_t run = input->count - i < length ? input->count - i : length;
            if (plan->row_map[row] != target)
                continue;
            memcpy(sorted + at, input->symbols + i, run);
            at += run;
        }
        ends[target] = at;
    }
}

/* ---- the coding ---- */

size_t qc_split_write_workspace(const qc_router_input *input) { return 2 * input->count; }

qc_status qc_split_write(qc_body_writer *w, const qc_router_plan *plan, void *workspace)
{
    const qc_router_input *input = w->input;
    size_t ends[QC_ROUTER_MAX_SUB_STREAMS];
    uint8_t *targets = workspace, *sorted = targets + input->count;
    qc_router_route(input, input->count, plan, targets);
    sort(input, plan, targets, sorted, ends);
    QC_TRY(qc_body_classes(w, plan));
    return write_sub_streams(w, plan, sorted, ends);
}

size_t qc_split_write_rows_workspace(const qc_router_input *input)
{
    return qc_router_find_rows_workspace(input) + input->count;
}

qc_status qc_split_write_rows(qc_body_writer *w, void *workspace)
{
    const qc_router_input *input = w->input;
    qc_router_plan plan;
    size_t ends[QC_ROUTER_MAX_SUB_STREAMS];
    uint8_t *sorted = (uint8_t *)workspace + qc_router_find_rows_workspace(input);
    int by_lanes = (w->codings & QC_CODING_MASK(QC_HUFFMAN)) == 0;
    qc_router_find_rows(input, by_lanes ? LANES_HEAD : HUFFMAN_HEAD, &plan, workspace);
    if (plan.targets == 1)
        return QC_OK;
    sort_rows(input, &plan, sorted, ends);
    QC_TRY(qc_body_classes(w, &plan));
    return write_sub_streams(w, &plan, sorted, ends);
}
