#include "look_up.h"

#include "x86/avx2.h"
#include "x86/avx512.h"

void qc_look_up_portable(const uint8_t *codes, size_t count, const uint8_t *table, unsigned entries,
                         size_t size, uint8_t *out)
{
    (void)entries;
    /* The size is a constant in each loop, so that the copies become single moves. */
    if (size == 4)
        for (size_t i = 0; i < count; i++)
            memcpy(out + 4 * i, table + 4 * (size_t)codes[i], 4);
    else if (size == 2)
        for (size_t i = 0; i < count; i++)
            memcpy(out + 2 * i, table + 2 * (size_t)codes[i], 2);
    else
        for (size_t i = 0; i < count; i++)
            memcpy(out + 8 * i, table + 8 * (size_t)codes[i], 8);
}

qc_look_up_kernel *qc_look_up_selected(void)
{
#if QC_HAS_AVX512
    if (qc_cpu_selected() & QC_CPU_AVX512)
        return qc_look_up_avx512;
#endif
#if QC_HAS_AVX2
    if (qc_cpu_selected() & QC_CPU_AVX2)
        return qc_look_up_avx2;
#endif
    return qc_look_up_portable;
}
