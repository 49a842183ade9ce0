/*
 * Optimal code lengths under a limit: package-merge (Larmore and Hirschberg, "A fast algorithm for
 * optimal length-limited Huffman codes", 1990).
 *
 * Huffman's own algorithm may give a rare symbol a code that is longer than a decoder's table has
 * bits. Package-merge finds the best code among those of at most L bits. It sees lengths as coins:
 * a symbol with a code of n bits buys one coin of each level 1 to n. A coin of level i has the
 * face value 2^-i and costs the symbol's count. The Kraft sum of a complete code of N symbols is
 * 1, which comes to coins of face value N - 1 in all; the total cost is the length of the output.
 * So the task is to buy coins worth N - 1 as cheaply as possible.
 *
 * That is done greedily from the smallest coins, those of level L. Two coins of a level are worth
 * one of the level above, so neighbours in the order of cost are paired into packages, and these
 * are merged with the symbols' own coins of that level, sorted by cost. At level 1 all items are
 * worth a half: the cheapest 2N - 2 are taken. A package that is taken brings its two items of the
 * level below, and so on.
 *
 * Each level's items are kept only as one bit each: whether an item is a package. This suffices
 * because the symbols' coins taken at a level are always those of the rarest symbols, whose order
 * is known. Time and memory grow with N times L, apart from sorting. Equal costs are decided in
 * one way on all machines: symbols of equal counts stay in the order of their numbers, and a
 * symbol goes before a package of the same cost.
 */
#include "codings/huffman_code.h"

#define MAX_ITEMS (2 * QC_HUFFMAN_MAX_SYMBOLS)

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
   returns its length. Which of two comes first is as good as random, so there is no branch on it;
   one more leaf than there are, and one more package, are the largest numbers. */
static unsigned merge_packages(const uint64_t *leaves, unsigned leaf_count, uint64_t *weights,
                               unsigned count, uint8_t *is_package)
{
    uint64_t packages[MAX_ITEMS / 2 + 1];
    unsigned package_count = count / 2, items = leaf_count + package_count, leaf = 0, package = 0;

    for (unsigned i = 0; i < package_count; i++)
        packages[i] = weights[2 * i] + weights[2 * i + 1];
    packages[package_count] = UINT64_MAX;
    for (unsigned item = 0; item < items; item++) {
        uint64_t own = leaves[leaf], of_two = packages[package];
        unsigned from_package = of_two < own;
        is_package[item] = (uint8_t)from_package;
        weights[item] = from_package ? of_two : own;
        package += from_package;
        leaf += 1 - from_package;
    }
    return items;
}

void qc_huffman_optimal_lengths(const uint64_t *counts, unsigned symbols, unsigned max_length,
                                uint8_t *lengths)
{
    uint8_t order[QC_HUFFMAN_MAX_SYMBOLS];
    uint64_t leaves[QC_HUFFMAN_MAX_SYMBOLS + 1], weights[MAX_ITEMS];
    uint8_t is_package[QC_HUFFMAN_MAX_LENGTH][MAX_ITEMS];
    unsigned present = sort_by_count(counts, symbols, order), count = 0;

    for (unsigned i = 0; i < present; i++)
        leaves[i] = counts[order[i]];
    leaves[present] = UINT64_MAX;
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
