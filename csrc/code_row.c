#include "code_row.h"

int qc_code_row_suits(const qc_look_up_table *table) { return table->entries < QC_MAX_ENTRIES; }

void qc_code_row_open(qc_code_row *row, qc_look_up_table *table, size_t first, size_t count,
                      uint8_t *out, int past_cache)
{
    memset(table->items + table->entries * table->item_size, 0, table->item_size);
    row->absent = (uint8_t)table->entries++;
    qc_look_up_prepare(table);
    row->table = table;
    row->past_cache = past_cache;
    row->begin = first;
    row->end = first + count;
    row->out = out;
    memset(row->codes, row->absent, sizeof row->codes);
}

static size_t window(const qc_code_row *row)
{
    size_t left = row->end - row->begin;
    return left < QC_CODE_ROW ? left : QC_CODE_ROW;
}

static void write_window(qc_code_row *row)
{
    size_t count = window(row);
    qc_look_up(row->table, row->codes, count, row->out, row->past_cache);
    row->begin += count;
    row->out += count * row->table->item_size;
    memset(row->codes, row->absent, count);
}

/* The number of positions, of `count` ascending ones, that are below `limit`. */
static size_t count_below(const uint32_t *positions, size_t count, size_t limit)
{
    size_t below = 0;
    if (count == 0 || positions[0] >= limit)
        return 0;
    if (positions[count - 1] < limit)
        return count;
    while (count > 0) {
        size_t half = count / 2;
        int beyond = positions[below + half] >= limit;
        below += beyond ? 0 : half + 1;
        count = beyond ? half : count - half - 1;
    }
    return below;
}

void qc_code_row_put(qc_code_row *row, const uint32_t *positions, const uint8_t *codes,
                     size_t count)
{
    size_t i = count_below(positions, count, row->begin); /* before what is wanted */
    for (;;) {
        size_t inside = i + count_below(positions + i, count - i, row->begin + window(row));
        for (; i < inside; i++)
            row->codes[positions[i] - row->begin] = codes[i];
        if (i == count || row->begin == row->end)
            return;
        write_window(row);
    }
}

void qc_code_row_close(qc_code_row *row)
{
    while (row->begin < row->end)
        write_window(row);
}
