/*
 * Elements from their planes: the kernel, then the rest in portable C.
 */
#include "kernels/planes.h"
#include "kernels/kernels.h"

static inline void merge_size(const uint8_t *const *planes, size_t from, size_t count, size_t size,
                              qc_turn turn, unsigned bits, uint8_t *out)
{
    for (size_t i = from; i < count; i++) {
        uint64_t word = 0;
        for (size_t plane = 0; plane < size; plane++)
            word = word << 8 | planes[plane][i];
        if (turn == QC_ROTATED)
            word = word >> 1 | (word & 1) << (bits - 1);
        else if (turn == QC_OFFSET)
            word ^= (uint64_t)1 << (bits - 1);
        for (size_t byte = 0; byte < size; byte++)
            *out++ = (uint8_t)(word >> 8 * byte);
    }
}

/* Elements [from, count), to `out`. */
static void merge(const uint8_t *const *planes, size_t from, size_t count, size_t size,
                  qc_turn turn, unsigned bits, uint8_t *out)
{
    /* The size is a constant in each call, so that the loops over bytes vanish. */
    switch (size) {
    case 1: merge_size(planes, from, count, 1, turn, bits, out); break;
    case 2: merge_size(planes, from, count, 2, turn, bits, out); break;
    case 4: merge_size(planes, from, count, 4, turn, bits, out); break;
    default: merge_size(planes, from, count, size, turn, bits, out);
    }
}

void qc_merge_planes(const uint8_t *const *planes, size_t count, qc_dtype dtype, uint8_t *out,
                     int past_cache)
{
    const qc_kernels *kernels = qc_kernels_selected();
    size_t size = qc_dtype_size(dtype), done = 0;
    unsigned bits = qc_dtype_bits(dtype);
    qc_turn turn = qc_turn_of(dtype);
    qc_merge_kernel *kernel = size == 4   ? kernels->merge_4
                              : size == 2 ? kernels->merge_2
                              : bits == 8 ? kernels->merge_1
                                          : NULL;
    if (kernel != NULL)
        done = kernel(planes, count, turn, out, past_cache && qc_is_line(out));
    merge(planes, done, count, size, turn, bits, out + done * size);
}
