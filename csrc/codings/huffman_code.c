#include "codings/huffman_code.h"

#define MAX_ITEMS (2 * QC_HUFFMAN_MAX_SYMBOLS)

int qc_huffman_is_complete(const uint8_t *lengths, unsigned symbols)
{
    uint32_t sum = 0;
    for (unsigned s = 0; s < symbols; s++)
        sum += lengths[s] != 0 ? 1u << (QC_HUFFMAN_MAX_LENGTH - lengths[s]) : 0;
    return sum == 1u << QC_HUFFMAN_MAX_LENGTH;
}

void qc_huffman_canonical_codes(const uint8_t *lengths, unsigned symbols, uint16_t *codes)
{
    uint32_t next[QC_HUFFMAN_MAX_LENGTH + 2] = {0};
    for (unsigned s = 0; s < symbols; s++)
        next[lengths[s] + 1]++;
    /* From counts to first codes: next[i + 1] holds the number of codes of i bits. */
    next[1] = 0;
    for (unsigned i = 1; i <= QC_HUFFMAN_MAX_LENGTH; i++)
        next[i + 1] = (next[i] + next[i + 1]) << 1;
    for (unsigned s = 0; s < symbols; s++)
        codes[s] = lengths[s] != 0 ? (uint16_t)next[lengths[s]]++ : 0;
}

/* Write the symbols that occur into `order`, rarest first; returns their number. */
static unsigned sort_by_count(const uint64_t *counts, unsigned symbols, uint8_t *order)
{
    unsigned present = 0;
    for (unsigned s = 0; s < symbols; s++) {
        if (counts[s] == 0)
            continue;
        unsigned at = present++;
        for (; at > 0 && counts[order[at - 1]] > counts[s]; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)s;
    }
    return present;
}

/* One round of package-merge: pair the items of `weights` into packages and merge these with the
   leaves. Writes the weights of the new list over the old, and is_package of each of its items;
   returns its length. */
static unsigned merge_packages(const uint64_t *leaves, unsigned leaf_count, uint64_t *weights,
                               unsigned count, uint8_t *is_package)
{
    uint64_t packages[MAX_ITEMS / 2];
    unsigned package_count = count / 2, leaf = 0, package = 0, item = 0;

    for (unsigned i = 0; i < package_count; i++)
        packages[i] = weights[2 * i] + weights[2 * i + 1];
    while (leaf < leaf_count || package < package_count) {
        int from_package =
            leaf == leaf_count || (package < package_count && packages[package] < leaves[leaf]);
        is_package[item] = (uint8_t)from_package;
        weights[item++] = from_package ? packages[package++] : leaves[leaf++];
    }
    return item;
}

/*
 * Package-merge (Larmore and Hirschberg 1990). An item of level i is a leaf or a package of two
 * items of level i + 1. The cheapest 2n - 2 items of level 1 make the code: a symbol's length is
 * the number of its leaves in them. Within a level the leaves taken are always the rarest ones,
 * so that it is enough to remember which items are packages.
 */
void qc_huffman_optimal_lengths(const uint64_t *counts, unsigned symbols, unsigned max_length,
                                uint8_t *lengths)
{
    uint8_t order[QC_HUFFMAN_MAX_SYMBOLS];
    uint64_t leaves[QC_HUFFMAN_MAX_SYMBOLS], weights[MAX_ITEMS];
    uint8_t is_package[QC_HUFFMAN_MAX_LENGTH][MAX_ITEMS];
    unsigned present = sort_by_count(counts, symbols, order), count = 0;

    for (unsigned i = 0; i < present; i++)
        leaves[i] = counts[order[i]];
    for (unsigned level = max_length; level-- > 0;)
        count = merge_packages(leaves, present, weights, count, is_package[level]);

    memset(lengths, 0, symbols);
    unsigned taken = 2 * present - 2;
    for (unsigned level = 0; level < max_length; level++) {
        unsigned packages = 0;
        for (unsigned i = 0; i < taken; i++)
            packages += is_package[level][i];
        for (unsigned i = 0; i < taken - packages; i++)
            lengths[order[i]]++;
        taken = 2 * packages;
    }
}
