/*
 * Arrays from one element type to another, in blocks: a reader takes a block of the source to
 * the bits of f32 (from which every source type but f64 can be had back), a writer takes
 * those to the target. So N sources and M targets need N + M loops. Blocks are copied to and
 * from arrays of the machine's own types, which aligns them and lets the loops become vector code.
 */
#include "base/float_bits.h"
#include "kernels/kernels.h"

#define BLOCK 256

typedef void read_block(const uint8_t *from, uint32_t *bits, size_t count);
typedef void write_block(const uint32_t *bits, uint8_t *to, size_t count);

size_t qc_dtype_size(unsigned dtype)
{
    static const uint8_t sizes[QC_DTYPE_COUNT] = {4, 2, 2, 8, 1, 1, 2, 2, 4, 4, 8,
                                                  8, 1, 1, 1, 1, 1, 1, 1, 8, 1, 1};
    return dtype < QC_DTYPE_COUNT ? sizes[dtype] : 0;
}

static void read_f32(const uint8_t *from, uint32_t *bits, size_t count)
{
    memcpy(bits, from, count * sizeof *bits);
}

static void read_f16(const uint8_t *from, uint32_t *bits, size_t count)
{
    uint16_t halves[BLOCK];
    memcpy(halves, from, count * sizeof *halves);
    for (size_t i = 0; i < count; i++)
        bits[i] = qc_f32_of_f16(halves[i]);
}

static void read_bf16(const uint8_t *from, uint32_t *bits, size_t count)
{
    uint16_t halves[BLOCK];
    memcpy(halves, from, count * sizeof *halves);
    for (size_t i = 0; i < count; i++)
        bits[i] = qc_f32_of_bf16(halves[i]);
}

static void read_f8e4m3(const uint8_t *from, uint32_t *bits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bits[i] = qc_f32_of_f8e4m3(from[i]);
}

static void read_f8e5m2(const uint8_t *from, uint32_t *bits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bits[i] = qc_f32_of_f8e5m2(from[i]);
}

static void read_e8m0(const uint8_t *from, uint32_t *bits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bits[i] = qc_f32_of_e8m0(from[i]);
}

static void read_f64(const uint8_t *from, uint32_t *bits, size_t count)
{
    double values[BLOCK];
    memcpy(values, from, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        bits[i] = qc_f32_of_f64(values[i]);
}

/* For targets that round once more. */
static void read_f64_to_odd(const uint8_t *from, uint32_t *bits, size_t count)
{
    double values[BLOCK];
    memcpy(values, from, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        bits[i] = qc_f32_odd_of_f64(values[i]);
}

/* A NaN becomes a quiet one, as where a conversion is an instruction. */
static void write_f32(const uint32_t *bits, uint8_t *to, size_t count)
{
    uint32_t quiet[BLOCK];
    for (size_t i = 0; i < count; i++) {
        uint32_t magnitude = bits[i] & ~QC_F32_SIGN;
        quiet[i] = bits[i] | (magnitude > QC_F32_INFINITY ? QC_F32_NAN : 0);
    }
    memcpy(to, quiet, count * sizeof *quiet);
}

static void write_f16(const uint32_t *bits, uint8_t *to, size_t count)
{
    uint16_t halves[BLOCK];
    qc_narrow_kernel *kernel = qc_kernels_selected()->f16_of_f32;
    for (size_t i = kernel != NULL ? kernel(bits, count, halves) : 0; i < count; i++)
        halves[i] = (uint16_t)qc_f16_of_f32(bits[i]);
    memcpy(to, halves, count * sizeof *halves);
}

static void write_bf16(const uint32_t *bits, uint8_t *to, size_t count)
{
    uint16_t halves[BLOCK];
    qc_narrow_kernel *kernel = qc_kernels_selected()->bf16_of_f32;
    for (size_t i = kernel != NULL ? kernel(bits, count, halves) : 0; i < count; i++)
        halves[i] = (uint16_t)qc_bf16_of_f32(bits[i]);
    memcpy(to, halves, count * sizeof *halves);
}

static void write_f64(const uint32_t *bits, uint8_t *to, size_t count)
{
    double values[BLOCK];
    for (size_t i = 0; i < count; i++)
        values[i] = (double)qc_f32_of_bits(bits[i]);
    memcpy(to, values, count * sizeof *values);
}

/* The reader of a source for a target; NULL if the source is not a float type. */
static read_block *reader_of(qc_dtype from, qc_dtype to)
{
    switch (from) {
    case QC_F32: return read_f32;
    case QC_F16: return read_f16;
    case QC_BF16: return read_bf16;
    case QC_F64: return to == QC_F32 ? read_f64 : read_f64_to_odd;
    case QC_F8E4M3: return read_f8e4m3;
    case QC_F8E5M2: return read_f8e5m2;
    case QC_E8M0: return read_e8m0;
    default: return NULL;
    }
}

/* The writer of a target; NULL if nothing is converted to it. */
static write_block *writer_of(qc_dtype to)
{
    switch (to) {
    case QC_F32: return write_f32;
    case QC_F16: return write_f16;
    case QC_BF16: return write_bf16;
    case QC_F64: return write_f64;
    default: return NULL;
    }
}

qc_status qc_convert(const void *from, qc_dtype from_dtype, void *to, qc_dtype to_dtype,
                     size_t count)
{
    size_t from_size = qc_dtype_size(from_dtype);
    size_t to_size = qc_dtype_size(to_dtype);
    read_block *read = reader_of(from_dtype, to_dtype);
    write_block *write = writer_of(to_dtype);
    if (from_size == 0 || to_size == 0)
        return QC_INVALID;
    if (from_dtype == to_dtype) {
        if (count != 0)
            memcpy(to, from, count * to_size);
        return QC_OK;
    }
    if (read == NULL || write == NULL)
        return QC_INVALID;
    uint32_t mode = qc_float_mode_enter();
    for (size_t i = 0; i < count; i += BLOCK) {
        uint32_t bits[BLOCK];
        size_t block = count - i < BLOCK ? count - i : BLOCK;
        read((const uint8_t *)from + i * from_size, bits, block);
        write(bits, (uint8_t *)to + i * to_size, block);
    }
    qc_float_mode_leave(mode);
    return QC_OK;
}
