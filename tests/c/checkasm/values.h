/*
 * Checks of the kernels between codes and values.
 */
#ifndef CHECKASM_VALUES_H
#define CHECKASM_VALUES_H

#include "body/delta.h"
#include "checkasm.h"
#include "kernels/bitpacking.h"

static uint8_t expected[MAX_COUNT * 16];

/* Packed symbols of `width` bits, one bit after the other. */
static void pack_slowly(const uint8_t *symbols, size_t count, unsigned width, uint8_t *packed)
{
    memset(packed, 0, qc_bitpacked_bytes(count, width));
    for (size_t bit = 0; bit < count * width; bit++)
        packed[bit / 8] |= (uint8_t)((symbols[bit / width] >> bit % width & 1) << bit % 8);
}

static const char *check_unpack(const qc_kernels *kernels)
{
    for (unsigned width = 1; width <= 7; width++)
        for (size_t count = 0; count <= MAX_COUNT; count += 8) {
            size_t size = count / 8 * width;
            uint8_t *packed = last_bytes(input, size), *out = room(output, count);
            fill(packed, size, (unsigned)count / 8);
            for (size_t i = 0; i < count; i++) {
                size_t bit = i * width;
                unsigned two = packed[bit / 8];
                if (bit / 8 + 1 < size)
                    two |= (unsigned)packed[bit / 8 + 1] << 8;
                expected[i] = (uint8_t)(two >> bit % 8 & ((1u << width) - 1));
            }
            size_t done = PARTIAL(kernels->unpack(packed, size, width, out, count));
            if (!is_enough(done, count) || !is_same(out, expected, done))
                WRONG("%zu of %zu symbols of %u bits", done, count, width);
        }
    return NULL;
}

static const char *check_pack(const qc_kernels *kernels)
{
    for (unsigned width = 1; width <= 7; width++)
        for (size_t count = 0; count <= MAX_COUNT; count += 8) {
            uint8_t *symbols = last_bytes(input, count), *out = room(output, count / 8 * width);
            fill(symbols, count, (unsigned)count / 8);
            for (size_t i = 0; i < count; i++)
                symbols[i] &= (uint8_t)((1u << width) - 1);
            pack_slowly(symbols, count, width, expected);
            size_t done = PARTIAL(kernels->pack(symbols, count, width, out));
            if (!is_enough(done, count) || done % 8 != 0 ||
                !is_same(out, expected, done / 8 * width))
                WRONG("%zu of %zu symbols of %u bits", done, count, width);
        }
    return NULL;
}

static const char *check_max_code(const qc_kernels *kernels)
{
    for (unsigned round = 0; round < 8; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            uint8_t *codes = last_bytes(input, count), first = (uint8_t)(random_bits() % 9);
            uint8_t found = first, max = first;
            for (size_t i = 0; i < count; i++)
                codes[i] = (uint8_t)(random_bits() % (20 * round + 1));
            if (count > 0)
                codes[random_bits() % count] = (uint8_t)random_bits(); /* in any lane */
            size_t done = PARTIAL(kernels->max_code(codes, count, &found));
            for (size_t i = 0; i < done; i++)
                max = codes[i] > max ? codes[i] : max;
            if (!is_enough(done, count) || !is_same(&found, &max, 1))
                WRONG("%zu of %zu codes: %d, not %d", done, count, found, max);
        }
    return NULL;
}

/* Where `size` bytes may begin: non-temporal stores are for whole lines. */
static uint8_t *room_for_line(size_t size, int past_cache)
{
    size_t whole = (size + QC_LINE_BYTES - 1) / QC_LINE_BYTES * QC_LINE_BYTES;
    return room(output, past_cache ? whole : size);
}

static const char *check_look_up(qc_look_up_kernel *kernel, size_t item)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 64, 65, 128, 129, 255, 256};
    static qc_look_up_table table;
    for (unsigned s = 0; s < 2 * sizeof sizes / sizeof *sizes; s++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            int past_cache = (int)(s % 2);
            uint8_t *codes = last_bytes(input, count);
            uint8_t *out = room_for_line(count * item, past_cache);
            table.entries = sizes[s / 2];
            table.item_size = item;
            fill(table.items, sizeof table.items, 0);
            qc_look_up_prepare(&table);
            for (size_t i = 0; i < count; i++) {
                codes[i] = (uint8_t)(i == 0 ? table.entries - 1 : random_bits() % table.entries);
                memcpy(expected + i * item, table.items + codes[i] * item, item);
            }
            size_t done = PARTIAL(kernel(&table, codes, count, out, past_cache));
            qc_look_up_fence();
            int must = table.entries <= QC_NO_PLANES;
            if ((must && !is_enough(done, count)) || done > count ||
                !is_same(out, expected, done * item))
                WRONG("%zu of %zu codes, %zu entries", done, count, table.entries);
        }
    return NULL;
}

static const char *check_look_up_2(const qc_kernels *kernels)
{
    return check_look_up(kernels->look_up_2, 2);
}

static const char *check_look_up_4(const qc_kernels *kernels)
{
    return check_look_up(kernels->look_up_4, 4);
}

/* From every bit of a byte on. */
static const char *check_unpack_items(const qc_kernels *kernels)
{
    static qc_look_up_table table = {.entries = QC_NO_PLANES};
    static uint8_t symbols[MAX_COUNT + 8];
    for (unsigned round = 0; round < 4 * QC_UNPACK_ITEMS_MAX_WIDTH * 8; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            unsigned width = 1 + round / 4 % QC_UNPACK_ITEMS_MAX_WIDTH, bit = round / 16;
            size_t size = (bit + count * width + 7) / 8, item = round % 2 == 0 ? 4 : 2;
            int past_cache = (int)(round / 2 % 2);
            uint8_t *packed = last_bytes(input, size), max = 0, right = 0;
            uint8_t *out = room_for_line(count * item, past_cache);
            const qc_item_run run = {&table, out, 0, NULL, past_cache};
            fill(packed, size, (unsigned)count);
            fill(table.items, sizeof table.items, 0);
            table.item_size = item;
            for (size_t i = 0; i < count; i++) {
                symbols[i] = 0;
                for (unsigned j = 0; j < width; j++) {
                    size_t at = bit + i * width + j;
                    symbols[i] |= (uint8_t)((packed[at / 8] >> at % 8 & 1u) << j);
                }
                memcpy(expected + item * i, table.items + item * symbols[i], item);
            }
            size_t done =
                PARTIAL(kernels->unpack_items(packed, size, bit, width, &run, count, &max));
            qc_look_up_fence();
            for (size_t i = 0; i < done && i < count; i++)
                right = symbols[i] > right ? symbols[i] : right;
            int must = bit % width == 0 && (bit + 32 * width <= 128);
            if ((must && !is_enough(done, count)) || done > count || max != right ||
                !is_same(out, expected, item * done))
                WRONG("%zu of %zu symbols of %u bits from bit %u, items of %zu bytes", done, count,
                      width, bit, item);
        }
    return NULL;
}

static const char *check_affine(const qc_kernels *kernels)
{
    for (unsigned round = 0; round < 24; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            int past_cache = (int)(round / 4 % 2);
            const qc_dtype dtype = (qc_dtype)(QC_F32 + round / 8); /* f32, f16, bf16 */
            uint8_t *codes = last_bytes(input, count), *out = room_for_line(4 * count, past_cache);
            float scale = (float)(random_bits() % 1000) / 1024, zero = (float)(random_bits() % 256);
            fill(codes, count, round % 8); /* the scale is exact, also in registers of 80 bits */
            for (size_t i = 0; i < count; i++) {
                uint32_t bits =
                    qc_round_to(dtype, qc_bits_of_f32(scale * ((float)codes[i] - zero)));
                memcpy(expected + 4 * i, &bits, 4);
            }
            size_t done =
                PARTIAL(kernels->affine(codes, count, scale, zero, dtype, out, past_cache));
            qc_look_up_fence();
            if (!is_enough(done, count) || !is_same(out, expected, 4 * done))
                WRONG("%zu of %zu codes", done, count);
        }
    return NULL;
}

static const char *check_affine_each(const qc_kernels *kernels)
{
    for (unsigned round = 0; round < 24; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            const qc_dtype dtype = (qc_dtype)(QC_F32 + round / 8); /* f32, f16, bf16 */
            int past_cache = (int)(round / 4 % 2);
            float *floats = (float *)last_bytes(input, 12 * count), *scales = floats + count;
            float *zeros = round % 2 == 0 ? scales + count : NULL;
            uint8_t *out = room_for_line(4 * count, past_cache);
            for (size_t i = 0; i < count; i++) {
                floats[i] = (float)(random_bits() % 512);
                scales[i] = (float)(random_bits() % 1000) / 1024; /* as of check_affine */
                scales[count + i] = (float)(random_bits() % 256);
                float step = floats[i] - (zeros != NULL ? scales[count + i] : 0);
                uint32_t bits = qc_round_to(dtype, qc_bits_of_f32(scales[i] * step));
                memcpy(expected + 4 * i, &bits, 4);
            }
            size_t done =
                PARTIAL(kernels->affine_each(floats, zeros, scales, count, dtype, out, past_cache));
            qc_look_up_fence();
            if (!is_enough(done, count) || !is_same(out, expected, 4 * done))
                WRONG("%zu of %zu floats", done, count);
        }
    return NULL;
}

static const char *check_scale(qc_scale_kernel *kernel, uint32_t (*widen)(uint32_t))
{
    static const uint16_t edges[] = {0,      0x8000, 1,      0x83FF, 0x0400, 0x7BFF, 0x7C00,
                                     0xFC00, 0x7E00, 0x7F80, 0xFF80, 0x7FC0, 0x0080, 0x3C00};
    for (unsigned round = 0; round < 8; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            int past_cache = (int)(round / 4);
            uint8_t *elements = last_bytes(input, 2 * count);
            uint8_t *out = room_for_line(4 * count, past_cache);
            float scale = (float)(random_bits() % 1000 + 1) / 1024; /* as of check_affine */
            for (size_t i = 0; i < count; i++) {
                uint16_t element = (uint16_t)random_bits();
                if (i % 5 == round)
                    element = edges[random_bits() % (sizeof edges / sizeof *edges)];
                float value = scale * qc_f32_of_bits(widen(element));
                memcpy(elements + 2 * i, &element, 2);
                memcpy(expected + 4 * i, &value, 4);
            }
            size_t done = PARTIAL(kernel(elements, count, scale, out, past_cache));
            qc_look_up_fence();
            if (!is_enough(done, count) || !is_same(out, expected, 4 * done))
                WRONG("%zu of %zu elements", done, count);
        }
    return NULL;
}

static uint32_t of_f16(uint32_t half) { return qc_f32_of_f16(half); }
static uint32_t of_bf16(uint32_t brain) { return qc_f32_of_bf16(brain); }

static const char *check_scale_f16(const qc_kernels *kernels)
{
    return check_scale(kernels->scale_f16, of_f16);
}

static const char *check_scale_bf16(const qc_kernels *kernels)
{
    return check_scale(kernels->scale_bf16, of_bf16);
}

static const char *check_merge(qc_merge_kernel *kernel, size_t size)
{
    for (unsigned round = 0; round < 6; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            qc_turn turn = (qc_turn)(round % 3);
            int past_cache = (int)(round / 3);
            uint8_t *bytes = last_bytes(input, size * count);
            uint8_t *out = room_for_line(size * count, past_cache);
            const uint8_t *planes[4];
            fill(bytes, size * count, 0);
            for (size_t plane = 0; plane < size; plane++)
                planes[plane] = bytes + plane * count;
            for (size_t i = 0; i < count; i++) {
                uint32_t word = 0;
                for (size_t plane = 0; plane < size; plane++)
                    word = word << 8 | planes[plane][i];
                if (turn == QC_ROTATED)
                    word = word >> 1 | (word & 1) << (8 * size - 1);
                if (turn == QC_OFFSET)
                    word ^= 1u << (8 * size - 1);
                for (size_t byte = 0; byte < size; byte++)
                    expected[i * size + byte] = (uint8_t)(word >> 8 * byte);
            }
            size_t done = PARTIAL(kernel(planes, count, turn, out, past_cache));
            qc_look_up_fence();
            if (!is_enough(done, count) || !is_same(out, expected, size * done))
                WRONG("%zu of %zu elements, turn %d", done, count, (int)turn);
        }
    return NULL;
}

static const char *check_merge_1(const qc_kernels *kernels)
{
    return check_merge(kernels->merge_1, 1);
}

static const char *check_merge_2(const qc_kernels *kernels)
{
    return check_merge(kernels->merge_2, 2);
}

static const char *check_merge_4(const qc_kernels *kernels)
{
    return check_merge(kernels->merge_4, 4);
}

static const char *check_add_delta_4(const qc_kernels *kernels)
{
    static int32_t quotients[MAX_COUNT];
    static uint8_t low[3 * MAX_COUNT + 16];
    const qc_delta_type type = qc_delta_type_of(QC_F32);
    for (unsigned step = 0; step < 256; step += 15)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            uint8_t *base = last_bytes(input, 4 * count), *codes = last_bytes(more_input, count);
            uint8_t *out = room(output, 4 * count);
            size_t first = random_bits() % 8, bit = first, at = first;
            fill(base, 4 * count, 0);
            fill(codes, count, 0); /* an escape now and then */
            fill(low, sizeof low, 0);
            for (size_t i = 0; i < count; i++)
                quotients[i] = (int32_t)(random_bits() % 255) - 127;
            size_t done =
                PARTIAL(kernels->add_delta_4(base, codes, quotients, count, step, low, &bit, out));
            for (size_t i = 0; i < done && i < count; i++) {
                if (codes[i] == QC_DELTA_ESCAPE) {
                    memcpy(expected + 4 * i, out + 4 * i, 4);
                    continue;
                }
                uint64_t element = qc_delta_load(base + 4 * i, 32);
                unsigned down = qc_delta_scale_of(element, step, type).down;
                uint64_t rest = qc_load64(low + at / 8) >> at % 8 & (((uint64_t)1 << down) - 1);
                uint64_t moved = ((uint64_t)(int64_t)quotients[i] << down) + rest;
                uint32_t word =
                    (uint32_t)qc_delta_order((uint32_t)(qc_delta_order(element, 32) + moved), 32);
                memcpy(expected + 4 * i, &word, 4);
                at += down;
            }
            if (!is_enough(done, count) || bit != at || !is_same(out, expected, 4 * done))
                WRONG("%zu of %zu elements, step %u, %zu bits, not %zu", done, count, step,
                      bit - first, at - first);
        }
    return NULL;
}

static const char *check_join_floats(qc_join_floats_kernel *kernel, size_t size)
{
    for (unsigned round = 0; round < 18; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            unsigned rest_bits = round / 2, bits = 8 * (unsigned)size;
            int past_cache = (int)(round % 2);
            uint8_t *bytes = last_bytes(input, size * count);
            uint8_t *out = room_for_line(size * count, past_cache);
            const uint8_t *planes[4];
            uint16_t base = (uint16_t)random_bits();
            fill(bytes, size * count, (unsigned)count);
            for (size_t plane = 0; plane < size; plane++)
                planes[plane] = bytes + plane * count;
            for (size_t i = 0; i < count; i++) {
                bytes[count + i] &= (uint8_t)((1u << rest_bits) - 1);
                uint32_t word =
                    (uint16_t)(((unsigned)planes[0][i] << rest_bits) + base + planes[1][i]);
                for (size_t plane = 2; plane < size; plane++)
                    word = word << 8 | planes[plane][i];
                word = word >> 1 | (word & 1) << (bits - 1);
                for (size_t byte = 0; byte < size; byte++)
                    expected[i * size + byte] = (uint8_t)(word >> 8 * byte);
            }
            size_t done = PARTIAL(kernel(planes, count, rest_bits, base, out, past_cache));
            qc_look_up_fence();
            if (!is_enough(done, count) || !is_same(out, expected, size * done))
                WRONG("%zu of %zu elements, %u bits beside the symbol", done, count, rest_bits);
        }
    return NULL;
}

static const char *check_join_floats_2(const qc_kernels *kernels)
{
    return check_join_floats(kernels->join_floats_2, 2);
}

static const char *check_join_floats_4(const qc_kernels *kernels)
{
    return check_join_floats(kernels->join_floats_4, 4);
}

/* Floats of all sorts: most of them in the range of f16, some at its edges or not finite. */
static void fill_floats(uint32_t *bits, size_t count, unsigned round)
{
    static const uint32_t edges[] = {0,          0x80000000, 1,          0x7F800000, 0xFF800000,
                                     0x7FC00000, 0xFFFFFFFF, 0x7F800001, 0x33000000, 0x33000001,
                                     0x387FFFFF, 0x38800000, 0x477FEFFF, 0x477FF000, 0x7F7FFFFF};
    for (size_t i = 0; i < count; i++) {
        uint32_t exponent = (100 + (uint32_t)(random_bits() % 48)) << 23; /* in f16's */
        bits[i] = (uint32_t)random_bits();
        if (i % 3 == 0)
            bits[i] = (bits[i] & 0x807FFFFF) | exponent;
        if (i % 5 == round)
            bits[i] = edges[random_bits() % (sizeof edges / sizeof *edges)];
    }
}

static const char *check_narrow(qc_narrow_kernel *kernel, uint32_t (*narrow)(uint32_t))
{
    for (unsigned round = 0; round < 4; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            uint32_t *bits = (uint32_t *)last_bytes(input, 4 * count);
            uint16_t *out = (uint16_t *)room(output, 2 * count), *right = (uint16_t *)expected;
            fill_floats(bits, count, round);
            for (size_t i = 0; i < count; i++)
                right[i] = (uint16_t)narrow(bits[i]);
            size_t done = PARTIAL(kernel(bits, count, out));
            if (!is_enough(done, count) || !is_same(out, right, 2 * done))
                WRONG("%zu of %zu floats", done, count);
        }
    return NULL;
}

static uint32_t f16_of(uint32_t bits) { return qc_f16_of_f32(bits); }
static uint32_t bf16_of(uint32_t bits) { return qc_bf16_of_f32(bits); }

static const char *check_f16_of_f32(const qc_kernels *kernels)
{
    return check_narrow(kernels->f16_of_f32, f16_of);
}

static const char *check_bf16_of_f32(const qc_kernels *kernels)
{
    return check_narrow(kernels->bf16_of_f32, bf16_of);
}

static const char *check_round(qc_round_kernel *kernel, uint32_t (*there_and_back)(uint32_t))
{
    for (unsigned round = 0; round < 8; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            int past_cache = (int)(round / 4);
            uint32_t *bits = (uint32_t *)last_bytes(input, 4 * count);
            uint32_t *right = (uint32_t *)expected;
            uint8_t *out = room_for_line(4 * count, past_cache);
            fill_floats(bits, count, round % 4);
            for (size_t i = 0; i < count; i++)
                right[i] = there_and_back(bits[i]);
            size_t done = PARTIAL(kernel(bits, count, out, past_cache));
            qc_look_up_fence();
            if (!is_enough(done, count) || !is_same(out, right, 4 * done))
                WRONG("%zu of %zu floats", done, count);
        }
    return NULL;
}

static uint32_t by_f16(uint32_t bits) { return qc_f32_of_f16(qc_f16_of_f32(bits)); }
static uint32_t by_bf16(uint32_t bits) { return qc_f32_of_bf16(qc_bf16_of_f32(bits)); }

static const char *check_round_to_f16(const qc_kernels *kernels)
{
    return check_round(kernels->round_to_f16, by_f16);
}

static const char *check_round_to_bf16(const qc_kernels *kernels)
{
    return check_round(kernels->round_to_bf16, by_bf16);
}

#endif /* CHECKASM_VALUES_H */
