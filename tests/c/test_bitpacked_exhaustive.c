/*
 * Every body of two bytes as a bitpacked stream of every width, against bits taken one by one.
 * Width 2 is that of ternary weights.
 */
#include "support.h"

#define BODY_BITS 16

static unsigned symbol_at(unsigned bits, unsigned i, unsigned width)
{
    return bits >> i * width & ((1u << width) - 1);
}

static void check(unsigned bits, unsigned width, unsigned count, void *workspace)
{
    uint8_t stream[4] = {QC_BITPACKED, 2, (uint8_t)bits, (uint8_t)(bits >> 8)};
    uint8_t narrow[BODY_BITS];
    uint16_t wide[BODY_BITS];
    int padded = bits >> count * width == 0;

    qc_status status = qc_stream_decode(stream, sizeof stream, count, width,
                                        width <= 8 ? (void *)narrow : wide, workspace, NULL, NULL);
    CHECK(status == (padded ? QC_OK : QC_CORRUPT), "bits %04x, width %u, count %u: status %d", bits,
          width, count, (int)status);
    if (status != QC_OK)
        return;
    for (unsigned i = 0; i < count; i++) {
        unsigned symbol = width <= 8 ? narrow[i] : wide[i];
        CHECK(symbol == symbol_at(bits, i, width), "bits %04x, width %u, symbol %u: %u", bits,
              width, i, symbol);
    }
}

int main(void)
{
    void *workspace = malloc(QC_WORKSPACE_BYTES);
    for (unsigned width = 1; width <= 16; width++)
        for (unsigned count = 1; count * width <= BODY_BITS; count++)
            if (count * width > BODY_BITS - 8) /* two bytes, not one */
                for (unsigned bits = 0; bits < 1u << BODY_BITS; bits++)
                    check(bits, width, count, workspace);
    free(workspace);
    return 0;
}
