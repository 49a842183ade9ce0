/*
 * A codebook for each group of a tensor: its members are gathered, and clustered as those of a
 * whole tensor are: sorted (kmeans_exact.c, kmeans_near.c) if they are few, else by the fast
 * method (kmeans_fast.c).
 */
#include "base/float_bits.h"
#include "numeric/group_members.h"
#include "numeric/kmeans.h"

typedef struct groups {
    const float *values;
    const uint8_t *kept; /* NULL: all */
    qc_group_layout layout;
    const qc_group_codebooks *wanted;
    float *gathered, *ordered;
    void *scratch;
    double guess; /* neighbouring groups are similar */
    qc_ticker ticker;
    const qc_poll *poll;
    qc_error *error;
} groups;

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

size_t qc_group_codebooks_workspace(size_t count, const qc_grouping *grouping, size_t k)
{
    const qc_group_layout layout = qc_group_layout_of(count, grouping);
    size_t members = qc_max_members(&layout);
    size_t scratch = larger(qc_kmeans_exact_workspace(members, k), qc_kmeans_fast_workspace(k));
    scratch = larger(scratch, qc_kmeans_workspace(members, k));
    return 2 * qc_room_of_floats(members) + larger(scratch, qc_sort_workspace(members));
}

/* ---- members ---- */

/* The stored members of the group whose first element is number `first`; returns their number. */
static size_t gather(const groups *in, size_t first)
{
    size_t members = 0;
    for (size_t at = first, run; at < in->layout.count;
         at += qc_smaller(in->layout.period, in->layout.count - at)) {
        run = qc_smaller(in->layout.inner, in->layout.count - at);
        for (size_t i = at; i < at + run; i++) {
            in->gathered[members] = in->values[i];
            members += in->kept == NULL || in->kept[i] != 0;
        }
    }
    return members;
}

/* The inverse, for their codes. */
static void scatter(const groups *in, size_t first, const uint8_t *own, size_t members,
                    uint8_t *codes)
{
    size_t member = 0;
    for (size_t at = first, run; at < in->layout.count;
         at += qc_smaller(in->layout.period, in->layout.count - at)) {
        run = qc_smaller(in->layout.inner, in->layout.count - at);
        for (size_t i = at; i < at + run && member < members; i++)
            if (in->kept == NULL || in->kept[i] != 0)
                codes[i] = own[member++];
    }
}

/* ---- centroids ---- */

static qc_status find_sorted(groups *in, const float *members, size_t count, float *centroids)
{
    memcpy(in->ordered, members, count * sizeof *members);
    const qc_lloyd *lloyd = in->wanted->lloyd;
    QC_TRY(qc_sort_members(in->ordered, count, in->scratch, in->poll, in->error));
    if (lloyd != NULL)
        return qc_kmeans_lloyd(in->ordered, count, in->wanted->k, lloyd->init, lloyd->seed,
                               lloyd->max_steps, centroids, NULL, in->scratch, in->poll, in->error);
    return qc_kmeans_sorted(in->ordered, count, in->wanted->k, in->wanted->exact, &in->guess,
                            centroids, &in->ticker, in->scratch, in->error);
}

static qc_status find(groups *in, const float *members, size_t count, float *centroids)
{
    double coarseness;
    if (count <= in->wanted->max_sorted || in->wanted->lloyd != NULL)
        return find_sorted(in, members, count, centroids);
    QC_TRY(qc_kmeans_fast(members, count, in->wanted->k, centroids, &coarseness, in->scratch,
                          in->poll, in->error));
    if (coarseness <= in->wanted->max_coarseness)
        return QC_OK;
    return find_sorted(in, members, count, centroids);
}

/* Keep each centroid once, and fill up with the last one; -0.0 becomes 0.0. Returns the number of
   different ones. */
static size_t make_distinct(float *centroids, size_t k)
{
    size_t distinct = 0;
    for (size_t j = 0; j < k; j++) {
        float centroid = centroids[j] + 0.0f;
        if (distinct == 0 || centroid != centroids[distinct - 1])
            centroids[distinct++] = centroid;
    }
    for (size_t j = distinct; j < k; j++)
        centroids[j] = centroids[distinct - 1];
    return distinct;
}

static qc_status cluster(groups *in, size_t first, float *book, uint16_t *entries, uint8_t *codes)
{
    const float *members = in->gathered;
    int in_place = in->kept == NULL && in->layout.count - first <= in->layout.period;
    size_t count =
        in_place ? qc_smaller(in->layout.inner, in->layout.count - first) : gather(in, first);
    if (in_place)
        members = in->values + first;
    if (count == 0) {
        memset(book, 0, in->wanted->k * sizeof *book);
        *entries = 1;
        return QC_OK;
    }
    QC_TRY(find(in, members, count, book));
    *entries = (uint16_t)make_distinct(book, in->wanted->k);
    if (in_place) {
        qc_assign(members, count, book, *entries, codes + first);
        return QC_OK;
    }
    qc_assign(members, count, book, *entries, (uint8_t *)in->ordered);
    scatter(in, first, (const uint8_t *)in->ordered, count, codes);
    return QC_OK;
}

qc_status qc_group_codebooks_find(const float *values, const uint8_t *kept, size_t count,
                                  const qc_grouping *grouping, const qc_group_codebooks *wanted,
                                  float *books, uint16_t *entries, uint8_t *codes, void *workspace,
                                  const qc_poll *poll, qc_error *error)
{
    QC_TRY(qc_grouping_check(grouping, error));
    QC_CHECK(wanted->k >= 1 && wanted->k <= QC_KMEANS_MAX_K, QC_INVALID,
             "k-means: number of centroids", 0, wanted->k, QC_KMEANS_MAX_K);
    groups in = {.values = values,
                 .kept = kept,
                 .layout = qc_group_layout_of(count, grouping),
                 .wanted = wanted,
                 .gathered = (float *)workspace,
                 .guess = 1,
                 .ticker = qc_ticker_of(poll),
                 .poll = poll,
                 .error = error};
    size_t members = qc_max_members(&in.layout);
    in.ordered = (float *)((uint8_t *)workspace + qc_room_of_floats(members));
    in.scratch = (uint8_t *)in.ordered + qc_room_of_floats(members);
    for (size_t group = 0; group < grouping->count; group++) {
        size_t first = qc_first_member(&in.layout, group);
        QC_TICK(&in.ticker, 1 + members);
        QC_TRY(cluster(&in, first, books + group * wanted->k, &entries[group], codes));
    }
    return QC_OK;
}
