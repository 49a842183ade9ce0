#include "value_kernels.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

void qc_look_up_prepare(qc_look_up_table *table)
{
    if (table->item_size > 4)
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

/* Items up to the next line, or 0 if no item starts there. */
static size_t items_before_line(const uint8_t *out, size_t item_size)
{
    size_t bytes = (QC_LINE_BYTES - (uintptr_t)out % QC_LINE_BYTES) % QC_LINE_BYTES;
    return bytes % item_size == 0 ? bytes / item_size : 0;
}

void qc_look_up(const qc_look_up_table *table, const uint8_t *codes, size_t count, uint8_t *out,
                int past_cache)
{
    const qc_value_kernels *kernels = qc_value_kernels_selected();
    qc_look_up_kernel *kernel = table->item_size == 4   ? kernels->look_up_4
                                : table->item_size == 2 ? kernels->look_up_2
                                                        : NULL;
    size_t size = table->item_size, done = 0;
    if (kernel != NULL && past_cache) {
        done = items_before_line(out, size);
        done = done < count ? done : count;
        look_up(table, codes, done, out);
        past_cache = (uintptr_t)(out + done * size) % QC_LINE_BYTES == 0;
    }
    if (kernel != NULL)
        done += kernel(table, codes + done, count - done, out + done * size, past_cache);
    look_up(table, codes + done, count - done, out + done * size);
}

void qc_look_up_fence(void)
{
#if defined(__SSE__)
    _mm_sfence();
#endif
}
