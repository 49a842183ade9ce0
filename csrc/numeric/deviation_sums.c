/*
 * Sums of sorted values less their median, from the median outward, so that the rounding error of
 * an outlier affects only the sums that contain it. Every QC_KEPT_SUMS-th is kept; for the others,
 * the values after a kept one are added in the same order, so sums do not depend on which are kept.
 */
#include "base/check.h"
#include "base/ticker.h"
#include "numeric/multiples.h"

/* A sum after one more value. */
static inline double with_value(double sum, float value, double centre)
{
    return qc_as_double(sum + qc_as_double((double)value - centre));
}

/* Values between two questions to the ticker, and how many of them are one of its steps. */
#define PIECE       ((size_t)1 << 16)
#define STEP_VALUES 16

qc_status qc_deviation_sums_keep(const float *sorted, size_t count, double *above, double *below,
                                 const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    QC_CHECK(count >= 1, QC_INVALID, "sums of deviations: number of values", 0, count, 1);
    const size_t middle = count / 2;
    const double centre = sorted[middle];
    double sum = above[0] = below[0] = 0;
    for (size_t i = middle; i < count;) {
        if ((i - middle) % PIECE == 0)
            QC_TICK(&ticker, PIECE / STEP_VALUES);
        sum = with_value(sum, sorted[i++], centre);
        if ((i - middle) % QC_KEPT_SUMS == 0)
            above[(i - middle) / QC_KEPT_SUMS] = sum;
    }
    sum = 0;
    for (size_t i = middle; i > 0;) {
        if ((middle - i) % PIECE == 0)
            QC_TICK(&ticker, PIECE / STEP_VALUES);
        sum = with_value(sum, sorted[--i], centre);
        if ((middle - i) % QC_KEPT_SUMS == 0)
            below[(middle - i) / QC_KEPT_SUMS] = sum;
    }
    return QC_OK;
}

qc_status qc_deviation_sums(const float *sorted, size_t count, const double *above,
                            const double *below, const size_t *cuts, size_t cut_count, double *sums,
                            qc_error *error)
{
    QC_CHECK(count >= 1, QC_INVALID, "sums of deviations: number of values", 0, count, 1);
    const size_t middle = count / 2;
    const double centre = sorted[middle];
    for (size_t j = 0; j < cut_count; j++) {
        const size_t cut = cuts[j];
        QC_CHECK(cut <= count, QC_INVALID, "sums of deviations: cut", j, cut, count);
        if (cut >= middle) {
            size_t i = cut - (cut - middle) % QC_KEPT_SUMS;
            double sum = above[(cut - middle) / QC_KEPT_SUMS];
            for (; i < cut; i++)
                sum = with_value(sum, sorted[i], centre);
            sums[j] = sum;
        } else {
            size_t i = cut + (middle - cut) % QC_KEPT_SUMS;
            double sum = below[(middle - cut) / QC_KEPT_SUMS];
            for (; i > cut; i--)
                sum = with_value(sum, sorted[i - 1], centre);
            sums[j] = -sum;
        }
    }
    return QC_OK;
}
