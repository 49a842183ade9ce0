/*
 * The fastest way to store values other than zero: no decoder that writes floats can be faster.
 * Zeros are unsuitable, because some machines treat lines of zeros specially.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

/* Fill `size` bytes (a multiple of 64 at an address of one) with non-temporal stores. */
void store_bound(uint8_t *out, size_t size)
{
    const __m128i value = _mm_set1_epi32(0x3f8ccccd);
    for (size_t i = 0; i < size; i += 64) {
        _mm_stream_si128((__m128i *)(out + i), value);
        _mm_stream_si128((__m128i *)(out + i + 16), value);
        _mm_stream_si128((__m128i *)(out + i + 32), value);
        _mm_stream_si128((__m128i *)(out + i + 48), value);
    }
    _mm_sfence();
}
#else
/* Fill `size` bytes (a multiple of 64) with plain stores, for want of others in standard C. */
void store_bound(uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i += 64)
        memset(out + i, 0x3f, 64);
}
#endif
