/*
 * Zstandard's entropy coders at C level, the peers of our integer codings: huff0 and FSE, in blocks
 * of 128 KiB, huff0's limit. They are compiled with the amalgamated zstd.c from the sdist of the
 * PyPI package zstandard, which is fetched when the benchmarks run. It has huff0's C loop, but not
 * its assembly, which is 5 to 8 % faster.
 *
 * Each encoded block is preceded by its size, a size_t of this machine.
 */
#include "zstd.c"

#define BLOCK ((size_t)HUF_BLOCKSIZE_MAX)

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Whether the loops for BMI2 may be used, as zstd itself decides. */
static int bmi2(void) { return ZSTD_cpuSupportsBmi2(); }

typedef size_t (*block_coder)(void *out, size_t capacity, const void *data, size_t size);

/* Encode block by block; returns the size of all, or 0 where a block does not shrink or fit. */
static size_t encode_blocks(block_coder encode, const uint8_t *data, size_t size, uint8_t *out,
                            size_t capacity)
{
    size_t written = 0;
    for (size_t start = 0; start < size; start += BLOCK) {
        uint8_t *body = out + written + sizeof(size_t);
        if (capacity - written < sizeof(size_t))
            return 0;
        size_t coded = encode(body, capacity - written - sizeof(size_t), data + start,
                              least(BLOCK, size - start));
        if (coded == 0 || ERR_isError(coded))
            return 0;
        memcpy(out + written, &coded, sizeof coded);
        written += sizeof coded + coded;
    }
    return written;
}

/* Decode what encode_blocks wrote; returns 1, or 0 if it is damaged. */
static int decode_blocks(block_coder decode, const uint8_t *data, uint8_t *out, size_t size)
{
    for (size_t start = 0; start < size; start += BLOCK) {
        size_t coded, expected = least(BLOCK, size - start);
        memcpy(&coded, data, sizeof coded);
        data += sizeof coded;
        if (decode(out + start, expected, data, coded) != expected)
            return 0;
        data += coded;
    }
    return 1;
}

static size_t huff0_encode_block(void *out, size_t capacity, const void *data, size_t size)
{
    U64 workspace[HUF_WORKSPACE_SIZE_U64];
    HUF_CREATE_STATIC_CTABLE(table, HUF_SYMBOLVALUE_MAX);
    HUF_repeat repeat = HUF_repeat_none;
    return HUF_compress4X_repeat(out, capacity, data, size, HUF_SYMBOLVALUE_MAX,
                                 HUF_TABLELOG_DEFAULT, workspace, sizeof workspace, table, &repeat,
                                 bmi2() ? HUF_flags_bmi2 : 0);
}

static size_t huff0_decode_block(void *out, size_t size, const void *data, size_t coded)
{
    U32 workspace[HUF_DECOMPRESS_WORKSPACE_SIZE_U32];
    HUF_CREATE_STATIC_DTABLEX2(table, HUF_TABLELOG_MAX);
    return HUF_decompress4X_hufOnly_wksp(table, out, size, data, coded, workspace, sizeof workspace,
                                         bmi2() ? HUF_flags_bmi2 : 0);
}

static size_t fse_encode_block(void *out, size_t capacity, const void *data, size_t size)
{
    unsigned counts[FSE_MAX_SYMBOL_VALUE + 1], last = FSE_MAX_SYMBOL_VALUE;
    unsigned histogram[HIST_WKSP_SIZE_U32];
    short norm[FSE_MAX_SYMBOL_VALUE + 1];
    FSE_CTable table[FSE_CTABLE_SIZE_U32(FSE_MAX_TABLELOG, FSE_MAX_SYMBOL_VALUE)];
    U32 workspace[FSE_BUILD_CTABLE_WORKSPACE_SIZE_U32(FSE_MAX_SYMBOL_VALUE, FSE_MAX_TABLELOG)];
    if (HIST_count_wksp(counts, &last, data, size, histogram, sizeof histogram) == size)
        return 0;
    unsigned log = FSE_optimalTableLog(FSE_MAX_TABLELOG, size, last);
    if (ERR_isError(FSE_normalizeCount(norm, log, counts, size, last, 0)))
        return 0;
    size_t head = FSE_writeNCount(out, capacity, norm, last, log);
    if (ERR_isError(head) ||
        ERR_isError(FSE_buildCTable_wksp(table, norm, last, log, workspace, sizeof workspace)))
        return 0;
    size_t body = FSE_compress_usingCTable((BYTE *)out + head, capacity - head, data, size, table);
    return body == 0 || ERR_isError(body) ? 0 : head + body;
}

static size_t fse_decode_block(void *out, size_t size, const void *data, size_t coded)
{
    U32 workspace[FSE_DECOMPRESS_WKSP_SIZE_U32(FSE_MAX_TABLELOG, FSE_MAX_SYMBOL_VALUE)];
    return FSE_decompress_wksp_bmi2(out, size, data, coded, FSE_MAX_TABLELOG, workspace,
                                    sizeof workspace, bmi2());
}

/* huff0 and FSE: the bytes written, or 0 where a block does not shrink or `capacity` is short. */
size_t huff0_encode(const uint8_t *data, size_t size, uint8_t *out, size_t capacity)
{
    return encode_blocks(huff0_encode_block, data, size, out, capacity);
}

size_t fse_encode(const uint8_t *data, size_t size, uint8_t *out, size_t capacity)
{
    return encode_blocks(fse_encode_block, data, size, out, capacity);
}

/* The `size` symbols that were encoded: 1, or 0 if that failed. */
int huff0_decode(const uint8_t *data, uint8_t *out, size_t size)
{
    return decode_blocks(huff0_decode_block, data, out, size);
}

int fse_decode(const uint8_t *data, uint8_t *out, size_t size)
{
    return decode_blocks(fse_decode_block, data, out, size);
}
