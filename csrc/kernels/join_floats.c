/*
 * Floats from their planes: the kernel, then the rest in portable C.
 */
#include "kernels/join_floats.h"
#include "kernels/kernels.h"

/* Elements [from, count). */
static inline void join_size(const uint8_t *const *planes, size_t from, size_t count, size_t size,
                             unsigned rest_bits, unsigned base, uint8_t *out)
{
    for (size_t i = from; i < count; i++) {
        uint64_t word = (uint16_t)(((unsigned)planes[0][i] << rest_bits) + base + planes[1][i]);
        for (size_t plane = 2; plane < size; plane++)
            word = word << 8 | planes[plane][i];
        word = word >> 1 | (word & 1) << (8 * size - 1);
        for (size_t byte = 0; byte < size; byte++)
            out[i * size + byte] = (uint8_t)(word >> 8 * byte);
    }
}

void qc_join_floats(const uint8_t *const *planes, size_t count, size_t size, unsigned rest_bits,
                    uint16_t base, uint8_t *out, int past_cache)
{
    const qc_kernels *kernels = qc_kernels_selected();
    qc_join_floats_kernel *kernel = size == 2   ? kernels->join_floats_2
                                    : size == 4 ? kernels->join_floats_4
                                                : NULL;
    size_t done = 0;
    if (kernel != NULL)
        done = kernel(planes, count, rest_bits, base, out, past_cache && qc_is_line(out));
    switch (size) { /* constants, so that the loops over bytes vanish */
    case 2: join_size(planes, done, count, 2, rest_bits, base, out); break;
    case 4: join_size(planes, done, count, 4, rest_bits, base, out); break;
    default: join_size(planes, done, count, 8, rest_bits, base, out);
    }
}
