#include "kernels/kernels.h"
#include "kernels/arm/neon.h"
#include "kernels/x86/avx2.h"
#include "kernels/x86/avx512.h"

static const qc_value_kernels PORTABLE;

#if QC_HAS_AVX2
static const qc_value_kernels AVX2 = {
    .unpack = qc_unpack_avx2,
    .pack = qc_pack_avx2,
    .greatest = qc_greatest_avx2,
    .look_up_2 = qc_look_up_2_avx2,
    .look_up_4 = qc_look_up_4_avx2,
    .affine = qc_affine_avx2,
    .merge_2 = qc_merge_2_avx2,
    .merge_4 = qc_merge_4_avx2,
    .add_delta_4 = qc_add_delta_4_avx2,
    .join_fields = qc_join_fields_avx2,
    .to_f16 = qc_f16_of_f32_avx2,
    .to_bf16 = qc_bf16_of_f32_avx2,
    .descend = qc_descend_avx2,
    .sum_gaps = qc_sum_gaps_avx2,
    .mask_positions = qc_mask_positions_avx2,
    .bin_values = qc_bin_values_avx2,
};
#endif

#if QC_HAS_AVX512
static const qc_value_kernels AVX512 = {
    .unpack = qc_unpack_avx512,
    .pack = qc_pack_avx512,
    .greatest = qc_greatest_avx512,
    .look_up_2 = qc_look_up_2_avx512,
    .look_up_4 = qc_look_up_4_avx512,
    .affine = qc_affine_avx512,
    .merge_2 = qc_merge_2_avx512,
    .merge_4 = qc_merge_4_avx512,
    .add_delta_4 = qc_add_delta_4_avx2, /* it waits for loads, not for the numbers */
    .join_fields = qc_join_fields_avx512,
    .to_f16 = qc_f16_of_f32_avx512,
    .to_bf16 = qc_bf16_of_f32_avx512,
    .descend = qc_descend_avx512,
    .sum_gaps = qc_sum_gaps_avx512,
    .mask_positions = qc_mask_positions_avx512,
    .bin_values = qc_bin_values_avx2, /* it waits for the bins, not for the numbers */
};
#endif

#if QC_HAS_NEON
/* Of affine codes and planes compilers make NEON by themselves. The others are not written. */
static const qc_value_kernels NEON = {
    .unpack = qc_unpack_neon,
    .look_up_2 = qc_look_up_2_neon,
    .look_up_4 = qc_look_up_4_neon,
};
#endif

const qc_value_kernels *qc_value_kernels_selected(void)
{
    uint32_t selected = qc_cpu_selected();
    (void)selected;
#if QC_HAS_AVX512
    if (selected & QC_CPU_AVX512)
        return &AVX512;
#endif
#if QC_HAS_AVX2
    if (selected & QC_CPU_AVX2)
        return &AVX2;
#endif
#if QC_HAS_NEON
    if (selected & QC_CPU_NEON)
        return &NEON;
#endif
    return &PORTABLE;
}
