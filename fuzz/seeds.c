/*
 * Writes the corpus that the fuzzer starts from: `seeds FOLDER` fills FOLDER/<target>/ with small
 * valid frames of every kind, positions form and profile, with streams of every coding, and with a
 * pack.
 */
#define MAX_ELEMENTS ((size_t)1 << 18) /* of decode_large, for the base of deltas */
#include "harness.h"
#include "lanes_seeds.h"

enum {
    ENTRIES = 13, /* an odd number, so that the last code of a book can be wrong */
    MAX_ROWS = 61,
    CAPACITY = 1 << 16 /* of a seed; larger ones would be slow */
};

/* Tensors of odd shapes, so that the last symbol of a mask can be wrong. */
typedef struct shape {
    const char *target;
    unsigned rows, columns;
    unsigned sparsity; /* sparse forms store about one in so many elements... */
    unsigned symbols;  /* ...of so many values */
} shape;

static const shape shapes[] = {
    {"decode_frame", 13, 29, 3, ENTRIES},
    {"decode_large", 61, 113, 5, ENTRIES}, /* some blocks of 2,048 elements */
    {"decode_large", 5, 4093, 20, 2},      /* rows longer than a block */
};

static const char *folder;
static uint8_t workspace[1 << 23];

static void save(const char *target, unsigned number, const uint8_t *data, size_t size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/seed-%03u", folder, target, number);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* Skewed symbols, as weights' indices are: small ones are frequent. */
static unsigned next_symbol(uint32_t *state, unsigned below)
{
    *state = *state * 1664525u + 1013904223u;
    unsigned a = (*state >> 8) % below;
    unsigned b = (*state >> 20) % below;
    return a < b ? a : b;
}

/* ---- frames --------------------------------------------------------------- */

typedef struct parameters {
    uint8_t codebook[4 * ENTRIES];
    uint8_t shuffled[4 * ENTRIES]; /* all of the entries, in another order */
    uint8_t scales[4 * MAX_ROWS];
    uint8_t zero_points[2 * MAX_ROWS];
} parameters;

static void fill_parameters(parameters *p)
{
    for (int i = 0; i < ENTRIES; i++) {
        float value = (float)(i * i) / 7;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        qc_store32(p->codebook + 4 * i, bits);
        qc_store32(p->shuffled + 4 * (5 * i % ENTRIES), bits);
    }
    for (int i = 0; i < MAX_ROWS; i++) {
        qc_store32(p->scales + 4 * i, 0x3F000000u + ((uint32_t)i << 16));
        qc_store16(p->zero_points + 2 * i, (uint32_t)i);
    }
}

static qc_frame frame_of(const shape *of, qc_kind kind, qc_positions positions, int scaled,
                         const parameters *p)
{
    qc_frame frame = {0};
    frame.dtype = QC_F32;
    frame.kind = kind;
    frame.positions = positions;
    frame.ndim = 2;
    frame.dims[0] = of->rows;
    frame.dims[1] = of->columns;
    frame.chunk_elements = scaled ? 4 * of->columns : 0;
    frame.gap_width = positions == QC_GAPS ? 3 : 5;
    frame.width = 4;
    frame.codebook.entries = ENTRIES;
    frame.codebook.books.dtype = QC_F32;
    frame.codebook.books.count = frame.codebook.books.inner = 1;
    frame.codebook.books.values = scaled ? p->shuffled : p->codebook;
    if (scaled) {
        frame.scales = (qc_groups){
            .dtype = QC_F32, .inner = of->columns, .count = of->rows, .values = p->scales};
        frame.zero_points.groups = (qc_groups){
            .dtype = QC_U16, .inner = of->columns, .count = of->rows, .values = p->zero_points};
    }
    frame.delta.digest = p->scales; /* nothing is checked by it here */
    frame.delta.base = fuzz_base();
    frame.delta.step = 128;
    frame.delta.filter_width = scaled ? 3 : 1;
    frame.delta.filter_height = scaled ? 2 : 1;
    return frame;
}

static int is_full(const qc_frame *frame)
{
    return frame->positions == QC_DENSE || frame->positions == QC_COPIES;
}

/* Fill one chunk: all of its elements if dense or copies, else some. */
static qc_chunk_input input_of(const shape *of, const qc_frame *frame, size_t first,
                               uint32_t *positions, uint8_t *values)
{
    uint32_t state = (uint32_t)first + 1;
    size_t size = frame->kind == QC_AFFINE || frame->kind == QC_CODEBOOK ? 1 : frame->item_size;
    qc_chunk_input input = {.first = first, .filler = 0};
    input.elements = frame->elements - first;
    if (frame->chunk_elements > 0 && frame->chunk_elements < input.elements)
        input.elements = frame->chunk_elements;
    for (size_t i = 0; i < input.elements; i++) {
        if (is_full(frame) || next_symbol(&state, 2 * of->sparsity) < 1)
            positions[input.stored++] = (uint32_t)i;
    }
    for (size_t i = 0; i < input.stored * size; i++)
        values[i] = (uint8_t)next_symbol(&state, of->symbols);
    if (frame->kind == QC_DELTA) /* near to the base, but for one element of a row */
        memcpy(values, fuzz_base() + first * size, input.stored * size);
    for (size_t i = 0; frame->kind == QC_DELTA && i < input.stored; i++)
        values[i * size + (i % of->columns == 0 ? 3 : 0)] ^= (uint8_t)next_symbol(&state, 256);
    if (frame->positions == QC_COPIES) /* rows in turn, and mirrored ones */
        for (size_t i = of->columns; i < input.stored; i++)
            memcpy(values + i * size,
                   values + (i / of->columns % 3 == 0 ? 2 * (i - i % of->columns) - i - 1
                                                      : i - of->columns) *
                                size,
                   size);
    input.positions = is_full(frame) ? NULL : positions;
    input.values = values;
    return input;
}

static qc_bytes encode_chunk(const qc_frame *frame, const qc_chunk_input *input, qc_profile profile,
                             uint64_t *features)
{
    const qc_encoding encoding = {~(uint64_t)0, profile, QC_EFFORT_USUAL};
    size_t capacity = qc_chunk_bound(frame, input), size;
    uint8_t *data = buffer_of(capacity, 0);
    PROMISE(qc_chunk_encode_workspace(frame, input) <= sizeof workspace);
    PROMISE(qc_chunk_encode(frame, input, &encoding, data, capacity, &size, features, workspace,
                            sizeof workspace, NULL) == QC_OK);
    return (qc_bytes){data, size};
}

/* Encode into `out`; returns the frame's length, or 0 if it is too long or the combination does
   not exist. */
static size_t encode(const shape *of, qc_frame *frame, qc_profile profile, uint8_t *out)
{
    static uint32_t positions[MAX_ELEMENTS];
    static uint8_t values[4 * MAX_ELEMENTS], bodies[CAPACITY];
    qc_bytes chunks[MAX_ROWS];
    uint64_t features = 0;
    if (qc_frame_plan(frame, NULL) != QC_OK)
        return 0;
    PROMISE(qc_parameters_bound(frame) <= CAPACITY);
    PROMISE(qc_parameters_encode_workspace(frame) <= sizeof workspace);
    PROMISE(qc_parameters_encode(frame, ~(uint64_t)0, profile, bodies, CAPACITY, &features,
                                 workspace, sizeof workspace, NULL) == QC_OK);
    for (size_t i = 0; i < frame->chunks; i++) {
        qc_chunk_input input = input_of(of, frame, i * frame->chunk_elements, positions, values);
        chunks[i] = encode_chunk(frame, &input, profile, &features);
    }
    size_t size = qc_frame_size(frame, features, chunks);
    if (size <= CAPACITY)
        PROMISE(qc_frame_write(frame, features, chunks, out, CAPACITY, NULL) == QC_OK);
    for (size_t i = 0; i < frame->chunks; i++)
        free((void *)(uintptr_t)chunks[i].data);
    return size <= CAPACITY ? size : 0;
}

static unsigned save_frames(const shape *of, unsigned number, const parameters *p)
{
    static uint8_t out[CAPACITY];
    for (int kind = QC_BYTES; kind < QC_KIND_COUNT; kind++) {
        for (int variant = 0; variant < QC_POSITIONS_COUNT * 2 * 4; variant++) {
            int positions = variant % QC_POSITIONS_COUNT,
                profile = variant / QC_POSITIONS_COUNT / 2;
            int scaled = variant / QC_POSITIONS_COUNT % 2;
            qc_frame frame = frame_of(of, (qc_kind)kind, (qc_positions)positions, scaled, p);
            if (kind != QC_AFFINE && kind != QC_CODEBOOK)
                frame.scales.count = 0;
            if (positions == QC_COPIES) /* only elements that share their groups are copied */
                frame.scales.count = frame.zero_points.groups.count = 0;
            size_t size = encode(of, &frame, (qc_profile)profile, out);
            if (size > 0)
                save(of->target, number++, out, size);
        }
    }
    return number;
}

static void save_all_frames(const parameters *p)
{
    unsigned number = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        number = save_frames(&shapes[i], number, p);
    printf("%u frames\n", number);
}

/* A frame of bytes: a table of a pack. */
static size_t encode_bytes(const uint8_t *bytes, size_t count, uint8_t *out)
{
    static uint8_t chunk[CAPACITY], workspace[1 << 20];
    qc_frame frame = {.dtype = QC_U8, .kind = QC_BYTES, .ndim = 1, .dims = {count}};
    qc_chunk_input input = {0, count, count, NULL, bytes, -1};
    qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_FIXED, QC_EFFORT_USUAL};
    qc_bytes encoded = {chunk, 0};
    uint64_t features = 0;
    PROMISE(qc_frame_plan(&frame, NULL) == QC_OK);
    PROMISE(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &encoded.size,
                            &features, workspace, sizeof workspace, NULL) == QC_OK);
    PROMISE(qc_frame_write(&frame, features, &encoded, out, CAPACITY, NULL) == QC_OK);
    return qc_frame_size(&frame, features, &encoded);
}

static void save_pack(const parameters *p)
{
    static uint8_t frames[3][CAPACITY], out[3 * CAPACITY], content[256];
    const char *names = "fc.weightfc.biasrunstied";
    qc_frame first = frame_of(&shapes[0], QC_CODEBOOK, QC_GAPS, 0, p);
    qc_frame second = frame_of(&shapes[0], QC_BYTES, QC_DENSE, 0, p);
    size_t sizes[] = {encode(&shapes[0], &first, QC_SMALL, frames[0]),
                      encode(&shapes[0], &second, QC_FIXED, frames[1])};
    qc_pack_entry entries[] = {
        {.name_offset = 0, .name_bytes = 9, .bytes = sizes[0]},
        {.name_offset = 9, .name_bytes = 7, .role = QC_PACK_FIRST, .bytes = sizes[1], .ndim = 1},
        {.name_offset = 16, .name_bytes = 4, .role = QC_PACK_NEXT, .ndim = 1, .dims_offset = 1},
        {.name_offset = 20, .name_bytes = 4, .role = QC_PACK_SAME, .target_bytes = 9},
    };
    const uint64_t dims[] = {2, 3};
    size_t size = qc_pack_content_bytes(entries, 4, dims);
    PROMISE(qc_pack_write_content(names, dims, entries, 4, content, sizeof content, NULL) == QC_OK);
    size_t table = encode_bytes(content, size, frames[2]);
    size_t at = qc_pack_write_head(table, out);
    memcpy(out + at, frames[2], table);
    memcpy(out + at + table, frames[0], sizes[0]);
    memcpy(out + at + table + sizes[0], frames[1], sizes[1]);
    save("decode_pack", 0, out, at + table + sizes[0] + sizes[1]);
}

/* ---- streams ------------------------------------------------------------------ */

/* The prefix of decode_stream, then a body. */
static void save_body(unsigned number, unsigned coding, unsigned width, size_t count,
                      const uint8_t *body, size_t size)
{
    static uint8_t seed[CAPACITY];
    seed[0] = (uint8_t)coding;
    seed[1] = (uint8_t)(width - 1);
    qc_store16(seed + 2, (uint32_t)count);
    seed[4] = (uint8_t)number; /* path */
    memcpy(seed + 5, body, size);
    save("decode_stream", number, seed, 5 + size);
}

/* The prefix of roundtrip_stream, then symbols of any alphabet. */
static void save_symbols(unsigned number, unsigned width, const uint8_t *symbols, size_t count)
{
    static uint8_t seed[CAPACITY];
    size_t size = count * qc_symbol_size(width);
    seed[0] = (uint8_t)(width - 1);
    seed[1] = 0;
    seed[2] = (uint8_t)number;       /* path */
    seed[3] = (uint8_t)(number / 3); /* request */
    memcpy(seed + 4, symbols, size);
    save("roundtrip_stream", number, seed, 4 + size);
}

static void save_stream(unsigned number, unsigned coding, unsigned width, size_t count)
{
    static uint8_t symbols[8192], stream[CAPACITY];
    uint32_t state = number;
    size_t size;
    for (size_t i = 0; i < count; i++) {
        unsigned symbol = coding == QC_CONSTANT ? 1 : next_symbol(&state, 1u << width);
        uint16_t wide = (uint16_t)symbol;
        if (width <= 8)
            symbols[i] = (uint8_t)symbol;
        else
            memcpy(symbols + 2 * i, &wide, sizeof wide);
    }
    if (qc_stream_encode(symbols, count, width, QC_CODING_MASK(coding), QC_SMALL, stream, CAPACITY,
                         &size, workspace, NULL, NULL) != QC_OK)
        return; /* this coding does not have this width */
    size_t header = 1 + qc_vu_size(size);
    while (header > 1 && header - 1 != qc_vu_size(size - header))
        header--;
    save_body(number, coding, width, count, stream + header, size - header);
    save_symbols(number, width, symbols, count);
}

static void save_lanes(unsigned number)
{
    static uint8_t symbols[1024], body[CAPACITY];
    const size_t counts[] = {0, 1, 255, 256, 257, 700};
    for (size_t i = 0; i < sizeof lanes_seeds / sizeof *lanes_seeds; i++) {
        const lanes_seed *seed = &lanes_seeds[i];
        unsigned coding = seed->code.state_bits > 0 ? QC_LANES_TANS : QC_LANES_HUFFMAN;
        for (size_t k = 0; k < sizeof symbols; k++)
            symbols[k] = lanes_symbol(seed, k);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            size_t size = write_lanes_body(symbols, counts[c], &seed->code, body);
            save_body(number++, coding, seed->width, counts[c], body, size);
        }
    }
}

/* Routed streams: split and contexts, classes and maps of every kind, bitpacked and constant. */
static void save_routed(unsigned number)
{
    static const uint8_t split[] = {4, 0x11, 1, 1, 0x0A, 1, 1, 2, 2, 0, 1, 1,
                                    2, 1,    1, 9, 2,    0, 1, 2, 2, 1, 1, 6};
    static const uint8_t split_rows[] = {2, 3, 1, 1, 0xE4, 2, 1, 1, 4, 2, 0,
                                         1, 1, 2, 0, 1,    2, 2, 1, 1, 3};
    static const uint8_t classes[] = {2, 4, 0x11, 1, 1, 0x0A, 1, 1, 2, 16, 8, 0x35, 0x94, 0x6B};
    static const uint8_t neighbours[] = {3, 2, 2, 2, 2, 5, 10, 0x9C, 0x11, 0x72, 1};
    static const uint8_t above[] = {3, 4, 2, 0x82, 2, 5, 10, 0x9C, 0x11, 0x72, 1};
    save_body(number, QC_SPLIT, 2, 8, split, sizeof split);
    save_body(number + 1, QC_SPLIT, 2, 8, split_rows, sizeof split_rows);
    save_body(number + 2, QC_CONTEXTS, 2, 8, classes, sizeof classes);
    save_body(number + 3, QC_CONTEXTS, 2, 8, neighbours, sizeof neighbours);
    save_body(number + 4, QC_CONTEXTS, 2, 8, above, sizeof above);
}

static void save_streams(void)
{
    const unsigned widths[] = {1, 3, 4, 8, 9, 16};
    const size_t counts[] = {1, 40, 300};
    unsigned number = 0;
    for (unsigned coding = 0; coding < QC_CODING_COUNT; coding++) {
        for (unsigned w = 0; w < 6; w++) {
            for (unsigned c = 0; c < 3; c++)
                save_stream(number++, coding, widths[w], counts[c]);
        }
    }
    save_routed(number);
    save_lanes(number + 5);
}

int main(int argc, char **argv)
{
    parameters p;
    if (argc != 2) {
        fprintf(stderr, "usage: seeds FOLDER (with a folder for each target)\n");
        return 2;
    }
    folder = argv[1];
    fill_parameters(&p);
    save_all_frames(&p);
    save_pack(&p);
    save_streams();
    return 0;
}
