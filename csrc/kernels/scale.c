/*
 * Floats of 16 bits times a scale, to f32: the kernel, then the rest in portable C.
 */
#include "kernels/scale.h"
#include "kernels/kernels.h"

static inline void put(uint32_t bits, float scale, uint8_t *out)
{
    float value = scale * qc_f32_of_bits(bits);
    memcpy(out, &value, sizeof value);
}

static inline uint16_t element_at(const uint8_t *elements, size_t i)
{
    uint16_t element;
    memcpy(&element, elements + 2 * i, sizeof element);
    return element;
}

static void scale_slowly(const uint8_t *elements, qc_dtype dtype, size_t count, float scale,
                         uint8_t *out)
{
    if (dtype == QC_F16)
        for (size_t i = 0; i < count; i++)
            put(qc_f32_of_f16(element_at(elements, i)), scale, out + 4 * i);
    else
        for (size_t i = 0; i < count; i++)
            put(qc_f32_of_bf16(element_at(elements, i)), scale, out + 4 * i);
}

void qc_scale(const uint8_t *elements, qc_dtype dtype, size_t count, float scale, uint8_t *out,
              int past_cache)
{
    const qc_kernels *kernels = qc_kernels_selected();
    qc_scale_kernel *kernel = dtype == QC_F16 ? kernels->scale_f16 : kernels->scale_bf16;
    size_t done = past_cache && kernel != NULL ? qc_before_line(out, count) : 0;
    scale_slowly(elements, dtype, done, scale, out);
    elements += 2 * done;
    out += 4 * done;
    count -= done;
    done = kernel != NULL ? kernel(elements, count, scale, out, past_cache && qc_is_line(out)) : 0;
    scale_slowly(elements + 2 * done, dtype, count - done, scale, out + 4 * done);
}
