/*
 * A chunk is encoded in the codings that are allowed and in no others, whatever they are, in every
 * profile and with every effort, or refused because none of them holds it; and what was encoded
 * decodes to what it was.
 */
#include "base/bytes.h"
#include "support.h"

enum { ROWS = 24, CHANNELS = 4, SIDE = 3, ROW = CHANNELS * SIDE * SIDE, ELEMENTS = ROWS * ROW };
#define ALL ((1u << QC_CODING_COUNT) - 1)

static uint8_t workspace[1 << 21], chunk[1 << 17], file[1 << 17], bodies[1 << 16];
static uint8_t codebook[4 * 8], scales[4 * ROWS], zero_points[2 * ROWS];
static uint32_t positions[ELEMENTS], found_positions[ELEMENTS];
static uint8_t values[8 * ELEMENTS], found[8 * ELEMENTS], base[8 * ELEMENTS];

/* Codes that follow their rows, their columns and their neighbours, each a little. */
static unsigned code_at(size_t i, unsigned below)
{
    unsigned noise = random_bits() % 4 == 0 ? (unsigned)(random_bits() >> 20) : 0;
    return (unsigned)(i / ROW / 8 + i % ROW / 12 + noise) % below;
}

static qc_frame frame_of(qc_kind kind, qc_positions form, int is_flat)
{
    qc_frame frame = {.dtype = QC_F32, .kind = kind, .positions = form, .ndim = is_flat ? 2 : 4};
    const uint64_t dims[] = {ROWS, is_flat ? ROW : CHANNELS, SIDE, SIDE};
    memcpy(frame.dims, dims, sizeof dims);
    frame.gap_width = 9;
    frame.width = 4;
    frame.codebook.entries = 7;
    frame.codebook.books.count = frame.codebook.books.inner = 1;
    frame.codebook.books.values = codebook;
    frame.scales.dtype = QC_F32;
    frame.scales.inner = ROW;
    frame.scales.count = kind != QC_AFFINE ? 0 : form == QC_COPIES ? 1 : ROWS;
    frame.zero_points.groups.count = frame.scales.count;
    frame.scales.values = scales;
    frame.zero_points.groups.values = zero_points;
    frame.delta.digest = scales;
    frame.delta.base = base;
    frame.delta.step = 128;
    frame.delta.filter_width = frame.delta.filter_height = SIDE;
    return frame;
}

static size_t value_size(qc_kind kind) { return kind == QC_AFFINE || kind == QC_CODEBOOK ? 1 : 4; }

static int is_full(const qc_frame *frame)
{
    return frame->positions == QC_DENSE || frame->positions == QC_COPIES;
}

/* Every element if dense or copies, else two thirds. */
static qc_chunk_input fill(const qc_frame *frame)
{
    qc_chunk_input input = {0, ELEMENTS, 0, NULL, values, 0};
    size_t size = value_size(frame->kind);
    for (size_t i = 0; i < ELEMENTS; i++) {
        if (!is_full(frame) && i % ROW % 3 == 0 && random_bits() % 8 != 0)
            continue;
        unsigned code = code_at(i, 7);
        uint32_t bits = 0x3F800000u + (code << 17) + (uint32_t)(random_bits() >> 48);
        memcpy(base + 4 * i, &bits, 4);
        bits += code << 4;
        if (size == 1)
            values[input.stored] = (uint8_t)code;
        else
            memcpy(values + 4 * input.stored, &bits, 4);
        positions[input.stored++] = (uint32_t)i;
    }
    input.positions = is_full(frame) ? NULL : positions;
    return input;
}

static void check_decodes(size_t size, const qc_frame *frame, const qc_chunk_input *input)
{
    qc_frame read;
    qc_chunk only;
    size_t bytes = input->stored * value_size(frame->kind);
    uint32_t *places = input->positions != NULL ? found_positions : NULL;
    CHECK(qc_frame_read(file, size, QC_WHOLE | QC_VERIFY, &read, NULL) == QC_OK, "head");
    CHECK(qc_parameters_decode(&read, bodies, workspace, NULL) == QC_OK, "parameters");
    CHECK(qc_frame_chunks(&read, file, &only, NULL) == QC_OK, "chunk");
    read.delta.base = base;
    memset(found, 0xA5, bytes);
    CHECK(qc_chunk_decode_codes(&read, &only, file + only.offset, input->stored, places, found, 0,
                                workspace, NULL) == QC_OK,
          "decoding");
    CHECK(memcmp(found, values, bytes) == 0, "values");
    CHECK(places == NULL || memcmp(places, positions, 4 * input->stored) == 0, "positions");
    CHECK(frame->kind != QC_AFFINE ||
              memcmp(read.scales.values, scales, 4 * read.scales.count) == 0,
          "scales");
}

/* Returns whether it was encoded. */
static int round_trip(qc_frame *frame, const qc_chunk_input *input, qc_encoding encoding)
{
    static uint8_t coded[1 << 16];
    qc_error error = {"nothing", 0, 0, 0};
    qc_bytes bytes = {chunk, 0};
    uint64_t features = 0;
    CHECK(qc_parameters_encode(frame, encoding.codings, encoding.profile, coded, sizeof coded,
                               &features, workspace, sizeof workspace, NULL) == QC_OK,
          "parameters");
    size_t bound = qc_chunk_bound(frame, input);
    qc_status status = qc_chunk_encode(frame, input, &encoding, chunk, bound, &bytes.size,
                                       &features, workspace, sizeof workspace, &error);
    CHECK((features & ~encoding.codings) == 0, "codings %llx are not among %llx",
          (unsigned long long)features, (unsigned long long)encoding.codings);
    if (status != QC_OK) {
        CHECK(status == QC_INVALID, "%s: %s", qc_status_name(status), error.what);
        CHECK(strcmp(error.what, "stream: no allowed coding holds the symbols") == 0, "%s",
              error.what);
        return 0;
    }
    CHECK(bytes.size <= bound, "%zu bytes of %zu", bytes.size, bound);
    size_t size = qc_frame_size(frame, features, &bytes);
    CHECK(qc_frame_write(frame, features, &bytes, file, sizeof file, NULL) == QC_OK, "writing");
    check_decodes(size, frame, input);
    return 1;
}

/* Each coding alone and left out, and those that route to others with few others. */
static unsigned set_of_codings(unsigned number)
{
    const unsigned split = QC_CODING_MASK(QC_SPLIT), contexts = QC_CODING_MASK(QC_CONTEXTS);
    const unsigned constant = QC_CODING_MASK(QC_CONSTANT), bitpacked = QC_CODING_MASK(QC_BITPACKED);
    const unsigned few[] = {ALL,
                            split | contexts,
                            split | constant,
                            contexts | constant,
                            split | bitpacked,
                            contexts | bitpacked,
                            split | constant | QC_CODING_MASK(QC_HUFFMAN),
                            contexts | constant | QC_CODING_MASK(QC_HUFFMAN),
                            split | contexts | constant | QC_CODING_MASK(QC_LANES_TANS)};
    if (number < QC_CODING_COUNT)
        return 1u << number;
    if (number < 2 * QC_CODING_COUNT)
        return ALL & ~(1u << (number - QC_CODING_COUNT));
    return few[number - 2 * QC_CODING_COUNT];
}

static void check_codings(qc_frame *frame, const qc_chunk_input *input)
{
    static const unsigned efforts[] = {1, QC_EFFORT_PLACES, QC_EFFORT_USUAL, QC_EFFORT_HIGH,
                                       QC_EFFORT_MAX};
    unsigned encoded = 0;
    for (unsigned number = 0; number < 2 * QC_CODING_COUNT + 9; number++) {
        for (unsigned profile = QC_FAST; profile <= QC_FIXED; profile++) {
            unsigned effort = efforts[(number + profile) % 5];
            encoded += (unsigned)round_trip(
                frame, input, (qc_encoding){set_of_codings(number), (qc_profile)profile, effort});
        }
    }
    CHECK(encoded > 20, "%u of all", encoded);
    for (unsigned i = 0; i < 5; i++)
        CHECK(round_trip(frame, input, (qc_encoding){ALL, QC_SMALL, efforts[i]}), "effort");
}

int main(void)
{
    for (unsigned i = 0; i < sizeof scales; i++)
        scales[i] = (uint8_t)(i % 4 == 3 ? 0x3D : i % 4 == 2 ? 16 * (i / 4 % 8) : 0);
    for (unsigned i = 0; i < ROWS; i++)
        qc_store16(zero_points + 2 * i, i % 3);
    for (unsigned i = 0; i < 7; i++)
        qc_store32(codebook + 4 * i, i == 0 ? 0 : 0x3F800000u + (i << 20));
    for (int kind = QC_BYTES; kind < QC_KIND_COUNT; kind++) {
        for (int form = QC_DENSE; form < QC_POSITIONS_COUNT; form++) {
            for (int is_flat = 0; is_flat < 2; is_flat++) {
                qc_frame frame = frame_of((qc_kind)kind, (qc_positions)form, is_flat);
                if (kind == QC_DELTA && form != QC_DENSE)
                    continue;
                CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "plan");
                qc_chunk_input input = fill(&frame);
                check_codings(&frame, &input);
            }
        }
    }
    return 0;
}
