/*
 * Floats rounded to a type of 16 bits: the kernel, then the rest in portable C.
 */
#include "kernels/round.h"
#include "kernels/kernels.h"

static inline void round_rest(const float *floats, qc_dtype dtype, size_t first, size_t count,
                              uint8_t *out)
{
    for (size_t i = first; i < count; i++) {
        uint32_t bits; /* never as a float: an x87 makes signalling NaNs quiet */
        memcpy(&bits, floats + i, sizeof bits);
        bits = qc_round_to(dtype, bits);
        memcpy(out + 4 * i, &bits, sizeof bits);
    }
}

void qc_round(const float *floats, qc_dtype dtype, size_t count, uint8_t *out, int past_cache)
{
    const qc_kernels *kernels = qc_kernels_selected();
    qc_round_kernel *kernel = dtype == QC_F16 ? kernels->round_to_f16 : kernels->round_to_bf16;
    size_t done = 0;
    if (kernel != NULL)
        done = kernel((const uint32_t *)floats, count, out, past_cache && qc_is_line(out));
    if (dtype == QC_F16) /* a constant in each loop */
        round_rest(floats, QC_F16, done, count, out);
    else
        round_rest(floats, QC_BF16, done, count, out);
}
