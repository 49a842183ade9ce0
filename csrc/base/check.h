/*
 * Checks of input: how a function refuses its input, and passes a refusal on.
 */
#ifndef QC_CHECK_H
#define QC_CHECK_H

#include "qcodec.h"

#if defined(__GNUC__)
#define QC_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define QC_LIKELY(x)   __builtin_expect(!!(x), 1)
#else
#define QC_UNLIKELY(x) (x)
#define QC_LIKELY(x)   (x)
#endif

static inline qc_status qc_fail(qc_error *error, qc_status status, const char *what,
                                uint64_t offset, uint64_t found, uint64_t allowed)
{
    if (error != NULL) {
        error->what = what;
        error->offset = offset;
        error->found = found;
        error->allowed = allowed;
    }
    return status;
}

/* tools/check_checks.py switches off one check after the other, to see that a test notices: such a
   build lists all checks in a section of its own, and asks the test harness when one fails. */
#ifdef QC_SWITCHABLE_CHECKS
typedef struct qc_check_site {
    const char *file;
    int line;
    int off;    /* set by the harness: the check passes everything */
    int failed; /* set by the check: its condition did not hold */
} qc_check_site;

static inline int qc_check_refuses(qc_check_site *site)
{
    site->failed = 1;
    return !site->off;
}

/* The section holds pointers, as compilers align structures as they like. */
#define QC_CHECK_SITE                                                                              \
    static qc_check_site site_ = {__FILE__, __LINE__, 0, 0};                                       \
    static qc_check_site *listed_ __attribute__((used, section("qc_checks"))) = &site_;
#define QC_REFUSES(ok) (QC_UNLIKELY(!(ok)) && qc_check_refuses(&site_))
#else
#define QC_CHECK_SITE
#define QC_REFUSES(ok) QC_UNLIKELY(!(ok))
#endif

/* The one macro that checks input: returns `status` from the calling function, which has a
   `qc_error *error`, unless `ok`. */
#define QC_CHECK(ok, status, what, offset, found, allowed)                                         \
    do {                                                                                           \
        QC_CHECK_SITE                                                                              \
        if (QC_REFUSES(ok)) {                                                                      \
            qc_fail(error, status, what, (uint64_t)(offset), (uint64_t)(found),                    \
                    (uint64_t)(allowed));                                                          \
            return status;                                                                         \
        }                                                                                          \
    } while (0)

/* Returns an error of a called function. */
#define QC_TRY(call)                                                                               \
    do {                                                                                           \
        qc_status status_ = (call);                                                                \
        if (QC_UNLIKELY(status_ != QC_OK))                                                         \
            return status_;                                                                        \
    } while (0)

#endif /* QC_CHECK_H */
