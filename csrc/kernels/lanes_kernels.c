#include "kernels/arm/neon.h"
#include "kernels/lanes_decode_kernels.h"
#include "kernels/x86/avx2.h"
#include "kernels/x86/avx512.h"

qc_lanes_kernels qc_lanes_selected(void)
{
#if QC_HAS_AVX512
    if (qc_cpu_selected() & QC_CPU_AVX512)
        return (qc_lanes_kernels){qc_lanes_huffman_avx512, qc_lanes_tans_avx512,
                                  qc_lanes_raw_avx512, qc_lanes_fill_escapes_avx512};
#endif
#if QC_HAS_AVX2
    if (qc_cpu_selected() & QC_CPU_AVX2)
        return (qc_lanes_kernels){qc_lanes_huffman_avx2, qc_lanes_tans_avx2, qc_lanes_raw_avx2,
                                  NULL};
#endif
#if QC_HAS_NEON
    if (qc_cpu_selected() & QC_CPU_NEON)
        return (qc_lanes_kernels){qc_lanes_huffman_neon, qc_lanes_tans_neon, qc_lanes_raw_neon,
                                  NULL};
#endif
    return (qc_lanes_kernels){qc_lanes_huffman_portable, qc_lanes_tans_portable,
                              qc_lanes_raw_portable, NULL};
}
