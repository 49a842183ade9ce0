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

QC_AVX2 static inline placing place(unsigned first_bit, unsigned step)
{
    const __m128i powers_of_shift =
        _mm_setr_epi8(0, -128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0);
    __m128i bit =
        _mm_mullo_epi16(_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7), _mm_set1_epi16((short)step));
    bit = _mm_add_epi16(bit, _mm_set1_epi16((short)first_bit));
    __m128i byte = _mm_srli_epi16(bit, 3), shift = _mm_and_si128(bit, _mm_set1_epi16(7));
    byte = _mm_or_si128(byte, _mm_slli_epi16(_mm_add_epi16(byte, _mm_set1_epi16(1)), 8));
    /* Both bytes of a power from one table: the upper one is 1 for shift 0, which is at 8. */
    shift = _mm_or_si128(shift, _mm_slli_epi16(_mm_add_epi16(shift, _mm_set1_epi16(8)), 8));
    return (placing){_mm256_broadcastsi128_si256(byte),
                     _mm256_broadcastsi128_si256(_mm_shuffle_epi8(powers_of_shift, shift))};
}

QC_AVX2 static inline __m256i load_halves(const uint8_t *low, const uint8_t *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

/* The symbols of `placing`, and bits that do not belong to them, in the upper bytes. */
QC_AVX2 static inline __m256i take(__m256i packed, placing placing)
{
    return _mm256_mullo_epi16(_mm256_shuffle_epi8(packed, placing.bytes), placing.powers);
}

QC_AVX2 size_t qc_unpack_avx2(const uint8_t *packed, size_t size, unsigned width, uint8_t *symbols,
                              size_t count)
{
    const placing even = place(0, 2 * width), odd = place(width, 2 * width);
    const __m256i mask = _mm256_set1_epi8((char)((1 << width) - 1));
    const __m256i upper = _mm256_set1_epi16((short)0xFF00);
    size_t i = 0;
    /* 16 symbols are 2 * width bytes, of which 16 are loaded. */
    for (size_t at = 0; count - i >= 32 && size - at >= 2 * width + 16; i += 32, at += 4 * width) {
        __m256i bytes = load_halves(packed + at, packed + at + 2 * width);
        __m256i first = _mm256_srli_epi16(take(bytes, even), 8);
        __m256i second = _mm256_and_si256(take(bytes, odd), upper);
        _mm256_storeu_si256((__m256i *)(symbols + i),
                            _mm256_and_si256(_mm256_or_si256(first, second), mask));
    }
    return i;
}

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
