/*
 * The target of each symbol under a plan, for a whole stream at once, and an estimate of what the
 * symbols of a target take.
 */
#include "base/log2_fixed.h"
#include "codings/routers/router_search.h"
#include "codings/stream_encode.h"

/* A count, a head and a model. */
#define HEAD_BITS 40

uint64_t qc_router_cost(const uint32_t *histogram, unsigned symbols)
{
    uint64_t total = 0, cost = 0, learnt = 0;
    for (unsigned s = 0; s < symbols; s++) {
        total += histogram[s];
        cost += histogram[s] > 0 ? histogram[s] * (uint64_t)qc_log2_fixed(histogram[s]) : 0;
        learnt += histogram[s] > 0;
    }
    if (total == 0)
        return HEAD_BITS * QC_LOG2_ONE;
    /* Half a logarithm for every probability that is learnt. */
    uint64_t bits = qc_log2_fixed((uint32_t)total);
    return total * bits - cost + (learnt - 1) * bits / 2 + HEAD_BITS * QC_LOG2_ONE;
}

void qc_router_route(const qc_router_input *input, size_t count, const qc_router_plan *plan,
                     uint8_t *targets)
{
    size_t length = input->geometry.row_length;
    for (size_t i = 0, row = 0; i < count; i += length, row++) {
        size_t end = count - i < length ? count - i : length;
        unsigned first = plan->row_map[row] * plan->column_classes;
        if (plan->column_classes == 1)
            memset(targets + i, (int)first, end);
        else
            for (size_t column = 0; column < end; column++)
                targets[i + column] = (uint8_t)(first + plan->column_map[column]);
    }
}

/* By the middle of a symbol's share of all. */
void qc_router_classify(const qc_router_input *input, const uint64_t *counts, unsigned classes,
                        uint8_t *class_of)
{
    uint64_t before = 0;
    for (unsigned s = 0; s < 1u << input->width; s++) {
        uint64_t class = (2 * before + counts[s]) * classes / (2 * (uint64_t)input->count);
        class_of[s] = (uint8_t)(class < classes ? class : classes - 1);
        before += counts[s];
    }
}

static uint64_t total_logarithms(const uint32_t *counts, unsigned count)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < count; i++)
        total += counts[i] > 0 ? counts[i] * (uint64_t)qc_log2_fixed(counts[i]) : 0;
    return total;
}

uint64_t qc_router_told(const qc_router_input *input, const uint64_t *counts, size_t count,
                        size_t distance)
{
    enum { CLASSES = 3 };
    uint8_t class_of[1 << QC_ROUTER_MAX_WIDTH];
    uint32_t pairs[CLASSES * CLASSES] = {0}, before[CLASSES] = {0}, after[CLASSES] = {0}, all = 0;
    qc_router_classify(input, counts, CLASSES, class_of);
    for (size_t i = distance; i < count; i++)
        pairs[class_of[input->symbols[i - distance]] * CLASSES + class_of[input->symbols[i]]]++;
    for (unsigned pair = 0; pair < CLASSES * CLASSES; pair++) {
        before[pair / CLASSES] += pairs[pair];
        after[pair % CLASSES] += pairs[pair];
        all += pairs[pair];
    }
    uint64_t together = total_logarithms(pairs, CLASSES * CLASSES) + total_logarithms(&all, 1);
    uint64_t apart = total_logarithms(before, CLASSES) + total_logarithms(after, CLASSES);
    return together > apart ? together - apart : 0;
}

uint64_t qc_router_most_told(const qc_router_input *input, size_t count)
{
    const qc_geometry *geometry = &input->geometry;
    size_t distances[QC_ROUTER_MAX_ROWS_APART + 2] = {1, geometry->filter_width};
    uint64_t most = 0, counts[1 << QC_ROUTER_MAX_WIDTH];
    qc_count_narrow(input->symbols, input->count, input->width, counts);
    for (size_t apart = 1; apart <= QC_ROUTER_MAX_ROWS_APART; apart++)
        distances[1 + apart] = apart * geometry->row_length;
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        uint64_t told = distances[i] > 0 ? qc_router_told(input, counts, count, distances[i]) : 0;
        most = told > most ? told : most;
    }
    return most;
}

void qc_router_contexts(const qc_router_input *input, size_t count, size_t width, size_t height,
                        const uint8_t *class_of, qc_neighbour_tables by, uint8_t *tables)
{
    const uint8_t *symbols = input->symbols;
    size_t x = 0, y = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned left = x > 0 ? 1u + class_of[symbols[i - 1]] : 0;
        unsigned up = y > 0 ? 1u + class_of[symbols[i - width]] : 0;
        tables[i] = (uint8_t)(left * by.by_left + up * by.by_up);
        if (++x == width) {
            x = 0;
            y = y + 1 == height ? 0 : y + 1;
        }
    }
}
