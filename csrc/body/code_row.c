/*
 * Sparse elements by way of rows of codes. code_row.h says why.
 */
#include "body/code_row.h"

int qc_code_row_suits(const qc_look_up_table *table) { return table->entries < QC_MAX_ENTRIES; }

/* In words: compilers make a slow string instruction of a memset of this size. */
static void clear(qc_code_row *row)
{
    const uint64_t absent = row->absent * UINT64_C(0x0101010101010101);
    for (size_t i = 0; i < QC_CODE_ROW; i += sizeof absent)
        memcpy(row->codes + i, &absent, sizeof absent);
}

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
    clear(row);
}

/* Up to where a line of the output begins, so that the next window begins there. */
static size_t window(const qc_code_row *row)
{
    size_t left = row->end - row->begin, size = row->table->item_size;
    size_t over = (uintptr_t)row->out % (64 * size) / size;
    return left < QC_CODE_ROW - over ? left : QC_CODE_ROW - over;
}

static void write_window(qc_code_row *row)
{
    size_t count = window(row);
    qc_look_up(row->table, row->codes, count, row->out, row->past_cache);
    row->begin += count;
    row->out += count * row->table->item_size;
    clear(row);
}

void qc_code_row_put(qc_code_row *row, const uint32_t *positions, const uint8_t *codes,
                     size_t count)
{
    size_t i = 0;
    while (i < count && positions[i] < row->begin) /* before the range */
        i++;
    for (;;) {
        size_t begin = row->begin, end = begin + window(row);
        for (; i < count && positions[i] < end; i++)
            row->codes[positions[i] - begin] = codes[i];
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
