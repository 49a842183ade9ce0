/*
 * Elements from their planes: the kernel, then the rest in portable C.
 */
#include "kernels/planes.h"
#include "kernels/kernels.h"

static inline void merge_size(const uint8_t *const *planes, size_t from, size_t count, size_t size,
                              int rotated, uint8_t *out)
{
    size_t bits = 8 * size;
    for (size_t i = from; i < count; i++) {
        uint64_t word = 0;
        for (size_t plane = 0; plane < size; plane++)
            word = word << 8 | planes[plane][i];
        if (rotated)
            word = word >> 1 | (word & 1) << (bits - 1);
        for (size_t byte = 0; byte < size; byte++)
            *out++ = (uint8_t)(word >> 8 * byte);
    }
}

/* Elements [from, count), to `out`. */
static void merge(const uint8_t *const *planes, size_t from, size_t count, size_t size, int rotated,
                  uint8_t *out)
{
    /* The size is a constant in each call, so that the loops over bytes vanish. */
    switch (size) {
    case 2: merge_size(planes, from, count, 2, rotated, out); break;
    case 4: merge_size(planes, from, count, 4, rotated, out); break;
    case 8: merge_size(planes, from, count, 8, rotated, out); break;
    default: merge_size(planes, from, count, size, rotated, out);
    }
}

void qc_merge_planes(const uint8_t *const *planes, size_t count, size_t size, int rotated,
                     uint8_t *out, int past_cache)
{
    const qc_kernels *kernels = qc_kernels_selected();
    qc_merge_kernel *kernel = size == 4 ? kernels->merge_4 : size == 2 ? kernels->merge_2 : NULL;
    size_t done = 0;
    if (kernel != NULL)
        done = kernel(planes, count, rotated, out, past_cache && qc_is_line(out));
    merge(planes, done, count, size, rotated, out + done * size);
}
