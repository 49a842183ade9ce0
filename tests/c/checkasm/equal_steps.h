/*
 * Checks of the kernels that find equal steps and their codes.
 */
#ifndef CHECKASM_EQUAL_STEPS_H
#define CHECKASM_EQUAL_STEPS_H

#include <math.h>

#include "checkasm.h"

static double clipped(double value, double low, double high)
{
    value = value > low ? value : low; /* also of NaN */
    return value < high ? value : high;
}

/* A value at most some units in the last place away from the middle of two multiples. */
static float near_a_middle(double step)
{
    float value = (float)(((int)(random_bits() % 600) - 300 + 0.5) * step);
    uint32_t bits = qc_bits_of_f32(value) + (uint32_t)(random_bits() % 7) - 3;
    return qc_f32_of_bits(bits);
}

static float any_float(double step, unsigned round)
{
    static const float edges[] = {0, -0.0f, 1e-45f, -1e-40f, INFINITY, -INFINITY, NAN, 3e38f};
    if (round % 4 == 0)
        return (float)(((int)(random_bits() % 4001) - 2000) * 0.07 * step);
    if (round % 4 == 1)
        return qc_f32_of_bits((uint32_t)random_bits());
    if (round % 4 == 2 && random_bits() % 16 == 0)
        return near_a_middle(step);
    return edges[random_bits() % (sizeof edges / sizeof *edges)];
}

/* Whether a kernel may stop at one of the values: their quotient is close to a middle. */
static int may_stop(const float *values, size_t count, double step, const qc_byte_step *by)
{
    for (size_t i = 0; i < count; i++) {
        double quotient = clipped(values[i] / step, by->low, by->high);
        if (fabs(quotient - rint(quotient)) > 0.5 - 0x1p-12)
            return 1;
    }
    return 0;
}

static const char *check_byte_codes(const qc_kernels *kernels)
{
    enum { BLOCK = 64, ROUNDS = 24 };
    static uint8_t right[MAX_COUNT];
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            double zero = (double)(random_bits() % 256), left = 255 - zero;
            double step = ldexp(1 + (double)(random_bits() % 9973) / 9973,
                                round % 3 == 0 ? -1 : (int)(random_bits() % 198) - 99);
            const qc_byte_step by = {(float)(1 / step), (float)-floor(zero / (1 + round % 2)),
                                     (float)floor(left / (1 + round % 2)), (float)zero};
            float *values = (float *)last_bytes(input, 4 * count);
            uint8_t *codes = room(output, count);
            for (size_t i = 0; i < count; i++) {
                values[i] = any_float(step, round);
                volatile double quotient = values[i] / step; /* a double on i686 too */
                right[i] = (uint8_t)(rint(clipped(quotient, by.low, by.high)) + zero);
            }
            size_t done = PARTIAL(kernels->byte_codes(values, count, &by, codes));
            size_t block = done > count ? 0 : count - done < BLOCK ? count - done : BLOCK;
            int may = done <= count && may_stop(values + done, block, step, &by);
            if (done > count || (!is_enough(done, count) && !may) || !is_same(codes, right, done))
                WRONG("%zu of %zu values, step %g, zero %g", done, count, step, zero);
        }
    return NULL;
}

static const char *check_max_bits(const qc_kernels *kernels)
{
    for (unsigned round = 0; round < 8; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            uint32_t *bits = (uint32_t *)last_bytes(input, 4 * count);
            qc_max_bits found = {0, 0x80000000}, right = found;
            for (size_t i = 0; i < count; i++)
                bits[i] = (uint32_t)random_bits() >> round;
            if (count > 0)
                bits[random_bits() % count] = UINT32_MAX - round; /* in any lane */
            size_t done = PARTIAL(kernels->max_bits((const float *)bits, count, &found));
            for (size_t i = 0; i < done && i < count; i++) {
                int32_t as_signed = (int32_t)bits[i];
                right.as_signed = as_signed > right.as_signed ? as_signed : right.as_signed;
                right.as_unsigned = bits[i] > right.as_unsigned ? bits[i] : right.as_unsigned;
            }
            if (!is_enough(done, count) || !is_same(&found, &right, sizeof found))
                WRONG("%zu of %zu floats", done, count);
        }
    return NULL;
}

static const char *check_step_errors(const qc_kernels *kernels)
{
    for (unsigned round = 0; round < 16; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            double size = ldexp(1, (int)(random_bits() % 40) - 20), errors[4][QC_ERROR_LANES];
            const qc_clipping_step step = {size, 1 / size, -(double)(1 + round) * size,
                                           round * size};
            float *values = (float *)last_bytes(input, 4 * count);
            for (size_t lane = 0; lane < QC_ERROR_LANES; lane++) {
                errors[0][lane] = errors[2][lane] = (double)(random_bits() % 99);
                errors[1][lane] = errors[3][lane] = (double)(random_bits() % 99);
            }
            for (size_t i = 0; i < count; i++)
                values[i] = (float)(((int)(random_bits() % 4001) - 2000) * 0.007 * size);
            size_t done = PARTIAL(kernels->step_errors(values, count, &step, errors[0], errors[1]));
            for (size_t i = 0; i < done && i < count; i++) {
                volatile double reachable = clipped(values[i], step.low, step.high);
                volatile double beyond = values[i] - reachable;
                volatile double off = values[i] - rint(reachable / size) * size;
                volatile double of_clipping = beyond * beyond, of_all = off * off;
                errors[2][i % QC_ERROR_LANES] += of_clipping;
                errors[3][i % QC_ERROR_LANES] += of_all;
            }
            if (!is_enough(done, count) || done % QC_ERROR_LANES != 0 ||
                !is_same(errors[0], errors[2], sizeof errors[0]) ||
                !is_same(errors[1], errors[3], sizeof errors[1]))
                WRONG("%zu of %zu values", done, count);
        }
    return NULL;
}

#endif /* CHECKASM_EQUAL_STEPS_H */
