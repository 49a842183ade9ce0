/*
 * The vector kernels between codes and values: one table an instruction set, of which some entries
 * may be NULL. A kernel does as much of its work as fills whole vectors and returns how many
 * elements that was; its caller, one door a task, does the rest in portable C. So every kernel can
 * be left out, and all have the same result.
 */
#ifndef QC_VALUE_KERNELS_H
#define QC_VALUE_KERNELS_H

#include "kernels/look_up.h"

/* Unpack symbols of 1 to 7 bits, up to `count` (a multiple of 8), reading inside the `size` bytes
   at `packed` (docs/format.md, section 7.2). */
typedef size_t qc_unpack_kernel(const uint8_t *packed, size_t size, unsigned width,
                                uint8_t *symbols, size_t count);

/* The inverse. Writes only whole groups of 8 symbols. */
typedef size_t qc_pack_kernel(const uint8_t *symbols, size_t count, unsigned width,
                              uint8_t *packed);

/* Raise *greatest to the greatest code. */
typedef size_t qc_greatest_kernel(const uint8_t *codes, size_t count, uint8_t *greatest);

/* Kernels with `past_cache` then use non-temporal stores; `out` is then a multiple of
   QC_LINE_BYTES. */

/* out[i] = the table's item of codes[i]. */
typedef size_t qc_look_up_kernel(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache);

/* f32 number i = scale * (codes[i] - zero). */
typedef size_t qc_affine_kernel(const uint8_t *codes, size_t count, float scale, float zero,
                                uint8_t *out, int past_cache);

/* Elements of 2 or 4 bytes, little-endian, from their planes; the most significant one first.
   `rotated`: right by one bit. */
typedef size_t qc_merge_kernel(const uint8_t *const *planes, size_t count, int rotated,
                               uint8_t *out, int past_cache);

/* f32 elements from those of their base and the quotients of the differences (docs/format.md,
   section 4, delta), all but the escapes, of which `codes` tells. Low bits begin at *bit of `low`,
   which it adds to; up to 24 bits an element and 64 more are there. */
typedef size_t qc_add_delta_kernel(const uint8_t *base, const uint8_t *codes,
                                   const int32_t *quotients, size_t count, unsigned step,
                                   const uint8_t *low, size_t *bit, uint8_t *out);

/* Kind fields: the bytes of (symbol << rest_bits) + base + rest. */
typedef size_t qc_join_fields_kernel(const uint8_t *symbols, const uint8_t *rest, size_t count,
                                     unsigned rest_bits, uint16_t base, uint8_t *upper,
                                     uint8_t *lower);

/* f32, as bits, to f16 or bf16. */
typedef size_t qc_narrow_kernel(const uint32_t *bits, size_t count, uint16_t *out);

/* The number of nodes on the way down a binary tree: of its `levels` levels, node n (from 1) is at
   tree[n] and leads to node 2n, or 2n + 1 if the value is greater; codes[i] is the leaf, counted
   from the left. */
typedef size_t qc_descend_kernel(const float *tree, unsigned levels, const float *values,
                                 size_t count, uint8_t *codes);

/* out[i] = position + the sum of gaps[0 .. i] + i: where gaps lead that start at `position`. */
typedef size_t qc_sum_gaps_kernel(const uint16_t *gaps, size_t count, uint32_t position,
                                  uint32_t *out);

/* The positions of the set bits of `count` symbols of a mask, a multiple of QC_MASK_SYMBOLS of 4
   bits each, the first bit being at `first`. Does all of them, returns the number of positions, and
   may write up to QC_MASK_SLACK more. */
typedef size_t qc_mask_positions_kernel(const uint8_t *symbols, size_t count, uint32_t first,
                                        uint32_t *out);
#define QC_MASK_SYMBOLS 32
#define QC_MASK_SLACK   16

/* Some values that are nearly equal. */
typedef struct qc_value_bin {
    double sum;
    double count; /* beside the sum, so that both grow in one vector */
} qc_value_bin;

/* How deviations, shrunk, are numbered; see numeric/kmeans_histogram.c. */
typedef struct qc_bin_scale {
    float centre;
    float offset;
    unsigned shift;
    int32_t base; /* the number of deviation 0, before it is taken off */
} qc_bin_scale;

#define QC_SHRINK 0.25f /* so that deviations of finite values are finite */

/* The bin of number 0 is counted in so many, in turn: a run of equal values, as zeros in pruned
   weights, need not wait for it each time. */
#define QC_TURNS 8

/* Count values into bins with numbers from `first` to `last` around `zero`, in their order; value i
   of number 0 into bin in_turn + i % QC_TURNS. Stops before a block that has other numbers. */
typedef size_t qc_bin_values_kernel(const qc_bin_scale *by, int32_t first, int32_t last,
                                    const float *values, size_t count, int32_t in_turn,
                                    qc_value_bin *zero);

typedef struct qc_value_kernels {
    qc_unpack_kernel *unpack;
    qc_pack_kernel *pack;
    qc_greatest_kernel *greatest;
    qc_look_up_kernel *look_up_2, *look_up_4; /* by the bytes of an item */
    qc_affine_kernel *affine;
    qc_merge_kernel *merge_2, *merge_4;
    qc_add_delta_kernel *add_delta_4;
    qc_join_fields_kernel *join_fields;
    qc_narrow_kernel *to_f16, *to_bf16;
    qc_descend_kernel *descend;
    qc_sum_gaps_kernel *sum_gaps;
    qc_mask_positions_kernel *mask_positions;
    qc_bin_values_kernel *bin_values;
} qc_value_kernels;

static inline int qc_is_line(const uint8_t *out) { return (uintptr_t)out % QC_LINE_BYTES == 0; }

/* Those of the selected instruction sets. */
const qc_value_kernels *qc_value_kernels_selected(void);

qc_unpack_kernel qc_unpack_avx2, qc_unpack_avx512, qc_unpack_neon;
qc_pack_kernel qc_pack_avx2, qc_pack_avx512;
qc_greatest_kernel qc_greatest_avx2, qc_greatest_avx512;
qc_look_up_kernel qc_look_up_2_avx2, qc_look_up_2_avx512, qc_look_up_2_neon;
qc_look_up_kernel qc_look_up_4_avx2, qc_look_up_4_avx512, qc_look_up_4_neon;
qc_affine_kernel qc_affine_avx2, qc_affine_avx512;
qc_merge_kernel qc_merge_2_avx2, qc_merge_2_avx512;
qc_merge_kernel qc_merge_4_avx2, qc_merge_4_avx512;
qc_add_delta_kernel qc_add_delta_4_avx2;
qc_join_fields_kernel qc_join_fields_avx2, qc_join_fields_avx512;
qc_narrow_kernel qc_f16_of_f32_avx2, qc_f16_of_f32_avx512;
qc_narrow_kernel qc_bf16_of_f32_avx2, qc_bf16_of_f32_avx512;
qc_descend_kernel qc_descend_avx2, qc_descend_avx512;
qc_sum_gaps_kernel qc_sum_gaps_avx2, qc_sum_gaps_avx512;
qc_mask_positions_kernel qc_mask_positions_avx2, qc_mask_positions_avx512;
qc_bin_values_kernel qc_bin_values_avx2;

#endif /* QC_VALUE_KERNELS_H */
