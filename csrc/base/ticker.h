/*
 * Long calls ask their caller now and then whether to continue (qc_poll in qcodec_base.h). They
 * count steps between two questions, so fast loops lose hardly any time: one subtraction per block
 * of symbols.
 */
#ifndef QC_TICKER_H
#define QC_TICKER_H

#include "base/bytes.h"

/* Steps from one question to the next. A step is what a symbol takes in the slowest coding, about
   0.1 us, so this is some 50 ms; work that is faster counts fewer steps than it has elements, or
   asks more often. */
#define QC_TICKER_STEPS ((size_t)1 << 19)

typedef struct qc_ticker {
    const qc_poll *poll; /* NULL: never interrupted */
    size_t left;         /* steps until the next question */
    int stopped;         /* the answer was to stop; it stays so */
} qc_ticker;

static inline qc_ticker qc_ticker_of(const qc_poll *poll)
{
    return (qc_ticker){poll, QC_TICKER_STEPS, 0};
}

/* Count `steps` that are done now or next. Nonzero: stop as soon as possible; what has been
   computed is then unspecified. */
static inline int qc_tick(qc_ticker *ticker, size_t steps)
{
    if (QC_LIKELY(steps < ticker->left)) {
        ticker->left -= steps;
        return 0;
    }
    if (!ticker->stopped && ticker->poll != NULL)
        ticker->stopped = ticker->poll->stop(ticker->poll->context) != 0;
    ticker->left = ticker->stopped ? 0 : QC_TICKER_STEPS;
    return ticker->stopped;
}

/* Return QC_INTERRUPTED from the calling function, which has a `qc_error *error`, unless `going`.
 */
#define QC_GO_ON_IF(going)                                                                         \
    do {                                                                                           \
        if (QC_UNLIKELY(!(going)))                                                                 \
            return qc_fail(error, QC_INTERRUPTED, "interrupted", 0, 0, 0);                         \
    } while (0)

/* Count steps, and return QC_INTERRUPTED if the answer is to stop. */
#define QC_TICK(ticker, steps) QC_GO_ON_IF(!qc_tick(ticker, steps))

#endif /* QC_TICKER_H */
