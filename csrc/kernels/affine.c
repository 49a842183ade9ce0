/*
 * Affine codes to f32: the kernel, then the rest in portable C.
 */
#include "kernels/affine.h"
#include "kernels/kernels.h"

/* An affine code's value, before it is rounded to `dtype`. */
typedef struct line {
    float scale, zero;
    qc_dtype dtype;
} line;

static inline void put(unsigned code, line line, uint8_t *out)
{
    uint32_t bits = qc_bits_of_f32(line.scale * ((float)code - line.zero));
    bits = qc_round_to(line.dtype, bits);
    memcpy(out, &bits, sizeof bits);
}

static inline void put_all(const uint8_t *codes, int is_wide, size_t count, line line, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t code = codes[is_wide ? 0 : i];
        if (is_wide)
            memcpy(&code, codes + 2 * i, sizeof code);
        put(code, line, out + 4 * i);
    }
}

/* The dtype is a constant in each loop, so that most of them become vector code. */
static inline void put_rest(const uint8_t *codes, int is_wide, size_t count, line line,
                            uint8_t *out)
{
    switch (line.dtype) {
    case QC_F16:
        line.dtype = QC_F16;
        put_all(codes, is_wide, count, line, out);
        break;
    case QC_BF16:
        line.dtype = QC_BF16;
        put_all(codes, is_wide, count, line, out);
        break;
    default: line.dtype = QC_F32; put_all(codes, is_wide, count, line, out);
    }
}

void qc_affine(const uint8_t *codes, unsigned width, size_t count, float scale, float zero,
               qc_dtype dtype, uint8_t *out, int past_cache)
{
    qc_affine_kernel *kernel = qc_kernels_selected()->affine;
    const line line = {scale, zero, dtype};
    size_t done = 0;
    if (width > 8) {
        put_rest(codes, 1, count, line, out);
        return;
    }
    if (kernel != NULL)
        done = kernel(codes, count, scale, zero, dtype, out, past_cache && qc_is_line(out));
    put_rest(codes + done, 0, count - done, line, out + 4 * done);
}

/* ---- a scale and a zero point for each element ---- */

static inline void put_each(const float *floats, const float *zeros, const float *scales,
                            size_t from, size_t count, qc_dtype dtype, uint8_t *out)
{
    for (size_t i = from; i < count; i++) {
        float step = zeros != NULL ? floats[i] - zeros[i] : floats[i];
        uint32_t bits = qc_round_to(dtype, qc_bits_of_f32(scales[i] * step));
        memcpy(out + 4 * i, &bits, sizeof bits);
    }
}

void qc_affine_each(const float *floats, const float *zeros, const float *scales, size_t count,
                    qc_dtype dtype, uint8_t *out, int past_cache)
{
    qc_affine_each_kernel *kernel = qc_kernels_selected()->affine_each;
    size_t done = past_cache && kernel != NULL ? qc_before_line(out, count) : 0;
    if (done > 0) /* by the rest of this function */
        qc_affine_each(floats, zeros, scales, done, dtype, out, 0);
    if (kernel != NULL)
        done +=
            kernel(floats + done, zeros != NULL ? zeros + done : NULL, scales + done, count - done,
                   dtype, out + 4 * done, past_cache && qc_is_line(out + 4 * done));
    switch (dtype) { /* constants in the loops */
    case QC_F16: put_each(floats, zeros, scales, done, count, QC_F16, out); break;
    case QC_BF16: put_each(floats, zeros, scales, done, count, QC_BF16, out); break;
    default: put_each(floats, zeros, scales, done, count, QC_F32, out);
    }
}
