/*
 * The order of a pack's names: heapsort in the `by_name` of the entries, and binary search in it.
 *
 * A heap is a binary tree in an array (the branches of place i are at 2i + 1 and 2i + 2) in which
 * no name is smaller than those below it. So the root is the greatest name: it goes to the end, and
 * the rest is made a heap again. This takes n log n comparisons for every input, and no memory.
 */
#include "pack/pack_names.h"

/* Negative, zero or positive as in memcmp; a prefix comes before longer names. */
static int compare(const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes)
{
    int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
    return order != 0 ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_entries(const uint8_t *names, const qc_pack_entry *a, const qc_pack_entry *b)
{
    return compare(names + a->name_offset, a->name_bytes, names + b->name_offset, b->name_bytes);
}

/* The number at `place` of the order. */
static const qc_pack_entry *at(const qc_pack_entry *entries, size_t place)
{
    return &entries[entries[place].by_name];
}

static void swap(qc_pack_entry *entries, size_t a, size_t b)
{
    size_t number = entries[a].by_name;
    entries[a].by_name = entries[b].by_name;
    entries[b].by_name = number;
}

/* Make the tree under `root` a heap, given that both of its branches are heaps. */
static void sift(const uint8_t *names, qc_pack_entry *entries, size_t root, size_t count)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count &&
            compare_entries(names, at(entries, child), at(entries, child + 1)) < 0)
            child++;
        if (compare_entries(names, at(entries, root), at(entries, child)) >= 0)
            return;
        swap(entries, root, child);
    }
}

void qc_pack_sort_names(const uint8_t *names, qc_pack_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        entries[i].by_name = i;
    for (size_t root = count / 2; root-- > 0;)
        sift(names, entries, root, count);
    for (size_t end = count; end-- > 1;) {
        swap(entries, 0, end);
        sift(names, entries, 0, end);
    }
}

size_t qc_pack_duplicate_name(const uint8_t *names, const qc_pack_entry *entries, size_t count)
{
    for (size_t place = 1; place < count; place++)
        if (compare_entries(names, at(entries, place - 1), at(entries, place)) == 0)
            return entries[place].by_name;
    return count;
}

size_t qc_pack_find(const void *data, const qc_pack_entry *entries, size_t count, const char *name,
                    size_t name_bytes)
{
    const uint8_t *names = data;
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const qc_pack_entry *entry = at(entries, middle);
        int order = compare(names + entry->name_offset, entry->name_bytes, (const uint8_t *)name,
                            name_bytes);
        if (order == 0)
            return entries[middle].by_name;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return count;
}
