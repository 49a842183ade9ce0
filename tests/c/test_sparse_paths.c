/*
 * Sparse tensors of every form of positions decode on every path to what was encoded: densities
 * from nothing to everything, books that leave room for a code of zero and one that does not, whole
 * tensors and ranges, and no byte beyond the output.
 */
#include "base/bytes.h"
#include "support.h"

#define ROWS     7
#define ROW      613
#define ELEMENTS ((size_t)ROWS * ROW)
#define ROUNDS   160

static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
static guarded output;
static uint32_t positions[ELEMENTS];
static uint8_t codes[ELEMENTS], chunk[1 << 17], file[1 << 17], workspace[1 << 20];
static float book[256], expected[ELEMENTS];
static uint8_t stored_book[sizeof book];
static size_t stored;

static unsigned random_below(unsigned limit) { return (unsigned)((random_bits() >> 9) % limit); }

/* Random elements, one in `one_in` of them stored; code 0 stands for zero. */
static void choose(unsigned one_in, unsigned entries)
{
    stored = 0;
    book[0] = 0;
    for (unsigned i = 1; i < entries; i++)
        book[i] = (float)random_below(1000) / 8 + 1;
    for (size_t i = 0; i < ELEMENTS; i++) {
        expected[i] = 0;
        if (random_below(one_in) != 0)
            continue;
        positions[stored] = (uint32_t)i;
        codes[stored] = (uint8_t)random_below(entries);
        expected[i] = book[codes[stored++]];
    }
}

/* The frame, in `file`; its length. */
static size_t encode(qc_positions form, unsigned entries)
{
    qc_frame frame = {.dtype = QC_F32, .kind = QC_CODEBOOK, .positions = form, .ndim = 2};
    qc_chunk_input input = {0, ELEMENTS, stored, positions, codes, 0};
    qc_bytes bytes = {chunk, 0};
    uint64_t features = 0;
    frame.dims[0] = ROWS;
    frame.dims[1] = ROW;
    frame.gap_width = form == QC_MASK ? 0 : 1 + random_below(10);
    frame.codebook.entries = entries;
    frame.codebook.books.dtype = QC_F32;
    frame.codebook.books.count = frame.codebook.books.inner = 1;
    memcpy(stored_book, book, sizeof book);
    qc_swap_if_big_endian(stored_book, sizeof *book, entries);
    frame.codebook.books.values = stored_book;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "planning");
    const qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_SMALL, QC_EFFORT_USUAL};
    CHECK(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &bytes.size, &features,
                          workspace, sizeof workspace, NULL) == QC_OK,
          "encoding");
    size_t size = qc_frame_size(&frame, features, &bytes);
    CHECK(qc_frame_write(&frame, features, &bytes, file, sizeof file, NULL) == QC_OK, "writing");
    return size;
}

static void check_range(size_t size, size_t first, size_t count)
{
    qc_frame frame;
    qc_chunk chunks[1];
    uint8_t *out = last_bytes(output, 4 * count);
    CHECK(qc_frame_read(file, size, QC_WHOLE, &frame, NULL) == QC_OK, "head");
    CHECK(qc_frame_chunks(&frame, file, chunks, NULL) == QC_OK, "chunks");
    CHECK(qc_frame_decode(&frame, chunks, file, 0, first, count, QC_F32, out, 0, workspace, NULL) ==
              QC_OK,
          "decoding from %zu, %zu elements", first, count);
    CHECK(memcmp(out, expected + first, 4 * count) == 0, "path %x: from %zu, %zu elements",
          qc_cpu_selected(), first, count);
}

int main(void)
{
    static const unsigned one_in[] = {1, 2, 10, 100, 100000}, entries[] = {2, 16, 60, 255, 256};
    output = guarded_memory(4 * ELEMENTS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned book_entries = entries[random_below(5)];
        choose(one_in[round % 5], book_entries);
        size_t size = encode((qc_positions)(QC_GAPS + random_below(3)), book_entries);
        size_t first = random_below(ELEMENTS), count = random_below((unsigned)(ELEMENTS - first));
        for (unsigned path = 0; path < sizeof paths / sizeof *paths; path++) {
            qc_cpu_select(paths[path]);
            check_range(size, 0, ELEMENTS);
            check_range(size, first, count);
        }
    }
    return 0;
}
