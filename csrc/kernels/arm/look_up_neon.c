/*
 * Each plane of bytes is looked up by itself, and storing joins the planes. The instructions look
 * up 16 entries in one register or 64 in four; of more entries, single loads are faster.
 */
#include "kernels/arm/neon.h"

#if QC_HAS_NEON

#define MOST_ENTRIES 64

/* Up to 16 items are loaded straight into their planes. `few`, a constant where these are inlined:
   there are at most 16. */
QC_NEON_INLINE uint8x16_t look_up(const uint8x16x4_t *plane, int few, uint8x16_t codes)
{
    return few ? vqtbl1q_u8(plane->val[0], codes) : vqtbl4q_u8(*plane, codes);
}

QC_NEON_INLINE size_t look_up_2(const qc_look_up_table *table, int few, const uint8_t *codes,
                                size_t count, uint8_t *out)
{
    uint8x16x4_t planes[2];
    size_t i = 0;
    if (few) {
        const uint8x16x2_t items = vld2q_u8(table->items);
        for (unsigned byte = 0; byte < 2; byte++)
            planes[byte].val[0] = items.val[byte];
    } else {
        for (unsigned byte = 0; byte < 2; byte++)
            planes[byte] = vld1q_u8_x4(table->planes[byte]);
    }
    for (; count - i >= 16; i += 16) {
        uint8x16_t code = vld1q_u8(codes + i);
        uint8x16x2_t items = {{look_up(&planes[0], few, code), look_up(&planes[1], few, code)}};
        vst2q_u8(out + 2 * i, items);
    }
    return i;
}

QC_NEON_INLINE size_t look_up_4(const qc_look_up_table *table, int few, const uint8_t *codes,
                                size_t count, uint8_t *out)
{
    uint8x16x4_t planes[4];
    size_t i = 0;
    if (few) {
        const uint8x16x4_t items = vld4q_u8(table->items);
        for (unsigned byte = 0; byte < 4; byte++)
            planes[byte].val[0] = items.val[byte];
    } else {
        for (unsigned byte = 0; byte < 4; byte++)
            planes[byte] = vld1q_u8_x4(table->planes[byte]);
    }
    for (; count - i >= 16; i += 16) {
        uint8x16_t code = vld1q_u8(codes + i);
        uint8x16x4_t items = {{look_up(&planes[0], few, code), look_up(&planes[1], few, code),
                               look_up(&planes[2], few, code), look_up(&planes[3], few, code)}};
        vst4q_u8(out + 4 * i, items);
    }
    return i;
}

size_t qc_look_up_2_neon(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                         uint8_t *out, int past_cache)
{
    (void)past_cache; /* interleaving stores have no such kind */
    if (table->entries > MOST_ENTRIES)
        return 0;
    return table->entries <= QC_NO_PLANES ? look_up_2(table, 1, codes, count, out)
                                          : look_up_2(table, 0, codes, count, out);
}

size_t qc_look_up_4_neon(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                         uint8_t *out, int past_cache)
{
    (void)past_cache;
    if (table->entries > MOST_ENTRIES)
        return 0;
    return table->entries <= QC_NO_PLANES ? look_up_4(table, 1, codes, count, out)
                                          : look_up_4(table, 0, codes, count, out);
}

#endif /* QC_HAS_NEON */
