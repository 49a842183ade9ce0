/*
 * Unpacking: the two bytes that hold a symbol go to a 16-bit lane, symbols of even numbers in one
 * register, of odd ones in another. A multiplication moves each symbol up to its lane's upper
 * byte, in place of the shifts by different counts that 16-bit lanes do not have.
 */
#include "kernels/bitpacking.h"
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

/* How 8 symbols, whose first bits are `step` bits apart, get into the 16-bit lanes. */
typedef struct placing {
    __m256i bytes;  /* for each lane the numbers of two bytes */
    __m256i powers; /* 2^(8 - s) for a symbol that starts at bit s of these */
} placing;

/* For symbols that begin at these bits. */
QC_AVX2 static inline placing place(__m256i bits)
{
    const __m256i powers_of_shift =
        load_row((const uint8_t[16]){0, 128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0});
    __m256i byte = _mm256_srli_epi16(bits, 3);
    __m256i shift = _mm256_and_si256(bits, _mm256_set1_epi16(7));
    byte =
        _mm256_or_si256(byte, _mm256_slli_epi16(_mm256_add_epi16(byte, _mm256_set1_epi16(1)), 8));
    /* Both bytes of a power from one table: the upper one is 1 for shift 0, which is at 8. */
    shift =
        _mm256_or_si256(shift, _mm256_slli_epi16(_mm256_add_epi16(shift, _mm256_set1_epi16(8)), 8));
    return (placing){byte, _mm256_shuffle_epi8(powers_of_shift, shift)};
}

/* The bits at which symbols begin in each half of a register: 0, step, 2 * step ... */
QC_AVX2 static inline __m256i steps(unsigned first_bit, unsigned step)
{
    __m256i bits = _mm256_broadcastsi128_si256(_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7));
    return _mm256_add_epi16(_mm256_mullo_epi16(bits, _mm256_set1_epi16((short)step)),
                            _mm256_set1_epi16((short)first_bit));
}

QC_AVX2 static inline __m256i load_halves(const uint8_t *low, const uint8_t *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

/* The symbols of `placing`, and bits that do not belong to them, in the upper bytes. */
QC_AVX2_INLINE __m256i take(__m256i packed, placing placing)
{
    return _mm256_mullo_epi16(_mm256_shuffle_epi8(packed, placing.bytes), placing.powers);
}

/* Those of `even` and of `odd`, in turn. */
QC_AVX2_INLINE __m256i take_both(__m256i packed, placing even, placing odd, __m256i mask)
{
    const __m256i upper = _mm256_set1_epi16((short)0xFF00);
    __m256i first = _mm256_srli_epi16(take(packed, even), 8);
    __m256i second = _mm256_and_si256(take(packed, odd), upper);
    return _mm256_and_si256(_mm256_or_si256(first, second), mask);
}

QC_AVX2 size_t qc_unpack_avx2(const uint8_t *packed, size_t size, unsigned width, uint8_t *symbols,
                              size_t count)
{
    const placing even = place(steps(0, 2 * width)), odd = place(steps(width, 2 * width));
    const __m256i mask = _mm256_set1_epi8((char)((1 << width) - 1));
    size_t i = 0;
    /* 16 symbols are 2 * width bytes, of which 16 are loaded. */
    for (size_t at = 0; count - i >= 32 && size - at >= 2 * width + 16; i += 32, at += 4 * width) {
        __m256i bytes = load_halves(packed + at, packed + at + 2 * width);
        _mm256_storeu_si256((__m256i *)(symbols + i), take_both(bytes, even, odd, mask));
    }
    return i;
}

/* ---- straight to items ---- */

/* All 32 symbols are in the same 16 bytes, twice: they are placed as join_4 and join_2 want them
   (interleave_template.h), whose order is that of symbol numbers that are ordered like bytes. */
QC_AVX2_INLINE size_t unpack_items(const uint8_t *packed, size_t bytes, unsigned bit,
                                   unsigned width, const qc_item_run *run, size_t count,
                                   uint8_t *max, size_t size, int past_cache)
{
    uint8_t numbers[32], *out = run->out, all[32];
    for (unsigned i = 0; i < 32; i++)
        numbers[i] = (uint8_t)i;
    __m256i order = vector_load(numbers);
    order = size == 4 ? order_for_join_4(order) : order_for_join_2(order);
    const __m256i first_bit = _mm256_set1_epi16((short)bit),
                  widths = _mm256_set1_epi16((short)width);
    __m256i even_bits = _mm256_and_si256(order, _mm256_set1_epi16(255));
    __m256i odd_bits = _mm256_srli_epi16(order, 8);
    const placing even = place(_mm256_add_epi16(_mm256_mullo_epi16(even_bits, widths), first_bit));
    const placing odd = place(_mm256_add_epi16(_mm256_mullo_epi16(odd_bits, widths), first_bit));
    const __m256i mask = _mm256_set1_epi8((char)((1 << width) - 1));
    __m256i planes[4], greatest = _mm256_setzero_si256();
    size_t i = 0;
    if (size == 4)
        load_planes_4(run->table->items, planes);
    else
        load_planes_2(run->table->items, planes);
    if (bit + 32 * width > 128)
        return 0;
    for (size_t at = 0; count - i >= 32 && bytes - at >= 16; i += 32, at += 4 * width) {
        __m256i symbols = take_both(load_row(packed + at), even, odd, mask);
        qc_prefetch(packed + at, 1, packed + bytes);
        greatest = _mm256_max_epu8(greatest, symbols);
        put_ordered_items(planes, symbols, size, out + size * i, past_cache);
    }
    vector_store(all, greatest);
    for (size_t at = 0; at < sizeof all; at++)
        *max = all[at] > *max ? all[at] : *max;
    return i;
}

QC_AVX2 size_t qc_unpack_items_avx2(const uint8_t *packed, size_t size, unsigned bit,
                                    unsigned width, const qc_item_run *run, size_t count,
                                    uint8_t *max)
{
    if (run->table->item_size == 4)
        return run->past_cache ? unpack_items(packed, size, bit, width, run, count, max, 4, 1)
                               : unpack_items(packed, size, bit, width, run, count, max, 4, 0);
    return run->past_cache ? unpack_items(packed, size, bit, width, run, count, max, 2, 1)
                           : unpack_items(packed, size, bit, width, run, count, max, 2, 0);
}

/* ---- packing ---- */

/* As qc_gather in bitpacking.h, in every 64-bit lane. */
QC_AVX2 static inline __m256i gather(__m256i x, unsigned bits, unsigned half)
{
    __m256i lower = _mm256_set1_epi64x((int64_t)qc_lower_fields(bits, half));
    __m256i upper = _mm256_srl_epi64(x, _mm_cvtsi32_si128((int)(half - bits)));
    __m256i place = _mm256_sll_epi64(lower, _mm_cvtsi32_si128((int)bits));
    return _mm256_or_si256(_mm256_and_si256(x, lower), _mm256_and_si256(upper, place));
}

QC_AVX2 size_t qc_pack_avx2(const uint8_t *symbols, size_t count, unsigned width, uint8_t *packed)
{
    size_t i = 0;
    /* The fourth group is stored as 8 bytes, which the next 8 groups overwrite or, at the end, the
       caller's symbols that are left. */
    for (; count - i >= 32 + 64; i += 32, packed += 4 * width) {
        uint64_t groups[4];
        __m256i x = _mm256_loadu_si256((const __m256i *)(symbols + i));
        x = gather(x, width, 8);
        x = gather(x, 2 * width, 16);
        x = gather(x, 4 * width, 32);
        _mm256_storeu_si256((__m256i *)groups, x);
        for (unsigned group = 0; group < 4; group++)
            memcpy(packed + group * width, &groups[group], 8);
    }
    return i;
}

#endif /* QC_HAS_AVX2 */
