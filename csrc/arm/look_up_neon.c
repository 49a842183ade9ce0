/*
 * Each plane of bytes is looked up by itself, and storing joins the planes. The instructions look
 * up 16 entries in one register or 64 in four; of more entries, single loads are faster.
 */
#include "../value_kernels.h"
#include "neon.h"

#if QC_HAS_NEON

#define MOST_ENTRIES 64

/* `few`, a constant where this is inlined: there are at most 16 entries. */
QC_NEON_INLINE uint8x16_t look_up(const uint8x16x4_t *plane, int few, uint8x16_t codes)
{
    return few ? vqtbl1q_u8(plane->val[0], codes) : vqtbl4q_u8(*plane, codes);
}

QC_NEON_INLINE size_t look_up_2(const qc_look_up_table *table, int few, const uint8_t *codes,
                                size_t count, uint8_t *out)
{
    const uint8x16x4_t low = vld1q_u8_x4(table->planes[0]), high = vld1q_u8_x4(table->planes[1]);
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        uint8x16_t code = vld1q_u8(codes + i);
        uint8x16x2_t items = {{look_up(&low, few, code), look_up(&high, few, code)}};
        vst2q_u8(out + 2 * i, items);
    }
    return i;
}

QC_NEON_INLINE size_t look_up_4(const qc_look_up_table *table, int few, const uint8_t *codes,
                                size_t count, uint8_t *out)
{
    const uint8x16x4_t plane_0 = vld1q_u8_x4(table->planes[0]),
                       plane_1 = vld1q_u8_x4(table->planes[1]),
                       plane_2 = vld1q_u8_x4(table->planes[2]),
                       plane_3 = vld1q_u8_x4(table->planes[3]);
    size_t i = 0;
    for (; count - i >= 16; i += 16) {
        uint8x16_t code = vld1q_u8(codes + i);
        uint8x16x4_t items = {{look_up(&plane_0, few, code), look_up(&plane_1, few, code),
                               look_up(&plane_2, few, code), look_up(&plane_3, few, code)}};
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
    return table->entries <= 16 ? look_up_2(table, 1, codes, count, out)
                                : look_up_2(table, 0, codes, count, out);
}

size_t qc_look_up_4_neon(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                         uint8_t *out, int past_cache)
{
    (void)past_cache;
    if (table->entries > MOST_ENTRIES)
        return 0;
    return table->entries <= 16 ? look_up_4(table, 1, codes, count, out)
                                : look_up_4(table, 0, codes, count, out);
}

#endif /* QC_HAS_NEON */
