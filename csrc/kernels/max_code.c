/*
 * The largest code: the kernel, then the rest in portable C.
 */
#include "kernels/max_code.h"
#include "kernels/kernels.h"

unsigned qc_max_code(const uint8_t *codes, size_t count)
{
    qc_max_code_kernel *kernel = qc_kernels_selected()->max_code;
    uint8_t max = 0; /* a byte, so that compilers compare many at a time */
    size_t done = kernel != NULL ? kernel(codes, count, &max) : 0;
    for (size_t i = done; i < count; i++)
        max = codes[i] > max ? codes[i] : max;
    return max;
}
