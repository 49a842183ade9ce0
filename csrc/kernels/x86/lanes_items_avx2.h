/*
 * Turns of lanes as items of a table. After each turn its values are looked up, so that stores of
 * items go on while the next turn is decoded; a whole block of either would let the other wait.
 * The values pass through memory, as the lanes leave no registers.
 *
 * Non-temporal stores are aligned, but the first of the values need not be the first item of a
 * register. So items are written of the 32 values that begin `keep` before those of the turn. They
 * are put together from two registers: a load of them would wait until both stores of the values
 * that it reads are done, and these queue behind the items.
 */
#ifndef QC_X86_LANES_ITEMS_AVX2_H
#define QC_X86_LANES_ITEMS_AVX2_H

#include "kernels/x86/items_avx2.h"

#if QC_HAS_AVX2

typedef struct item_writer {
    _Alignas(32) uint8_t values[QC_LANES_TURN];
    __m256i planes[4];
    __m256i before; /* the 32 values before the turn */
    /* Places of bytes in two registers, which hold what is before each half of the next values and
       the half itself; the top bit is set where the other register has the byte. */
    __m256i from_before, from_next;
    int is_far; /* more than half a register is kept */
    int past_cache;
    size_t size;  /* of an item */
    uint8_t *out; /* of the turn's items */
} item_writer;

QC_AVX2 static void begin_items(item_writer *writer, const qc_item_run *run)
{
    uint8_t from_before[16], from_next[16];
    size_t keep = run->keep > 16 ? run->keep - 16 : run->keep;
    for (size_t i = 0; i < 16; i++) {
        from_before[i] = (uint8_t)(i < keep ? 16 - keep + i : 0x80);
        from_next[i] = (uint8_t)(i < keep ? 0x80 : i - keep);
    }
    writer->from_before = load_row(from_before);
    writer->from_next = load_row(from_next);
    writer->is_far = run->keep > 16;
    writer->before = vector_load(run->kept + QC_KEPT_CODES - 32);
    writer->past_cache = run->past_cache;
    writer->size = run->table->item_size;
    writer->out = run->out;
    if (writer->size == 4)
        load_planes_4(run->table->items, writer->planes);
    else
        load_planes_2(run->table->items, writer->planes);
}

/* `size` and `past_cache` are constants. */
QC_AVX2_INLINE void write_turn_as(item_writer *writer, size_t size, int past_cache)
{
    __m256i planes[4], before = writer->before;
    const __m256i from_before = writer->from_before, from_next = writer->from_next;
    const int is_far = writer->is_far;
    uint8_t *out = writer->out;
    for (unsigned i = 0; i < size; i++)
        planes[i] = writer->planes[i];
    for (size_t i = 0; i < QC_LANES_TURN; i += 32, out += 32 * size) {
        __m256i values = vector_load(writer->values + i);
        __m256i between = _mm256_permute2x128_si256(before, values, 0x21);
        __m256i first = is_far ? before : between, second = is_far ? between : values;
        before = values;
        put_items(planes,
                  _mm256_or_si256(_mm256_shuffle_epi8(first, from_before),
                                  _mm256_shuffle_epi8(second, from_next)),
                  size, out, past_cache);
    }
    writer->before = before;
    writer->out = out;
}

/* The items of a turn. Not inline: its registers are others than those of the lanes. */
QC_AVX2 static __attribute__((noinline)) void write_turn(item_writer *writer)
{
    if (writer->size == 4 && writer->past_cache)
        write_turn_as(writer, 4, 1);
    else if (writer->size == 4)
        write_turn_as(writer, 4, 0);
    else if (writer->past_cache)
        write_turn_as(writer, 2, 1);
    else
        write_turn_as(writer, 2, 0);
}

/* The values that the next run begins after. */
QC_AVX2 static void end_items(const item_writer *writer, const qc_item_run *run)
{
    vector_store(run->kept + QC_KEPT_CODES - 32, writer->before);
}

#endif /* QC_HAS_AVX2 */
#endif /* QC_X86_LANES_ITEMS_AVX2_H */
