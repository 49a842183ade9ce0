#include "kernels/max_code.h"
#include "kernels/kernels.h"

unsigned qc_greatest(const uint8_t *codes, size_t count)
{
    qc_greatest_kernel *kernel = qc_value_kernels_selected()->greatest;
    uint8_t greatest = 0; /* a byte, so that compilers compare many at a time */
    size_t done = kernel != NULL ? kernel(codes, count, &greatest) : 0;
    for (size_t i = done; i < count; i++)
        greatest = codes[i] > greatest ? codes[i] : greatest;
    return greatest;
}
