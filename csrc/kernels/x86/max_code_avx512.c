#include "kernels/kernels.h"
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

QC_AVX512 size_t qc_greatest_avx512(const uint8_t *codes, size_t count, uint8_t *greatest)
{
    __m512i found = _mm512_setzero_si512();
    uint8_t bytes[64];
    size_t i = 0;
    for (; count - i >= 64; i += 64)
        found = _mm512_max_epu8(found, _mm512_loadu_si512((const void *)(codes + i)));
    _mm512_storeu_si512((void *)bytes, found);
    for (size_t byte = 0; byte < sizeof bytes; byte++)
        *greatest = bytes[byte] > *greatest ? bytes[byte] : *greatest;
    return i;
}

#endif /* QC_HAS_AVX512 */
