/*
 * 64 symbols at a time: a group of 8 symbols in each 64-bit lane. Loads and stores are masked, so
 * that nothing beyond the packed bytes is touched.
 */
#include "kernels/bitpacking.h"
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define BYTES_0_TO_7 0x0706050403020100

/* 0 to 7 in each lane's bytes, times `factor`: below 256, so that no byte carries. */
QC_AVX512 static inline __m512i byte_numbers(unsigned factor)
{
    return _mm512_set1_epi64((int64_t)(BYTES_0_TO_7 * factor));
}

/* The number of the lane in each of its bytes, times `factor`. */
QC_AVX512 static inline __m512i lane_numbers(unsigned factor)
{
    const int64_t ones = 0x0101010101010101;
    __m512i lanes =
        _mm512_setr_epi64(0, ones, 2 * ones, 3 * ones, 4 * ones, 5 * ones, 6 * ones, 7 * ones);
    return _mm512_mullo_epi16(lanes, _mm512_set1_epi16((short)factor));
}

QC_AVX512 size_t qc_unpack_avx512(const uint8_t *packed, size_t size, unsigned width,
                                  uint8_t *symbols, size_t count)
{
    const __mmask64 block = ((uint64_t)1 << 8 * width) - 1;
    const __m512i groups = _mm512_add_epi8(byte_numbers(1), lane_numbers(width));
    const __m512i shifts = byte_numbers(width);
    const __m512i mask = _mm512_set1_epi8((char)((1 << width) - 1));
    size_t i = 0;
    (void)size; /* masked loads read only what `count` symbols take */
    for (; count - i >= 64; i += 64, packed += 8 * width) {
        __m512i bytes = _mm512_maskz_loadu_epi8(block, packed);
        bytes = _mm512_permutexvar_epi8(groups, bytes);
        bytes = _mm512_multishift_epi64_epi8(shifts, bytes);
        _mm512_storeu_si512(symbols + i, _mm512_and_si512(bytes, mask));
    }
    return i;
}

/* ---- straight to items ---- */

/* Where the bits of 64 symbols go. Bytes are in the order of put_places (avx512.h), so that
   a 64-bit lane holds runs of symbols that follow each other: four runs of two for items of four
   bytes, two of four for items of two. Each run has all its bits in as many bytes of the lane, to
   which the bytes of the packed symbols are permuted; then one instruction shifts every symbol. */
typedef struct item_places {
    __m512i bytes, shifts;
} item_places;

QC_AVX512 static inline item_places places_of(unsigned bit, unsigned width, size_t size)
{
    uint8_t bytes[64], shifts[64];
    unsigned places = (unsigned)(64 / size), run = (unsigned)(8 / size);
    for (unsigned lane = 0; lane < 8; lane++)
        for (unsigned part = 0; part < size; part++) {
            unsigned first = bit + (part * places + lane * run) * width;
            for (unsigned i = 0; i < run; i++) {
                bytes[8 * lane + part * run + i] = (uint8_t)(first / 8 + i);
                shifts[8 * lane + size * i + part] =
                    (uint8_t)(8 * run * part + first % 8 + i * width);
            }
        }
    return (item_places){_mm512_loadu_si512(bytes), _mm512_loadu_si512(shifts)};
}

QC_AVX512_INLINE size_t unpack_items(const uint8_t *packed, size_t bytes, unsigned bit,
                                     unsigned width, const qc_item_run *run, size_t count,
                                     uint8_t *max, size_t size, int past_cache)
{
    const item_places places = places_of(bit, width, size);
    const __m512i mask = _mm512_set1_epi8((char)((1 << width) - 1));
    const __m512i items = _mm512_loadu_si512(run->table->items);
    const __mmask64 block = ~(uint64_t)0 >> (64 - 8 * width - (bit > 0));
    __m512i greatest = _mm512_setzero_si512();
    uint8_t *out = run->out;
    size_t i = 0;
    /* Masked loads read only what the symbols take. */
    const uint8_t *end = packed + bytes;
    for (; count - i >= 64; i += 64, packed += 8 * width, out += 64 * size) {
        __m512i symbols = _mm512_maskz_loadu_epi8(block, packed);
        qc_prefetch(packed, 1, end);
        symbols = _mm512_permutexvar_epi8(places.bytes, symbols);
        symbols = _mm512_multishift_epi64_epi8(places.shifts, symbols);
        symbols = _mm512_and_si512(symbols, mask);
        greatest = _mm512_max_epu8(greatest, symbols);
        put_places(symbols, items, size, out, past_cache);
    }
    uint8_t all[64];
    _mm512_storeu_si512(all, greatest);
    for (size_t at = 0; at < sizeof all; at++)
        *max = all[at] > *max ? all[at] : *max;
    return i;
}

QC_AVX512 size_t qc_unpack_items_avx512(const uint8_t *packed, size_t size, unsigned bit,
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
QC_AVX512 static inline __m512i gather(__m512i x, unsigned bits, unsigned half)
{
    __m512i lower = _mm512_set1_epi64((int64_t)qc_lower_fields(bits, half));
    __m512i upper = _mm512_srl_epi64(x, _mm_cvtsi32_si128((int)(half - bits)));
    __m512i place = _mm512_sll_epi64(lower, _mm_cvtsi32_si128((int)bits));
    return _mm512_or_si512(_mm512_and_si512(x, lower), _mm512_and_si512(upper, place));
}

QC_AVX512 size_t qc_pack_avx512(const uint8_t *symbols, size_t count, unsigned width,
                                uint8_t *packed)
{
    const __mmask64 used = UINT64_C(0x0101010101010101) * ((1u << width) - 1);
    const __mmask64 block = ((uint64_t)1 << 8 * width) - 1;
    size_t i = 0;
    for (; count - i >= 64; i += 64, packed += 8 * width) {
        __m512i x = _mm512_loadu_si512(symbols + i);
        x = gather(x, width, 8);
        x = gather(x, 2 * width, 16);
        x = gather(x, 4 * width, 32);
        _mm512_mask_storeu_epi8(packed, block, _mm512_maskz_compress_epi8(used, x));
    }
    return i;
}

#endif /* QC_HAS_AVX512 */
