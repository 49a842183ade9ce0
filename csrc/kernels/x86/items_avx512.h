/*
 * The last step of kernels that make values in registers: values, or the items of a table, to
 * memory. A few items are one register, which is permuted by the values. Values that pass through
 * memory instead would wait there for the stores of items before them.
 *
 * Non-temporal stores fill whole lines, but the first of the values need not be the first item of a
 * line. So items are written of the 64 values that begin `keep` before these, and a permutation of
 * two registers both finds those and puts them into the order of the items' places.
 */
#ifndef QC_X86_ITEMS_AVX512_H
#define QC_X86_ITEMS_AVX512_H

#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define QC_AVX512_INLINE QC_AVX512 static inline __attribute__((always_inline))

typedef struct item_writer {
    uint8_t *out;
    __m512i items;
    __m512i before; /* the 64 values before the next ones */
    __m512i order;
} item_writer;

/* The order of put_places, of the values to write among those before and the next ones. */
QC_AVX512 static inline __m512i order_of_values(size_t size, size_t keep)
{
    uint8_t order[64];
    size_t places = 64 / size;
    for (size_t at = 0; at < 64; at++)
        order[at] = (uint8_t)(64 - keep + at % size * places + at / size);
    return _mm512_loadu_si512(order);
}

QC_AVX512 static inline item_writer write_values_to(uint8_t *out)
{
    const __m512i none = _mm512_setzero_si512();
    return (item_writer){out, none, none, none};
}

QC_AVX512 static inline item_writer write_items_to(const qc_item_run *run)
{
    const qc_look_up_table *table = run->table;
    return (item_writer){run->out, _mm512_loadu_si512(table->items), _mm512_loadu_si512(run->kept),
                         order_of_values(table->item_size, run->keep)};
}

/* The items of 64 values in the order of their places: byte j of place p has value number
   j * places + p. An index is the lowest bits of a place, to which the value that is wanted is
   shifted. */
QC_AVX512_INLINE void put_places(__m512i ordered, __m512i items, size_t size, uint8_t *out,
                                 int past_cache)
{
    if (size == 2) {
        __m512i next = _mm512_srli_epi16(ordered, 8);
        vector_put(out, _mm512_permutexvar_epi16(ordered, items), past_cache);
        vector_put(out + 64, _mm512_permutexvar_epi16(next, items), past_cache);
        return;
    }
    for (unsigned part = 0; part < 4; part++) {
        __m512i index = _mm512_srli_epi32(ordered, 8 * part);
        vector_put(out + 64 * part, _mm512_permutexvar_epi32(index, items), past_cache);
    }
}

/* The next 64 values; `size` of an item (1: the value) and `past_cache` are constants wherever this
   is called. */
QC_AVX512_INLINE void write_values(item_writer *writer, __m512i values, size_t size, int past_cache)
{
    uint8_t *out = writer->out;
    writer->out += 64 * size;
    if (size == 1) {
        vector_store(out, values);
        return;
    }
    __m512i ordered = _mm512_permutex2var_epi8(writer->before, writer->order, values);
    writer->before = values;
    put_places(ordered, writer->items, size, out, past_cache);
}

/* The values that the next run begins after. */
QC_AVX512 static inline void keep_values(const item_writer *writer, const qc_item_run *run)
{
    _mm512_storeu_si512(run->kept, writer->before);
}

#endif /* QC_HAS_AVX512 */
#endif /* QC_X86_ITEMS_AVX512_H */
