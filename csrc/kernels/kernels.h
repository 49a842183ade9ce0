/*
 * The kernels: the inner loops that instruction sets make faster. One table per instruction set
 * holds them all; nothing outside kernels.c chooses. A table is overlaid on that of the lesser set,
 * so where a set has no kernel of its own, it has the lesser set's.
 *
 * There are two sorts. A *partial* kernel does as much of its work as fills whole vectors and
 * returns how many elements that was; its caller does the rest in portable C. In the portable table
 * it is NULL. A *complete* kernel does all of its work, and the portable table has one too. Results
 * are the same bit for bit in every table.
 *
 * To add a kernel: its contract and a member here, the function in the folder of its set, its name
 * in kernels.c, and a check in tests/c/test_kernels.c, which counts the members.
 */
#ifndef QC_KERNELS_H
#define QC_KERNELS_H

#include "base/cpu.h"
#include "base/float_bits.h"
#include "kernels/histogram.h"
#include "kernels/lanes_pieces.h"
#include "kernels/lanes_state.h"
#include "kernels/look_up.h"
#include "kernels/planes.h"

/* ---- between codes and values: partial ---- */

/* Unpack symbols of 1 to 7 bits, up to `count` (a multiple of 8), reading inside the `size` bytes
   at `packed` (docs/format.md, section 7.2). */
typedef size_t qc_unpack_kernel(const uint8_t *packed, size_t size, unsigned width,
                                uint8_t *symbols, size_t count);

/* Write the items of up to `count` symbols of 1 to 4 bits, reading inside the `size` bytes at
   `packed`; the first symbol begins at bit `bit`, 0 to 7. Raise *max to the largest of the symbols
   that it did: whatever is written for symbols without an item is undefined. Ignores run->keep and
   run->kept. */
typedef size_t qc_unpack_items_kernel(const uint8_t *packed, size_t size, unsigned bit,
                                      unsigned width, const qc_item_run *run, size_t count,
                                      uint8_t *max);
#define QC_UNPACK_ITEMS_MAX_WIDTH 4

/* The inverse of unpack. Returns a multiple of 8 symbols. May write up to 8 bytes beyond theirs,
   but not beyond those of `count` symbols. */
typedef size_t qc_pack_kernel(const uint8_t *symbols, size_t count, unsigned width,
                              uint8_t *packed);

/* Raise *max to the largest of the codes that it did. */
typedef size_t qc_max_code_kernel(const uint8_t *codes, size_t count, uint8_t *max);

/* Kernels with `past_cache` use non-temporal stores if it is not 0; `out` is then a multiple of
   QC_LINE_BYTES, and qc_look_up_fence has to follow. */

/* out[i] = the table's item of codes[i]. May leave tables of more than QC_NO_PLANES items to its
   caller. */
typedef size_t qc_look_up_kernel(const qc_look_up_table *table, const uint8_t *codes, size_t count,
                                 uint8_t *out, int past_cache);

/* f32 number i = scale * (codes[i] - zero), rounded to `dtype` if that is f16 or bf16. */
typedef size_t qc_affine_kernel(const uint8_t *codes, size_t count, float scale, float zero,
                                qc_dtype dtype, uint8_t *out, int past_cache);

/* f32 number i = scales[i] * (floats[i] - zeros[i]), each operation rounded once, and rounded to
   `dtype` as above. `zeros` NULL: all are 0. `out` may be `floats`. */
typedef size_t qc_affine_each_kernel(const float *floats, const float *zeros, const float *scales,
                                     size_t count, qc_dtype dtype, uint8_t *out, int past_cache);

/* f32 number i = scale * element i, an f16 or a bf16; any alignment. */
typedef size_t qc_scale_kernel(const uint8_t *elements, size_t count, float scale, uint8_t *out,
                               int past_cache);

/* Elements of 1, 2 or 4 bytes, little-endian, from their planes, the most significant one first;
   all their bits are used. */
typedef size_t qc_merge_kernel(const uint8_t *const *planes, size_t count, qc_turn turn,
                               uint8_t *out, int past_cache);

/* f32 elements from those of their base and the quotients of the differences (docs/format.md,
   section 4, delta), except escapes: where codes[i] is 255, out is undefined. Low bits begin at bit
   *bit of `low`, and *bit is moved past those that it used; up to 24 bits per element and 64 more
   can be read. */
typedef size_t qc_add_delta_kernel(const uint8_t *base, const uint8_t *codes,
                                   const int32_t *quotients, size_t count, unsigned step,
                                   const uint8_t *low, size_t *bit, uint8_t *out);

/* Floats of 2 or 4 bytes, little-endian, from their planes: their upper 16 bits, rotated, are
   (planes[0] << rest_bits) + base + planes[1], where planes[1] is below 2^rest_bits. */
typedef size_t qc_join_floats_kernel(const uint8_t *const *planes, size_t count, unsigned rest_bits,
                                     uint16_t base, uint8_t *out, int past_cache);

/* f32, as bits, to f16 or bf16, as base/float_bits.h does. */
typedef size_t qc_narrow_kernel(const uint32_t *bits, size_t count, uint16_t *out);

/* f32, as bits, rounded to f16 or bf16, as base/float_bits.h does; `out` may be `bits`. */
typedef size_t qc_round_kernel(const uint32_t *bits, size_t count, uint8_t *out, int past_cache);

/* What floats become: multiples of a step, from `low` to `high`, plus `zero`. These are integers of
   magnitudes up to 255, and low + zero and high + zero are codes of a byte. */
typedef struct qc_byte_step {
    float inverse; /* 1 / step */
    float low, high, zero;
} qc_byte_step;

/* Steps with inverses in this range, which are neither subnormal nor make products so. */
#define QC_MIN_INVERSE 0x1p-100
#define QC_MAX_INVERSE 0x1p100

/* codes[i] = values[i] / step, clipped, rounded to the nearest integer, plus zero; NaN as `low`.
   Stops before a block in which a quotient is so close to the middle of two integers that the
   rounding of the inverse and of the product might decide. */
typedef size_t qc_byte_codes_kernel(const float *values, size_t count, const qc_byte_step *step,
                                    uint8_t *codes);

/* Raise the two maxima to the largest of the floats' bits, as signed and as unsigned integers. */
typedef struct qc_max_bits {
    int32_t as_signed;
    uint32_t as_unsigned;
} qc_max_bits;
typedef size_t qc_max_bits_kernel(const float *values, size_t count, qc_max_bits *max);

/* Floats that become the nearest multiples of a step, a power of two, from `low` to `high`. */
typedef struct qc_clipping_step {
    double step, inverse, low, high;
} qc_clipping_step;

/* Add squared errors to lane i % QC_ERROR_LANES: of clipping alone, and in all, each operation on
   doubles rounded once. Returns a multiple of QC_ERROR_LANES. */
#define QC_ERROR_LANES 8
typedef size_t qc_step_errors_kernel(const float *values, size_t count,
                                     const qc_clipping_step *step, double clipped[QC_ERROR_LANES],
                                     double all[QC_ERROR_LANES]);

/* Walk down a binary tree of `levels` levels (1 to 8): node n (from 1) is tree[n], and its children
   are 2n and, if the value is greater, 2n + 1. codes[i] is the leaf, counted from the left. */
typedef size_t qc_descend_kernel(const float *tree, unsigned levels, const float *values,
                                 size_t count, uint8_t *codes);

/* out[i] = position + gaps[0] + ... + gaps[i] + i: positions from the gaps between them. */
typedef size_t qc_sum_gaps_kernel(const uint16_t *gaps, size_t count, uint32_t position,
                                  uint32_t *out);

/* The positions of the set bits of `count` symbols of a mask, a multiple of QC_MASK_SYMBOLS of 4
   bits each; the first bit is at position `first`. Does all symbols, returns the number of
   positions, and may write up to QC_MASK_SLACK more. */
typedef size_t qc_mask_positions_kernel(const uint8_t *symbols, size_t count, uint32_t first,
                                        uint32_t *out);
#define QC_MASK_SYMBOLS 32
#define QC_MASK_SLACK   16

/* Some values that are nearly equal. */
typedef struct qc_value_bin {
    double sum;
    double count; /* beside the sum, so that one vector addition increases both */
} qc_value_bin;

/* How deviations, shrunk, are numbered; see numeric/kmeans_histogram.c. */
typedef struct qc_bin_scale {
    float centre;
    float offset;
    unsigned shift;
    int32_t base; /* the number of deviation 0, before it is subtracted */
} qc_bin_scale;

#define QC_SHRINK 0.25f /* so that deviations of finite values are finite */

/* The bin of number 0 is counted in this many bins in turn, so that a run of equal values, such as
   the zeros of pruned weights, does not wait for the last addition each time. */
#define QC_TURNS 8

/* Count values into the bins with numbers `first` to `last` around `zero`, in their order; value i
   of number 0 into bin in_turn + i % QC_TURNS. Stops before a block that has other numbers. */
typedef size_t qc_bin_values_kernel(const qc_bin_scale *by, int32_t first, int32_t last,
                                    const float *values, size_t count, int32_t in_turn,
                                    qc_value_bin *zero);

/* ---- lanes, decoded ---- */

/* Complete. Decode `turns` (at least 1) turns of 256 values (class values, before low bits and
   escapes) into `out`. At least turns * 256 + QC_LANES_SLACK bytes can be read at state->words: a
   turn takes at most one word per lane. Updates buffer, spare, state and words; ignores words_end.
 */
typedef void qc_lanes_decode_kernel(qc_lanes_state *state, uint8_t *out, size_t turns);

/* Partial: all turns, or none. The same, but the items of a table are written in place of the
   values, which are all below table->entries. There are at most QC_NO_PLANES classes. */
typedef size_t qc_lanes_items_kernel(qc_lanes_state *state, const qc_item_run *run, size_t turns);

/* Complete. Append the low bits of `count` symbols to their values: `out` holds values before, and
   symbols after. */
typedef void qc_lanes_add_low_bits_kernel(uint8_t *out, size_t count, const uint8_t *low,
                                          unsigned low_bits);

/* Partial. Replace each `escape` by the next of `left` literals, as long as these are below
   2^width. *used is set to the number of literals that were taken. */
typedef size_t qc_lanes_fill_escapes_kernel(uint8_t *out, size_t count, uint8_t escape,
                                            unsigned width, const uint8_t *literals, size_t left,
                                            size_t *used);

/* ---- lanes, encoded: complete ---- */

/* tANS: the pieces of all turns, from the last one back. `states` are the states after the last
   turn, and become those before the first. */
typedef void qc_tans_step_back_kernel(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                                      uint8_t states[QC_LANES], qc_lanes_pieces *pieces);

/* Write the words of all turns; each lane begins with its state, of `state_bits` bits. `refills`
   has room for QC_LANES bytes per turn. Returns the end of what was written. */
typedef uint8_t *qc_lanes_write_words_kernel(const qc_lanes_source *source,
                                             const uint8_t states[QC_LANES], unsigned state_bits,
                                             uint8_t *refills, uint8_t *out);

/* Write the low bits of whole blocks of QC_LANES_BLOCK symbols. Returns the end. */
typedef uint8_t *qc_lanes_write_low_bits_kernel(const uint8_t *symbols, size_t blocks,
                                                unsigned low_bits, uint8_t *out);

/* Write those symbols of whole blocks whose `is_escaped` is not 0. Returns the end. */
typedef uint8_t *qc_lanes_write_escapes_kernel(const uint8_t *symbols, size_t blocks,
                                               const uint8_t is_escaped[256], uint8_t *out);

/* ---- counts and checksums ---- */

/* Partial. Add the counts of as many whole blocks of symbols as it can to the histogram; returns a
   multiple of QC_HISTOGRAM_PARTS. May leave symbols of more than 4 bits to its caller. */
typedef size_t qc_count_blocks_kernel(const uint8_t *symbols, size_t count, unsigned width,
                                      qc_histogram histogram);

/* Complete. The CRC's register, which is the CRC before its final complement, after `size` bytes.
 */
typedef uint32_t qc_crc32c_kernel(uint32_t crc, const uint8_t *data, size_t size);

/* Partial. `folded` are QC_CRC32C_FOLD bytes that take a register of 0 to where all bytes before
   took it. Changes them so that this holds for those that it did, a multiple of QC_CRC32C_FOLD;
   fewer bytes than that are left. */
typedef size_t qc_crc32c_fold_kernel(uint8_t *folded, const uint8_t *data, size_t size);

/* Order non-temporal stores before all that follow; NULL where no kernel makes such stores. */
typedef void qc_order_stores_kernel(void);

/* ---- the tables ---- */

typedef struct qc_kernels {
    qc_unpack_kernel *unpack;
    qc_unpack_items_kernel *unpack_items;
    qc_pack_kernel *pack;
    qc_max_code_kernel *max_code;
    qc_look_up_kernel *look_up_2, *look_up_4; /* items of 2 and of 4 bytes */
    qc_affine_kernel *affine;
    qc_affine_each_kernel *affine_each;
    qc_scale_kernel *scale_f16, *scale_bf16;
    qc_merge_kernel *merge_1, *merge_2, *merge_4;
    qc_add_delta_kernel *add_delta_4;
    qc_join_floats_kernel *join_floats_2, *join_floats_4;
    qc_narrow_kernel *f16_of_f32, *bf16_of_f32;
    qc_round_kernel *round_to_f16, *round_to_bf16;
    qc_byte_codes_kernel *byte_codes;
    qc_max_bits_kernel *max_bits;
    qc_step_errors_kernel *step_errors;
    qc_descend_kernel *descend;
    qc_sum_gaps_kernel *sum_gaps;
    qc_mask_positions_kernel *mask_positions;
    qc_bin_values_kernel *bin_values;
    qc_lanes_decode_kernel *lanes_huffman, *lanes_tans;
    qc_lanes_items_kernel *lanes_huffman_items, *lanes_tans_items;
    qc_lanes_add_low_bits_kernel *lanes_add_low_bits;
    qc_lanes_fill_escapes_kernel *lanes_fill_escapes;
    qc_tans_step_back_kernel *tans_step_back;
    qc_lanes_write_words_kernel *lanes_write_words;
    qc_lanes_write_low_bits_kernel *lanes_write_low_bits;
    qc_lanes_write_escapes_kernel *lanes_write_escapes;
    qc_count_blocks_kernel *count_blocks;
    qc_crc32c_kernel *crc32c;
    qc_crc32c_fold_kernel *crc32c_fold;
    qc_order_stores_kernel *order_stores;
} qc_kernels;

/* The table of the selected instruction sets. */
const qc_kernels *qc_kernels_selected(void);

/* The table of some instruction sets (QC_CPU_...), which the machine must have together with the
   lesser ones; for tests. */
const qc_kernels *qc_kernels_of(uint32_t sets);

static inline int qc_is_line(const uint8_t *out) { return (uintptr_t)out % QC_LINE_BYTES == 0; }

/* f32 elements of `count` before the first one that begins a line: rows need not begin one. */
static inline size_t qc_before_line(const uint8_t *out, size_t count)
{
    size_t bytes = (size_t)(-(uintptr_t)out % QC_LINE_BYTES);
    return bytes % 4 != 0 || bytes / 4 > count ? 0 : bytes / 4;
}

/* ---- the functions, by the sets that have them ---- */

qc_unpack_kernel qc_unpack_avx2, qc_unpack_avx512, qc_unpack_neon;
qc_unpack_items_kernel qc_unpack_items_avx2, qc_unpack_items_avx512;
qc_pack_kernel qc_pack_avx2, qc_pack_avx512;
qc_max_code_kernel qc_max_code_avx2, qc_max_code_avx512;
qc_look_up_kernel qc_look_up_2_avx2, qc_look_up_2_avx512, qc_look_up_2_neon;
qc_look_up_kernel qc_look_up_4_avx2, qc_look_up_4_avx512, qc_look_up_4_neon;
qc_affine_kernel qc_affine_avx2, qc_affine_avx512;
qc_affine_each_kernel qc_affine_each_avx2, qc_affine_each_avx512;
qc_scale_kernel qc_scale_f16_avx2, qc_scale_f16_avx512;
qc_scale_kernel qc_scale_bf16_avx2, qc_scale_bf16_avx512;
qc_merge_kernel qc_merge_1_avx2, qc_merge_1_avx512;
qc_merge_kernel qc_merge_2_avx2, qc_merge_2_avx512;
qc_merge_kernel qc_merge_4_avx2, qc_merge_4_avx512;
qc_add_delta_kernel qc_add_delta_4_avx2;
qc_join_floats_kernel qc_join_floats_2_avx2, qc_join_floats_2_avx512;
qc_join_floats_kernel qc_join_floats_4_avx2, qc_join_floats_4_avx512;
qc_narrow_kernel qc_f16_of_f32_avx2, qc_f16_of_f32_avx512;
qc_narrow_kernel qc_bf16_of_f32_avx2, qc_bf16_of_f32_avx512;
qc_round_kernel qc_round_to_f16_avx2, qc_round_to_f16_avx512;
qc_round_kernel qc_round_to_bf16_avx2, qc_round_to_bf16_avx512;
qc_byte_codes_kernel qc_byte_codes_avx2, qc_byte_codes_avx512;
qc_max_bits_kernel qc_max_bits_avx2, qc_max_bits_avx512;
qc_step_errors_kernel qc_step_errors_avx2, qc_step_errors_avx512;
qc_descend_kernel qc_descend_avx2, qc_descend_avx512;
qc_sum_gaps_kernel qc_sum_gaps_avx2, qc_sum_gaps_avx512;
qc_mask_positions_kernel qc_mask_positions_avx2, qc_mask_positions_avx512;
qc_bin_values_kernel qc_bin_values_avx2;

qc_lanes_decode_kernel qc_lanes_huffman_portable, qc_lanes_huffman_avx2, qc_lanes_huffman_avx512,
    qc_lanes_huffman_neon;
qc_lanes_decode_kernel qc_lanes_tans_portable, qc_lanes_tans_avx2, qc_lanes_tans_avx512,
    qc_lanes_tans_neon;
/* What the two without "wide" leave to these: 256 states, or more than 16 classes. */
qc_lanes_decode_kernel qc_lanes_tans_wide_avx2, qc_lanes_tans_wide_neon;
qc_lanes_items_kernel qc_lanes_huffman_items_avx2, qc_lanes_huffman_items_avx512,
    qc_lanes_tans_items_avx2, qc_lanes_tans_items_avx512;
qc_lanes_add_low_bits_kernel qc_lanes_add_low_bits_portable, qc_lanes_add_low_bits_avx2,
    qc_lanes_add_low_bits_avx512, qc_lanes_add_low_bits_neon;
qc_lanes_fill_escapes_kernel qc_lanes_fill_escapes_avx512;

qc_tans_step_back_kernel qc_tans_step_back_portable, qc_tans_step_back_avx2,
    qc_tans_step_back_avx512;
qc_lanes_write_words_kernel qc_lanes_write_words_portable, qc_lanes_write_words_avx2,
    qc_lanes_write_words_avx512;
qc_lanes_write_low_bits_kernel qc_lanes_write_low_bits_portable, qc_lanes_write_low_bits_avx2,
    qc_lanes_write_low_bits_avx512;
qc_lanes_write_escapes_kernel qc_lanes_write_escapes_portable, qc_lanes_write_escapes_avx2,
    qc_lanes_write_escapes_avx512;

qc_count_blocks_kernel qc_count_blocks_avx2, qc_count_blocks_avx512;
qc_crc32c_kernel qc_crc32c_portable, qc_crc32c_sse42, qc_crc32c_arm;
qc_crc32c_fold_kernel qc_crc32c_fold_avx512;
qc_order_stores_kernel qc_order_stores_avx2;

#endif /* QC_KERNELS_H */
