/*
 * Codes to the items of a table: the kernel, then the rest in portable C, one load per code.
 */
#include "kernels/kernels.h"

void qc_look_up_prepare(qc_look_up_table *table)
{
    if (table->entries <= QC_NO_PLANES || table->item_size > 4)
        return;
    for (size_t byte = 0; byte < table->item_size; byte++)
        for (size_t entry = 0; entry < table->entries; entry++)
            table->planes[byte][entry] = table->items[entry * table->item_size + byte];
}

static void look_up(const qc_look_up_table *table, const uint8_t *codes, size_t count, uint8_t *out)
{
    const uint8_t *items = table->items;
    /* The size is a constant in each loop, so that the copies become single moves. */
    if (table->item_size == 4)
        for (size_t i = 0; i < count; i++)
            memcpy(out + 4 * i, items + 4 * (size_t)codes[i], 4);
    else if (table->item_size == 2)
        for (size_t i = 0; i < count; i++)
            memcpy(out + 2 * i, items + 2 * (size_t)codes[i], 2);
    else
        for (size_t i = 0; i < count; i++)
            memcpy(out + 8 * i, items + 8 * (size_t)codes[i], 8);
}

void qc_look_up(const qc_look_up_table *table, const uint8_t *codes, size_t count, uint8_t *out,
                int past_cache)
{
    const qc_kernels *kernels = qc_kernels_selected();
    qc_look_up_kernel *kernel = table->item_size == 4   ? kernels->look_up_4
                                : table->item_size == 2 ? kernels->look_up_2
                                                        : NULL;
    size_t size = table->item_size, done = 0;
    if (kernel != NULL)
        done = kernel(table, codes, count, out, past_cache && qc_is_line(out));
    look_up(table, codes + done, count - done, out + done * size);
}

void qc_look_up_fence(void)
{
    qc_order_stores_kernel *kernel = qc_kernels_selected()->order_stores;
    if (kernel != NULL)
        kernel();
}
