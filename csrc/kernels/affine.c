/*
 * Affine codes to f32: the kernel, then the rest in portable C.
 */
#include "kernels/affine.h"
#include "kernels/kernels.h"

static inline void put(unsigned code, float scale, float zero, uint8_t *out)
{
    float value = scale * ((float)code - zero);
    memcpy(out, &value, sizeof value);
}

static void narrow(const uint8_t *codes, size_t count, float scale, float zero, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        put(codes[i], scale, zero, out + 4 * i);
}

static void wide(const uint8_t *codes, size_t count, float scale, float zero, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t code;
        memcpy(&code, codes + 2 * i, sizeof code);
        put(code, scale, zero, out + 4 * i);
    }
}

void qc_affine(const uint8_t *codes, unsigned width, size_t count, float scale, float zero,
               uint8_t *out, int past_cache)
{
    qc_affine_kernel *kernel = qc_kernels_selected()->affine;
    size_t done = 0;
    if (width > 8) {
        wide(codes, count, scale, zero, out);
        return;
    }
    if (kernel != NULL)
        done = kernel(codes, count, scale, zero, out, past_cache && qc_is_line(out));
    narrow(codes + done, count - done, scale, zero, out + 4 * done);
}
