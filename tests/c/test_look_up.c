/*
 * Every look-up kernel gives what the portable one gives: all sizes of entries, all numbers of
 * them, counts around the widths of registers, and not a byte beyond the output or the codes.
 */
#include "look_up.h"
#include "support.h"

#define MOST 300

int main(void)
{
    static const uint32_t paths[] = {0, QC_CPU_AVX2, UINT32_MAX};
    static const size_t sizes[] = {2, 4, 8};
    uint8_t table[256 * 8], expected[MOST * 8];
    guarded input = guarded_memory(MOST), output = guarded_memory(MOST * 8);
    for (size_t i = 0; i < sizeof table; i++)
        table[i] = (uint8_t)random_bits();
    for (unsigned entries = 1; entries <= 256; entries += entries < 70 ? 1 : 31)
        for (size_t count = 0; count <= MOST; count += count < 140 ? 1 : 53) {
            uint8_t *codes = last_bytes(input, count);
            for (size_t i = 0; i < count; i++)
                codes[i] = (uint8_t)(random_bits() % entries);
            for (unsigned s = 0; s < 3; s++) {
                qc_look_up_portable(codes, count, table, entries, sizes[s], expected);
                for (unsigned path = 0; path < 3; path++) {
                    uint8_t *out = last_bytes(output, count * sizes[s]);
                    memset(out, 0, count * sizes[s]);
                    qc_cpu_select(paths[path]);
                    qc_look_up_selected()(codes, count, table, entries, sizes[s], out);
                    CHECK(memcmp(out, expected, count * sizes[s]) == 0,
                          "%u entries of %zu bytes, %zu codes, path %u", entries, sizes[s], count,
                          path);
                }
            }
        }
    return 0;
}
