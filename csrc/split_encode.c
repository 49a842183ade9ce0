/*
 * Coding 6, encoded: the router that promises the fewest bits, then its maps and every sub-stream
 * in the coding that is best for it.
 */
#include "split_encode.h"

#define ALIGNMENT 16

/* Bytes of a stream beside its codes, about. */
#define LANES_HEAD   512
#define HUFFMAN_HEAD 48

/* A body that is being written. */
typedef struct writer {
    const qc_split_input *input;
    uint64_t codings, features;
    qc_profile profile;
    uint8_t *body;
    size_t size;
    void *stream_workspace;
    qc_error *error;
} writer;

static size_t rounded(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static int has_rows(const qc_split_input *input) { return input->geometry.row_length > 0; }

static int has_kernels(const qc_split_input *input) { return input->geometry.kernel_width > 0; }

/* Sub-streams and maps; each stream's bound beyond its symbols is that of an empty one. */
static size_t body_bound(const qc_split_input *input)
{
    size_t streams = QC_SPLIT_MAX_PARTS + 2, symbols = 3 * input->count + 2 * 256;
    return streams * (qc_stream_bound(0, 8) + QC_VU_MAX_BYTES) + symbols + symbols / 8;
}

static size_t search_workspace(const qc_split_input *input)
{
    size_t classes = has_rows(input) ? qc_split_classes_workspace(input) : 0;
    return classes + (has_kernels(input) ? qc_split_neighbours_workspace(input) + ALIGNMENT : 0);
}

size_t qc_split_encode_workspace(const qc_split_input *input)
{
    return rounded(search_workspace(input)) + ALIGNMENT + 2 * rounded(input->count) +
           rounded(body_bound(input));
}

/* ---- writing ---- */

static void write_byte(writer *w, unsigned value) { w->body[w->size++] = (uint8_t)value; }

static qc_status write_stream(writer *w, const uint8_t *symbols, size_t count, unsigned width)
{
    size_t size;
    qc_error *error = w->error;
    QC_TRY(qc_stream_encode(symbols, count, width, w->codings, w->profile, w->body + w->size,
                            qc_stream_bound(count, width), &size, w->stream_workspace, error));
    w->features |= QC_CODING_MASK(w->body[w->size]);
    w->size += size;
    return QC_OK;
}

static qc_status write_map(writer *w, const uint8_t *map, size_t count, unsigned classes)
{
    return classes > 1 ? write_stream(w, map, count, qc_split_map_width(classes)) : QC_OK;
}

static qc_status write_head(writer *w, const qc_split_plan *plan)
{
    const qc_split_input *input = w->input;
    const qc_geometry *geometry = &input->geometry;
    write_byte(w, plan->router);
    if (plan->router == QC_ROUTER_CLASSES) {
        w->size += qc_write_vu(w->body + w->size, geometry->row_length);
        write_byte(w, (plan->row_classes - 1) | (plan->column_classes - 1) << 4);
        QC_TRY(write_map(w, plan->column_map, geometry->row_length, plan->column_classes));
        return write_map(w, plan->row_map, qc_split_rows(input->count, geometry->row_length),
                         plan->row_classes);
    }
    write_byte(w, geometry->kernel_width);
    write_byte(w, geometry->kernel_height);
    write_byte(w, (plan->classes - 1) | (plan->parts - 1) << 4);
    QC_TRY(write_map(w, plan->class_of, (size_t)1 << input->width, plan->classes));
    return write_map(w, plan->part_of, (size_t)(plan->classes + 1) * (plan->classes + 1),
                     plan->parts);
}

/* `sorted` has the symbols of all sub-streams, one after the other; they end at `ends`. */
static qc_status write_parts(writer *w, const qc_split_plan *plan, const uint8_t *sorted,
                             const size_t *ends)
{
    for (unsigned part = 0; part < plan->parts; part++) {
        size_t start = part > 0 ? ends[part - 1] : 0, count = ends[part] - start;
        w->size += qc_write_vu(w->body + w->size, count);
        QC_TRY(write_stream(w, sorted + start, count, w->input->width));
    }
    return QC_OK;
}

/* ---- sorting ---- */

/* By symbol: `parts` says where each goes. */
static void sort(const qc_split_input *input, const qc_split_plan *plan, const uint8_t *parts,
                 uint8_t *sorted, size_t *ends)
{
    size_t counts[QC_SPLIT_MAX_PARTS] = {0}, before = 0;
    for (size_t i = 0; i < input->count; i++)
        counts[parts[i]]++;
    for (unsigned part = 0; part < plan->parts; part++) {
        ends[part] = before;
        before += counts[part];
    }
    for (size_t i = 0; i < input->count; i++)
        sorted[ends[parts[i]]++] = input->symbols[i];
}

/* By row, where columns have no classes. */
static void sort_rows(const qc_split_input *input, const qc_split_plan *plan, uint8_t *sorted,
                      size_t *ends)
{
    size_t length = input->geometry.row_length, at = 0;
    for (unsigned part = 0; part < plan->parts; part++) {
        for (size_t i = 0, row = 0; i < input->count; i += length, row++) {
            size_t run = input->count - i < length ? input->count - i : length;
            if (plan->row_map[row] != part)
                continue;
            memcpy(sorted + at, input->symbols + i, run);
            at += run;
        }
        ends[part] = at;
    }
}

/* ---- the choice ---- */

static const qc_split_plan *find(const qc_split_input *input, qc_split_plan plans[2],
                                 uint8_t *workspace)
{
    plans[0].cost = plans[1].cost = UINT64_MAX;
    if (has_rows(input)) {
        qc_split_find_classes(input, &plans[0], workspace);
        workspace += rounded(qc_split_classes_workspace(input));
    }
    if (has_kernels(input))
        qc_split_find_neighbours(input, &plans[1], workspace);
    return &plans[plans[1].cost < plans[0].cost];
}

/* What was written into the workspace, as a stream. */
static void copy_out(const writer *w, uint8_t *out, size_t *size, uint64_t *features)
{
    out[0] = QC_SPLIT;
    size_t header = 1 + qc_write_vu(out + 1, w->size);
    memcpy(out + header, w->body, w->size);
    *size = header + w->size;
    *features |= w->features | QC_CODING_MASK(QC_SPLIT);
}

qc_status qc_split_encode(const qc_split_input *input, uint64_t codings, qc_profile profile,
                          size_t limit, uint8_t *out, size_t *size, uint64_t *features,
                          void *workspace, void *stream_workspace, qc_error *error)
{
    qc_split_plan plans[2];
    size_t ends[QC_SPLIT_MAX_PARTS];
    uint8_t *parts = (uint8_t *)workspace + rounded(search_workspace(input)) + ALIGNMENT;
    uint8_t *sorted = parts + rounded(input->count);
    const qc_split_plan *plan = find(input, plans, workspace);
    writer w = {input, codings & ~QC_CODING_MASK(QC_SPLIT), 0, profile, NULL, 0, NULL, error};
    w.body = sorted + rounded(input->count);
    w.stream_workspace = stream_workspace;
    *size = 0;
    qc_split_route(input, plan, parts);
    sort(input, plan, parts, sorted, ends);
    QC_TRY(write_head(&w, plan));
    QC_TRY(write_parts(&w, plan, sorted, ends));
    if (1 + qc_vu_size(w.size) + w.size <= limit)
        copy_out(&w, out, size, features);
    return QC_OK;
}

size_t qc_split_encode_rows_workspace(const qc_split_input *input)
{
    return rounded(qc_split_rows_workspace(input)) + rounded(input->count) +
           rounded(body_bound(input));
}

qc_status qc_split_encode_rows(const qc_split_input *input, uint64_t codings, qc_profile profile,
                               uint8_t *out, size_t *size, uint64_t *features, void *workspace,
                               void *stream_workspace, qc_error *error)
{
    qc_split_plan plan;
    size_t ends[QC_SPLIT_MAX_PARTS];
    uint8_t *sorted = (uint8_t *)workspace + rounded(qc_split_rows_workspace(input));
    writer w = {input, codings & ~QC_CODING_MASK(QC_SPLIT), 0, profile, NULL, 0, NULL, error};
    w.body = sorted + rounded(input->count);
    w.stream_workspace = stream_workspace;
    *size = 0;
    int by_lanes = (codings & QC_CODING_MASK(QC_HUFFMAN)) == 0;
    qc_split_find_rows(input, by_lanes ? LANES_HEAD : HUFFMAN_HEAD, &plan, workspace);
    if (plan.parts == 1)
        return QC_OK;
    sort_rows(input, &plan, sorted, ends);
    QC_TRY(write_head(&w, &plan));
    QC_TRY(write_parts(&w, &plan, sorted, ends));
    copy_out(&w, out, size, features);
    return QC_OK;
}
