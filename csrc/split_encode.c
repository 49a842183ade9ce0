/*
 * Coding 6, encoded: the router that promises the fewest bits, then its maps and every sub-stream
 * in the coding that is best for it.
 */
#include "routed_encode.h"

static int has_kernels(const qc_split_input *input) { return input->geometry.kernel_width > 0; }

/* The search is over when the symbols are put in order. */
size_t qc_split_write_workspace(const qc_split_input *input)
{
    size_t search = has_kernels(input) ? qc_split_neighbours_workspace(input) : 0;
    return search > 2 * input->count ? search : 2 * input->count;
}

/* ---- writing ---- */

static qc_status write_head(qc_body_writer *w, const qc_split_plan *plan)
{
    const qc_geometry *geometry = &w->input->geometry;
    qc_body_byte(w, plan->router);
    if (plan->router == QC_ROUTER_CLASSES)
        return qc_body_classes(w, plan);
    qc_body_byte(w, geometry->kernel_width);
    qc_body_byte(w, geometry->kernel_height);
    qc_body_byte(w, (plan->classes - 1) | (plan->parts - 1) << 4);
    QC_TRY(qc_body_map(w, plan->class_of, (size_t)1 << w->input->width, plan->classes));
    return qc_body_map(w, plan->part_of, (size_t)(plan->classes + 1) * (plan->classes + 1),
                       plan->parts);
}

/* `parts` says where every symbol goes; `sorted` has room for all of them. */
static qc_status write_parts(qc_body_writer *w, const qc_split_plan *plan, const uint8_t *parts,
                             uint8_t *sorted)
{
    const qc_split_input *input = w->input;
    size_t ends[QC_SPLIT_MAX_PARTS + 1] = {0};
    for (size_t i = 0; i < input->count; i++)
        ends[parts[i] + 1]++;
    for (unsigned part = 0; part < plan->parts; part++)
        ends[part + 1] += ends[part];
    size_t next[QC_SPLIT_MAX_PARTS];
    memcpy(next, ends, sizeof next);
    for (size_t i = 0; i < input->count; i++)
        sorted[next[parts[i]]++] = input->symbols[i];
    for (unsigned part = 0; part < plan->parts; part++) {
        size_t count = ends[part + 1] - ends[part];
        qc_body_vu(w, count);
        QC_TRY(qc_body_stream(w, sorted + ends[part], count, input->width));
    }
    return QC_OK;
}

qc_status qc_split_write(qc_body_writer *w, const qc_split_plan *classes, void *workspace)
{
    const qc_split_input *input = w->input;
    qc_split_plan neighbours = {.cost = UINT64_MAX};
    uint8_t *parts = workspace;
    if (has_kernels(input))
        qc_split_find_neighbours(input, &neighbours, workspace);
    const qc_split_plan *plan =
        classes != NULL && classes->cost <= neighbours.cost ? classes : &neighbours;
    qc_split_route(input, plan, parts);
    QC_TRY(write_head(w, plan));
    return write_parts(w, plan, parts, parts + input->count);
}
