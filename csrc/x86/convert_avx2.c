/*
 * The portable loops, compiled for wider registers: whole vectors of eight, so that the compiler
 * makes vector code of them, and the same bits because it is the same arithmetic.
 */
#include "../float_bits.h"
#include "../value_kernels.h"
#include "avx2.h"

#if QC_HAS_AVX2

#define WHOLE(count) ((count) & ~(size_t)15)

QC_AVX2 size_t qc_affine_avx2(const uint8_t *codes, size_t count, float scale, float zero,
                              float *out)
{
    for (size_t i = 0; i < WHOLE(count); i++)
        out[i] = scale * ((float)codes[i] - zero);
    return WHOLE(count);
}

QC_AVX2 size_t qc_f16_of_f32_avx2(const uint32_t *bits, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < WHOLE(count); i++)
        out[i] = (uint16_t)qc_f16_of_f32(bits[i]);
    return WHOLE(count);
}

QC_AVX2 size_t qc_bf16_of_f32_avx2(const uint32_t *bits, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < WHOLE(count); i++)
        out[i] = (uint16_t)qc_bf16_of_f32(bits[i]);
    return WHOLE(count);
}

#endif /* QC_HAS_AVX2 */
