/*
 * Codebooks of groups that are near the optimum: at most a little above the error of the exact
 * method, for values of every kind, with a mask and without.
 */
#include <float.h>
#include <math.h>

#include "qcodec_numeric.h"
#include "support.h"

enum { COUNT = 1 << 13, MAX_K = 256, KINDS = 9 };

static float values[COUNT], books[COUNT / 2];
static uint8_t codes[COUNT], kept[COUNT];
static uint16_t entries[COUNT];

static double uniform(void) { return (double)(random_bits() % 1000003) / 1000003 - 0.5; }

static float value_of(unsigned kind)
{
    double bell = uniform() + uniform() + uniform() + uniform();
    switch (kind) {
    case 0: return (float)bell;
    case 1: return (float)(bell * bell * bell);
    case 2: return (float)(floor(40 * uniform()) + bell / 1000);
    case 3: return (float)floor(100 * uniform());
    case 4: return random_bits() % 1000 == 0 ? (float)(bell * 1e30) : (float)bell;
    case 5: return (float)(uniform() * 1.9 * FLT_MAX);
    case 6: return (float)(bell * 1e-40);
    case 7: return random_bits() % 10 == 0 ? (float)bell : 0;
    default: return 3;
    }
}

static double error_of(const qc_grouping *grouping, const qc_group_codebooks *wanted,
                       const uint8_t *mask)
{
    double sum = 0;
    void *workspace = malloc(qc_group_codebooks_workspace(COUNT, grouping, wanted->k));
    CHECK(qc_group_codebooks_find(values, mask, COUNT, grouping, wanted, books, entries, codes,
                                  workspace, NULL, NULL) == QC_OK,
          "codebooks");
    free(workspace);
    for (size_t i = 0; i < COUNT; i++) {
        size_t group = i / grouping->inner % grouping->count;
        double off = (double)values[i] - (double)books[group * wanted->k + codes[i]];
        sum += mask == NULL || mask[i] ? off * off : 0;
    }
    return sum;
}

int main(void)
{
    static const size_t sizes[] = {2, 3, 15, 16, 64, MAX_K}, members[] = {512, COUNT};
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (size_t s = 0; s < 6; s++)
            for (size_t m = 0; m < 2; m++) {
                const uint8_t *mask = random_bits() % 2 ? kept : NULL;
                const qc_grouping grouping = {members[m] / 4, COUNT / members[m]};
                qc_group_codebooks wanted = {sizes[s], COUNT, 0, 0, NULL};
                for (size_t i = 0; i < COUNT; i++) {
                    values[i] = value_of(kind);
                    kept[i] = random_bits() % 3 != 0;
                }
                double near = error_of(&grouping, &wanted, mask);
                wanted.exact = 1;
                double exact = error_of(&grouping, &wanted, mask);
                CHECK(near <= exact * 1.002, "%g, not %g: kind %u, k %zu, %zu members", near, exact,
                      kind, wanted.k, members[m]);
            }
    return 0;
}
