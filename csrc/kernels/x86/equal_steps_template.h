/*
 * Floats to affine codes of a byte, and the ranges of floats.
 */
#ifndef QC_X86_EQUAL_STEPS_TEMPLATE_H
#define QC_X86_EQUAL_STEPS_TEMPLATE_H

/* The rounding of the inverse and of the product changes a quotient of a magnitude up to 256 by
   2^-15 at most, in any rounding mode by 2^-14. */
#define QC_SAFE_DISTANCE (0.5f - 0x1p-13f)

QC_SET size_t QC_NAME(qc_byte_codes)(const float *values, size_t count, const qc_byte_step *step,
                                     uint8_t *codes)
{
    const QC_FLOATS inverse = QC_OP(set1_ps)(step->inverse), zero = QC_OP(set1_ps)(step->zero);
    const QC_FLOATS low = QC_OP(set1_ps)(step->low), high = QC_OP(set1_ps)(step->high);
    const QC_FLOATS limit = QC_OP(set1_ps)(QC_SAFE_DISTANCE);
    const size_t floats = QC_VECTOR_BYTES / 4;
    size_t i = 0;
    for (; count - i >= floats; i += floats) {
        QC_FLOATS quotient = QC_OP(mul_ps)(QC_OP(loadu_ps)(values + i), inverse);
        /* Of NaN and a number, these give the second operand. */
        quotient = QC_OP(min_ps)(QC_OP(max_ps)(quotient, low), high);
        QC_FLOATS level = vector_round_to_integers(quotient);
        if (QC_UNLIKELY(vector_any_farther(quotient, level, limit)))
            break;
        vector_put_bytes(codes + i, QC_OP(add_ps)(level, zero));
    }
    return i;
}

QC_SET size_t QC_NAME(qc_max_bits)(const float *values, size_t count, qc_max_bits *max)
{
    enum { CHAINS = 4 };
    const size_t floats = QC_VECTOR_BYTES / 4;
    QC_VECTOR as_signed[CHAINS], as_unsigned[CHAINS];
    int32_t signed_lanes[QC_VECTOR_BYTES / 4];
    uint32_t unsigned_lanes[QC_VECTOR_BYTES / 4];
    size_t i = 0;
    for (size_t chain = 0; chain < CHAINS; chain++) {
        as_signed[chain] = QC_OP(set1_epi32)(max->as_signed);
        as_unsigned[chain] = QC_OP(set1_epi32)((int)max->as_unsigned);
    }
    for (; count - i >= CHAINS * floats; i += CHAINS * floats)
        for (size_t chain = 0; chain < CHAINS; chain++) {
            QC_VECTOR bits = vector_load((const uint8_t *)(values + i + chain * floats));
            as_signed[chain] = QC_OP(max_epi32)(as_signed[chain], bits);
            as_unsigned[chain] = QC_OP(max_epu32)(as_unsigned[chain], bits);
        }
    for (; count - i >= floats; i += floats) {
        QC_VECTOR bits = vector_load((const uint8_t *)(values + i));
        as_signed[0] = QC_OP(max_epi32)(as_signed[0], bits);
        as_unsigned[0] = QC_OP(max_epu32)(as_unsigned[0], bits);
    }
    for (size_t chain = 1; chain < CHAINS; chain++) {
        as_signed[0] = QC_OP(max_epi32)(as_signed[0], as_signed[chain]);
        as_unsigned[0] = QC_OP(max_epu32)(as_unsigned[0], as_unsigned[chain]);
    }
    vector_store((uint8_t *)signed_lanes, as_signed[0]);
    vector_store((uint8_t *)unsigned_lanes, as_unsigned[0]);
    for (size_t lane = 0; lane < floats; lane++) {
        max->as_signed = signed_lanes[lane] > max->as_signed ? signed_lanes[lane] : max->as_signed;
        max->as_unsigned =
            unsigned_lanes[lane] > max->as_unsigned ? unsigned_lanes[lane] : max->as_unsigned;
    }
    return i;
}

#endif /* QC_X86_EQUAL_STEPS_TEMPLATE_H */
