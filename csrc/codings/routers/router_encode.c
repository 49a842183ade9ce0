/*
 * Tries contexts and split for a stream whose symbols are in rows or filters: the search for
 * classes is done once and serves both.
 */
#include "codings/routers/router_encode.h"
#include "base/log2_fixed.h"
#include "codings/stream_encode.h"

#define ALIGNMENT 16

/* So many symbols say whether a router may pay; shorter streams are encoded at once. */
#define SAMPLE       ((size_t)1 << 15)
#define SURE_SYMBOLS 4096

/* Maps and sub-streams of split; each bound beyond its symbols is that of an empty one. */
#define MAX_STREAMS (QC_ROUTER_MAX_SUB_STREAMS + 2)

static size_t rounded(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static int has_rows(const qc_router_input *input) { return input->geometry.row_length > 0; }

static size_t body_bound(const qc_router_input *input)
{
    size_t symbols = 3 * input->count + 2 * 256;
    return MAX_STREAMS * (qc_stream_bound(0, 8) + QC_VU_MAX_BYTES) + symbols + symbols / 8;
}

static size_t search_workspace(const qc_router_input *input)
{
    return has_rows(input) ? qc_router_find_classes_workspace(input) : 0;
}

static size_t write_workspace(const qc_router_input *input)
{
    size_t split = qc_split_write_workspace(input), contexts = qc_contexts_write_workspace(input);
    return split > contexts ? split : contexts;
}

size_t qc_router_workspace(const qc_router_input *input)
{
    return ALIGNMENT + rounded(search_workspace(input)) + rounded(write_workspace(input)) +
           rounded(body_bound(input));
}

static qc_body_writer writer_of(const qc_router_request *request, uint8_t *body, qc_error *error)
{
    const qc_encoding *encoding = request->encoding;
    return (qc_body_writer){.input = &request->input,
                            .codings = encoding->codings & ~QC_CODING_MASK(QC_SPLIT),
                            .profile = encoding->profile,
                            .effort = encoding->effort,
                            .body = body,
                            .stream_workspace = request->stream_workspace,
                            .error = error};
}

/* The rows that begin with the stream, or its first symbols. */
static qc_router_input sample_of(const qc_router_input *input)
{
    qc_router_input sample = *input;
    size_t length = input->geometry.row_length;
    if (sample.count > SAMPLE)
        sample.count = length > 0 && length < SAMPLE ? SAMPLE / length * length : SAMPLE;
    if (length > sample.count)
        sample.geometry.row_length = 0;
    return sample;
}

/* What is more than logarithms, which are rounded down to a unit, can feign. */
static uint64_t beyond_rounding(uint64_t units, size_t count)
{
    return units > count ? units - count : 0;
}

/* Twice what two classes of rows and of columns, and the best neighbour, save of a sample: more
   classes save more. */
static uint64_t promised_by(const qc_router_input *sample, uint64_t alone, void *workspace)
{
    qc_router_plan plan;
    uint64_t told = qc_router_most_told(sample, sample->count), saved = 0;
    if (has_rows(sample)) {
        qc_router_find_classes(sample, 1, &plan, workspace);
        saved = plan.cost < alone ? alone - plan.cost : 0;
    }
    return 2 * (beyond_rounding(told, sample->count) + beyond_rounding(saved, sample->count));
}

int qc_router_promises(const qc_router_request *request)
{
    const qc_router_input *input = &request->input;
    qc_router_input sample = sample_of(input);
    size_t contexts = request->contexts_limit, split = request->split_limit;
    size_t limit = contexts > split ? contexts : split;
    uint32_t histogram[1 << QC_ROUTER_MAX_WIDTH];
    uint64_t counts[1 << QC_ROUTER_MAX_WIDTH];
    if (input->count < SURE_SYMBOLS)
        return 1;
    qc_count_narrow(sample.symbols, sample.count, sample.width, counts);
    for (unsigned s = 0; s < 1u << QC_ROUTER_MAX_WIDTH; s++)
        histogram[s] = (uint32_t)counts[s];
    uint64_t alone = qc_router_cost(histogram, 1u << input->width);
    uint64_t promised = promised_by(&sample, alone, request->workspace);
    uint64_t units = (alone > promised ? alone - promised : 0) / sample.count * input->count;
    return units / QC_LOG2_ONE / 8 <= limit;
}

qc_status qc_router_encode(const qc_router_request *request, uint8_t *out, size_t *size,
                           uint64_t *features, qc_error *error)
{
    const qc_router_input *input = &request->input;
    qc_router_plan plan, *classes = has_rows(input) ? &plan : NULL;
    uint8_t *scratch = (uint8_t *)request->workspace + rounded(search_workspace(input));
    uint8_t *body = scratch + rounded(write_workspace(input));
    qc_body_writer w = writer_of(request, body, error);
    *size = 0;
    if (has_rows(input))
        qc_router_find_classes(input, w.effort, &plan, request->workspace);
    QC_GO_ON_IF(!input->ticker->stopped);
    qc_coding coding = QC_CONTEXTS;
    if (request->contexts_limit > 0) {
        QC_TRY(qc_contexts_write(&w, classes, request->contexts_limit, scratch));
        *size = qc_body_finish(&w, coding, request->contexts_limit, out);
    }
    if (*size == 0 && request->split_limit > 0 && classes != NULL) {
        coding = QC_SPLIT;
        w.size = 0;
        w.features = 0;
        QC_TRY(qc_split_write(&w, classes, scratch));
        *size = qc_body_finish(&w, coding, request->split_limit, out);
    }
    QC_GO_ON_IF(!input->ticker->stopped);
    *features |= *size > 0 ? w.features | QC_CODING_MASK(coding) : 0;
    return QC_OK;
}

size_t qc_router_rows_workspace(const qc_router_input *input)
{
    return ALIGNMENT + rounded(qc_split_write_rows_workspace(input)) + rounded(body_bound(input));
}

qc_status qc_router_encode_rows(const qc_router_request *request, uint8_t *out, size_t *size,
                                uint64_t *features, qc_error *error)
{
    uint8_t *scratch = request->workspace;
    uint8_t *body = scratch + rounded(qc_split_write_rows_workspace(&request->input));
    qc_body_writer w = writer_of(request, body, error);
    QC_TRY(qc_split_write_rows(&w, scratch));
    *size = w.size > 0 ? qc_body_finish(&w, QC_SPLIT, request->split_limit, out) : 0;
    *features |= *size > 0 ? w.features | QC_CODING_MASK(QC_SPLIT) : 0;
    return QC_OK;
}
