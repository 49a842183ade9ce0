/*
 * The head of a body of codings 4 and 5: read, and checked so that the code can be built into a
 * table.
 */
#include "codings/lanes_head.h"

static qc_status read_first_byte(qc_reader *body, int is_tans, qc_lanes_code *code, qc_error *error)
{
    unsigned first;
    QC_TRY(qc_read_u8(body, &first, "lanes: first byte", error));
    unsigned states = first >> QC_LANES_STATES_SHIFT;
    code->low_bits = first & QC_LANES_LOW_MASK;
    code->has_escape = (first & QC_LANES_ESCAPE) != 0;
    code->state_bits = is_tans ? states + QC_TANS_MIN_LOG : 0;
    QC_CHECK(code->low_bits <= QC_LANES_MAX_LOW_BITS, QC_UNSUPPORTED, "lanes: low bits", 0,
             code->low_bits, QC_LANES_MAX_LOW_BITS);
    QC_CHECK(states <= (is_tans ? QC_TANS_MAX_LOG - QC_TANS_MIN_LOG : 0), QC_UNSUPPORTED,
             "lanes: number of states", 0, states, QC_TANS_MAX_LOG - QC_TANS_MIN_LOG);
    return QC_OK;
}

/* Huffman: code lengths that are complete. */
static qc_status read_lengths(qc_reader *body, qc_lanes_code *code, qc_error *error)
{
    size_t at = body->at;
    unsigned codes = 0, kraft = 0;
    for (unsigned length = 1; length <= QC_LANES_MAX_LENGTH; length++) {
        unsigned count;
        QC_TRY(qc_read_u8(body, &count, "lanes: code lengths", error));
        code->counts[length - 1] = (uint8_t)count;
        codes += count;
        kraft += count << (QC_LANES_MAX_LENGTH - length);
    }
    QC_CHECK(codes == code->classes, QC_CORRUPT, "lanes: number of codes", at, codes,
             code->classes);
    QC_CHECK(kraft == QC_LANES_WINDOWS, QC_CORRUPT, "lanes: the Kraft sum is not 1", at, kraft,
             QC_LANES_WINDOWS);
    return QC_OK;
}

/* tANS: the classes' shares of the states. */
static qc_status read_counts(qc_reader *body, qc_lanes_code *code, qc_error *error)
{
    size_t at = body->at;
    unsigned sum = 0;
    for (unsigned index = 0; index < code->classes; index++) {
        unsigned count;
        QC_TRY(qc_read_u8(body, &count, "lanes: counts", error));
        QC_CHECK(count >= 1, QC_CORRUPT, "lanes: count of a class", body->at - 1, count, 1);
        code->counts[index] = (uint8_t)count;
        sum += count;
    }
    QC_CHECK(sum == 1u << code->state_bits, QC_CORRUPT, "lanes: the counts' sum", at, sum,
             1u << code->state_bits);
    return QC_OK;
}

static qc_status read_values(qc_reader *body, unsigned width, qc_lanes_code *code, qc_error *error)
{
    for (unsigned index = 0; index < code->classes - code->has_escape; index++) {
        unsigned value;
        QC_TRY(qc_read_u8(body, &value, "lanes: values", error));
        QC_CHECK(value >> (width - code->low_bits) == 0, QC_CORRUPT, "lanes: value of a class",
                 body->at - 1, value, (1u << (width - code->low_bits)) - 1);
        code->values[index] = (uint8_t)value;
    }
    return QC_OK;
}

qc_status qc_lanes_read_head(qc_reader *body, unsigned width, int is_tans, qc_lanes_code *code,
                             qc_error *error)
{
    unsigned last;
    memset(code, 0, sizeof *code);
    QC_TRY(read_first_byte(body, is_tans, code, error));
    QC_CHECK(code->low_bits < width && (code->low_bits == 0 || !code->has_escape), QC_CORRUPT,
             "lanes: low bits", 0, code->low_bits, code->has_escape ? 0 : width - 1);
    QC_TRY(qc_read_u8(body, &last, "lanes: number of classes", error));
    code->classes = last + 1;
    QC_CHECK(code->classes <= QC_LANES_MAX_CLASSES && code->classes > code->has_escape, QC_CORRUPT,
             "lanes: number of classes", 1, code->classes, QC_LANES_MAX_CLASSES);
    QC_TRY(is_tans ? read_counts(body, code, error) : read_lengths(body, code, error));
    return read_values(body, width, code, error);
}
