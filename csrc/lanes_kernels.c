#include "lanes_decode.h"

qc_lanes_kernels qc_lanes_selected(void)
{
    qc_lanes_kernels kernels = {qc_lanes_huffman_portable, qc_lanes_tans_portable};
    return kernels;
}
