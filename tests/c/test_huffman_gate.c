/*
 * The gate of the Huffman decoder: no table may be built from lengths that do not make a complete
 * code. All 8^8 vectors of 8 symbols with lengths of 0 to 7 bits are tried, and accepted exactly
 * when the sum of 2^-length is 1.
 */
#include "codings/huffman_code.h"
#include "support.h"

#define SYMBOLS  8
#define VECTORS  (1u << 3 * SYMBOLS)
#define BYTES    (1 + SYMBOLS / 2)
#define COMPLETE 128 /* 2^7 */

int main(void)
{
    static const unsigned part[8] = {0, 64, 32, 16, 8, 4, 2, 1};
    unsigned accepted = 0;
    for (uint32_t vector = 0; vector < VECTORS; vector++) {
        uint8_t table[BYTES] = {SYMBOLS - 1}, lengths[QC_HUFFMAN_MAX_SYMBOLS];
        unsigned sum = 0, symbols;
        for (unsigned s = 0; s < SYMBOLS; s++) {
            unsigned length = vector >> 3 * s & 7;
            table[1 + s / 2] |= (uint8_t)(length << 4 * (s % 2));
            sum += part[length];
        }
        qc_reader reader = qc_reader_of(table, sizeof table, 1);
        qc_status status = qc_huffman_read_lengths(&reader, SYMBOLS, lengths, &symbols, NULL);
        CHECK(status == (sum == COMPLETE ? QC_OK : QC_CORRUPT), "vector %o: status %d, sum %u",
              (unsigned)vector, (int)status, sum);
        if (status != QC_OK)
            continue;
        accepted++;
        CHECK(symbols == SYMBOLS && reader.at == sizeof table, "vector %o", (unsigned)vector);
        for (unsigned s = 0; s < SYMBOLS; s++)
            CHECK(lengths[s] == (vector >> 3 * s & 7), "vector %o", (unsigned)vector);
    }
    printf("%u of %u length vectors are complete codes\n", accepted, VECTORS);
    return accepted > 0 ? 0 : 1;
}
