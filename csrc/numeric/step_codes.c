/*
 * The codes of values in equal steps. This is the proof that decoders give every value back: they
 * multiply and round as is done here.
 */
#include "numeric/steps.h"

static inline void store_code(uint8_t *codes, size_t size, size_t i, int64_t code)
{
    uint16_t wide = (uint16_t)code;
    if (size == 1)
        codes[i] = (uint8_t)code;
    else
        memcpy(codes + 2 * i, &wide, sizeof wide);
}

/* Returns 0 if a value has no code, or if interrupted. */
static inline int group_codes(const float *values, size_t count, const qc_step *step, int64_t zero,
                              int negative_zeros, uint8_t *codes, size_t size, qc_ticker *ticker)
{
    int64_t max = size == 1 ? UINT8_MAX : UINT16_MAX;
    for (size_t i = 0; i < count; i++) {
        float value = values[i];
        int32_t level;
        int64_t code;
        if (i % QC_STEP_PIECE == 0 && qc_tick(ticker, QC_STEP_PIECE / QC_STEP_VALUES))
            return 0;
        if (!qc_level_of(step, value, &level))
            return 0;
        code = zero + level;
        if (negative_zeros)
            code -= qc_bits_of_f32(value) >> 31; /* all below 0 make room */
        if (code < 0 || code > max)
            return 0;
        store_code(codes, size, i, code);
    }
    return 1;
}

qc_status qc_step_codes(const float *values, const size_t *ends, size_t groups, qc_dtype dtype,
                        const float *scales, const int32_t *zeros, int negative_zeros,
                        size_t code_size, void *codes, const qc_poll *poll, qc_error *error)
{
    qc_ticker ticker = qc_ticker_of(poll);
    size_t start = 0;
    QC_TRY(qc_step_dtype_check(dtype, error));
    QC_CHECK(code_size == 1 || code_size == 2, QC_INVALID, "code size", 0, code_size, 2);
    for (size_t group = 0; group < groups; start = ends[group++]) {
        const float *from = values + start;
        size_t count = ends[group] - start;
        qc_step step = qc_step_of(scales[group], dtype, qc_max_step_level(dtype));
        int64_t zero = zeros[group];
        uint8_t *to = (uint8_t *)codes + start * code_size;
        int exact = code_size == 1
                        ? group_codes(from, count, &step, zero, negative_zeros, to, 1, &ticker)
                        : group_codes(from, count, &step, zero, negative_zeros, to, 2, &ticker);
        QC_GO_ON_IF(!ticker.stopped);
        QC_CHECK(exact, QC_INVALID, "values that are no multiples of the scale", start, group, 0);
    }
    return QC_OK;
}
