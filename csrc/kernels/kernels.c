/*
 * The one choice of kernels. Each set below lists the kernels that it has of its own; a table is
 * the lists of a set and of those below it, one after the other, and where two name the same
 * member, the later one counts (C11, 6.7.9). So a kernel that a set lacks is that of the lesser
 * vector set, and only if there is none, the portable one. After dav1d's tables of functions, with
 * constants in place of tables that are filled at run time.
 */
#include <float.h>

#include "kernels/kernels.h"

/* A set replaces members of the lesser ones, which compilers warn of as a slip. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

/* The complete kernels. */
#define PORTABLE                                                                                   \
    .lanes_huffman = qc_lanes_huffman_portable, .lanes_tans = qc_lanes_tans_portable,              \
    .lanes_add_low_bits = qc_lanes_add_low_bits_portable,                                          \
    .tans_step_back = qc_tans_step_back_portable,                                                  \
    .lanes_write_words = qc_lanes_write_words_portable,                                            \
    .lanes_write_low_bits = qc_lanes_write_low_bits_portable,                                      \
    .lanes_write_escapes = qc_lanes_write_escapes_portable, .crc32c = qc_crc32c_portable,

/* Sums of doubles: on i686 the loops of C keep bits that a double has not, so no kernel gives the
   same. */
#if FLT_EVAL_METHOD == 0
#define STEP_ERRORS(set) .step_errors = qc_step_errors_##set,
#else
#define STEP_ERRORS(set)
#endif

#if QC_HAS_SSE42
#define SSE42 .crc32c = qc_crc32c_sse42,
#else
#define SSE42
#endif

#if QC_HAS_AVX2
#define AVX2                                                                                       \
    .unpack = qc_unpack_avx2, .unpack_items = qc_unpack_items_avx2, .pack = qc_pack_avx2,          \
    .max_code = qc_max_code_avx2, .look_up_2 = qc_look_up_2_avx2, .look_up_4 = qc_look_up_4_avx2,  \
    .affine = qc_affine_avx2, .affine_each = qc_affine_each_avx2, .merge_1 = qc_merge_1_avx2,      \
    .merge_2 = qc_merge_2_avx2, .merge_4 = qc_merge_4_avx2, .scale_f16 = qc_scale_f16_avx2,        \
    .scale_bf16 = qc_scale_bf16_avx2, .add_delta_4 = qc_add_delta_4_avx2,                          \
    .join_floats_2 = qc_join_floats_2_avx2, .join_floats_4 = qc_join_floats_4_avx2,                \
    .f16_of_f32 = qc_f16_of_f32_avx2, .bf16_of_f32 = qc_bf16_of_f32_avx2,                          \
    .round_to_f16 = qc_round_to_f16_avx2, .round_to_bf16 = qc_round_to_bf16_avx2,                  \
    .byte_codes = qc_byte_codes_avx2, .max_bits = qc_max_bits_avx2,                                \
    STEP_ERRORS(avx2).descend = qc_descend_avx2, .sum_gaps = qc_sum_gaps_avx2,                     \
    .mask_positions = qc_mask_positions_avx2, .bin_values = qc_bin_values_avx2,                    \
    .lanes_huffman = qc_lanes_huffman_avx2, .lanes_tans = qc_lanes_tans_avx2,                      \
    .lanes_huffman_items = qc_lanes_huffman_items_avx2,                                            \
    .lanes_tans_items = qc_lanes_tans_items_avx2,                                                  \
    .lanes_add_low_bits = qc_lanes_add_low_bits_avx2, .tans_step_back = qc_tans_step_back_avx2,    \
    .lanes_write_words = qc_lanes_write_words_avx2,                                                \
    .lanes_write_low_bits = qc_lanes_write_low_bits_avx2,                                          \
    .lanes_write_escapes = qc_lanes_write_escapes_avx2, .count_blocks = qc_count_blocks_avx2,      \
    .order_stores = qc_order_stores_avx2,
#else
#define AVX2
#endif

/* AVX2's add_delta_4 waits for loads and its bin_values for the bins, not for numbers: wider ones
   would be no faster. */
#if QC_HAS_AVX512
#define AVX512                                                                                     \
    .unpack = qc_unpack_avx512, .unpack_items = qc_unpack_items_avx512, .pack = qc_pack_avx512,    \
    .max_code = qc_max_code_avx512, .look_up_2 = qc_look_up_2_avx512,                              \
    .look_up_4 = qc_look_up_4_avx512, .affine = qc_affine_avx512,                                  \
    .affine_each = qc_affine_each_avx512, .merge_1 = qc_merge_1_avx512,                            \
    .merge_2 = qc_merge_2_avx512, .merge_4 = qc_merge_4_avx512,                                    \
    .join_floats_2 = qc_join_floats_2_avx512, .join_floats_4 = qc_join_floats_4_avx512,            \
    .scale_f16 = qc_scale_f16_avx512, .scale_bf16 = qc_scale_bf16_avx512,                          \
    .f16_of_f32 = qc_f16_of_f32_avx512, .bf16_of_f32 = qc_bf16_of_f32_avx512,                      \
    .round_to_f16 = qc_round_to_f16_avx512, .round_to_bf16 = qc_round_to_bf16_avx512,              \
    .byte_codes = qc_byte_codes_avx512, .max_bits = qc_max_bits_avx512,                            \
    STEP_ERRORS(avx512).descend = qc_descend_avx512, .sum_gaps = qc_sum_gaps_avx512,               \
    .mask_positions = qc_mask_positions_avx512, .lanes_huffman = qc_lanes_huffman_avx512,          \
    .lanes_tans = qc_lanes_tans_avx512, .lanes_huffman_items = qc_lanes_huffman_items_avx512,      \
    .lanes_tans_items = qc_lanes_tans_items_avx512,                                                \
    .lanes_add_low_bits = qc_lanes_add_low_bits_avx512,                                            \
    .lanes_fill_escapes = qc_lanes_fill_escapes_avx512,                                            \
    .tans_step_back = qc_tans_step_back_avx512, .lanes_write_words = qc_lanes_write_words_avx512,  \
    .lanes_write_low_bits = qc_lanes_write_low_bits_avx512,                                        \
    .lanes_write_escapes = qc_lanes_write_escapes_avx512, .count_blocks = qc_count_blocks_avx512,  \
    .crc32c_fold = qc_crc32c_fold_avx512,
#else
#define AVX512
#endif

/* Compilers make NEON of affine codes and planes by themselves; the others are not written. */
#if QC_HAS_NEON
#define NEON                                                                                       \
    .unpack = qc_unpack_neon, .look_up_2 = qc_look_up_2_neon, .look_up_4 = qc_look_up_4_neon,      \
    .lanes_huffman = qc_lanes_huffman_neon, .lanes_tans = qc_lanes_tans_neon,                      \
    .lanes_add_low_bits = qc_lanes_add_low_bits_neon,
#else
#define NEON
#endif

#if QC_HAS_ARM_CRC
#define ARM_CRC .crc32c = qc_crc32c_arm,
#else
#define ARM_CRC
#endif

/* A table, and the sets that it is for. On x86 naming the greatest is enough (qcodec.h). */
typedef struct row {
    uint32_t sets;
    qc_kernels kernels;
} row;

/* From the lesser to the greater. */
static const row TABLES[] = {
    {0, {PORTABLE}},
#if QC_HAS_SSE42
    {QC_CPU_SSE42, {PORTABLE SSE42}},
#endif
#if QC_HAS_AVX2
    {QC_CPU_AVX2, {PORTABLE SSE42 AVX2}},
#endif
#if QC_HAS_AVX512
    {QC_CPU_AVX512, {PORTABLE SSE42 AVX2 AVX512}},
#endif
#if QC_HAS_ARM_CRC
    {QC_CPU_ARM_CRC, {PORTABLE ARM_CRC}},
#endif
#if QC_HAS_NEON
    {QC_CPU_NEON, {PORTABLE NEON}},
#endif
#if QC_HAS_NEON && QC_HAS_ARM_CRC
    {QC_CPU_NEON | QC_CPU_ARM_CRC, {PORTABLE NEON ARM_CRC}},
#endif
};

const qc_kernels *qc_kernels_of(uint32_t sets)
{
    size_t at = sizeof TABLES / sizeof *TABLES - 1;
    while ((TABLES[at].sets & ~sets) != 0) /* the first row is for all */
        at--;
    return &TABLES[at].kernels;
}

const qc_kernels *qc_kernels_selected(void) { return qc_kernels_of(qc_cpu_selected()); }
