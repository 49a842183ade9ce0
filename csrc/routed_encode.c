#include "routed_encode.h"

#define ALIGNMENT 16

/* Maps and sub-streams of coding 6; each bound beyond its symbols is that of an empty one. */
#define MOST_STREAMS (QC_SPLIT_MAX_PARTS + 2)

static size_t rounded(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static int has_rows(const qc_split_input *input) { return input->geometry.row_length > 0; }

static size_t body_bound(const qc_split_input *input)
{
    size_t symbols = 3 * input->count + 2 * 256;
    return MOST_STREAMS * (qc_stream_bound(0, 8) + QC_VU_MAX_BYTES) + symbols + symbols / 8;
}

static size_t search_workspace(const qc_split_input *input)
{
    return has_rows(input) ? qc_split_classes_workspace(input) : 0;
}

static size_t write_workspace(const qc_split_input *input)
{
    size_t split = qc_split_write_workspace(input), contexts = qc_contexts_write_workspace(input);
    return split > contexts ? split : contexts;
}

size_t qc_routed_workspace(const qc_split_input *input)
{
    return ALIGNMENT + rounded(search_workspace(input)) + rounded(write_workspace(input)) +
           rounded(body_bound(input));
}

qc_status qc_routed_encode(const qc_routed_request *request, uint8_t *out, size_t *size,
                           uint64_t *features, qc_error *error)
{
    const qc_split_input *input = &request->input;
    qc_split_plan plan, *classes = has_rows(input) ? &plan : NULL;
    uint8_t *scratch = (uint8_t *)request->workspace + rounded(search_workspace(input));
    uint8_t *body = scratch + rounded(write_workspace(input));
    const qc_encoding *encoding = request->encoding;
    qc_body_writer w = {
        input, encoding->codings & ~QC_ROUTED, 0,    encoding->profile, encoding->effort, body,
        0,     request->stream_workspace,      error};
    *size = 0;
    if (has_rows(input))
        qc_split_find_classes(input, encoding->effort, &plan, request->workspace);
    qc_coding coding = QC_CONTEXTS;
    if (request->contexts_limit > 0) {
        QC_TRY(qc_contexts_write(&w, classes, request->contexts_limit, scratch));
        *size = qc_body_finish(&w, coding, request->contexts_limit, out);
    }
    if (*size == 0 && request->split_limit > 0) {
        coding = QC_SPLIT;
        w.size = 0;
        w.features = 0;
        QC_TRY(qc_split_write(&w, classes, scratch));
        *size = qc_body_finish(&w, coding, request->split_limit, out);
    }
    *features |= *size > 0 ? w.features | QC_CODING_MASK(coding) : 0;
    return QC_OK;
}
