/*
 * The table of code lengths at the start of a Huffman body: one nibble per symbol, with runs of
 * absent symbols and of equal lengths shortened. Reading one never writes beyond the declared
 * number of symbols, and ends with the check that the code is complete.
 */
#include "codings/huffman_code.h"

#define RUN_OF_ABSENT  13
#define RUN_OF_SAME    14
#define SHORTEST_RUN   3
#define LONGEST_RUN    (SHORTEST_RUN + 15)
#define NOT_YET_LENGTH 16 /* no nibble: there is no previous symbol */

typedef struct nibble_reader {
    qc_reader *reader;
    unsigned byte;
    int half; /* a nibble of `byte` is left */
} nibble_reader;

static qc_status read_nibble(nibble_reader *from, unsigned *nibble, qc_error *error)
{
    if (!from->half)
        QC_TRY(qc_read_u8(from->reader, &from->byte, "huffman: code lengths", error));
    *nibble = from->half ? from->byte >> 4 : from->byte & 15;
    from->half = !from->half;
    return QC_OK;
}

/* Read the next length and how many symbols have it. */
static qc_status read_run(nibble_reader *from, unsigned *length, unsigned *run, qc_error *error)
{
    unsigned nibble, extra, previous = *length;
    QC_TRY(read_nibble(from, &nibble, error));
    if (nibble <= QC_HUFFMAN_MAX_LENGTH) {
        *length = nibble;
        *run = 1;
        return QC_OK;
    }
    QC_CHECK(nibble <= RUN_OF_SAME, QC_UNSUPPORTED, "huffman: reserved code length",
             from->reader->at - 1, nibble, RUN_OF_SAME);
    QC_CHECK(nibble == RUN_OF_ABSENT || previous != NOT_YET_LENGTH, QC_CORRUPT,
             "huffman: the first code length repeats another", from->reader->at - 1, nibble,
             RUN_OF_ABSENT);
    QC_TRY(read_nibble(from, &extra, error));
    *length = nibble == RUN_OF_ABSENT ? 0 : previous;
    *run = SHORTEST_RUN + extra;
    return QC_OK;
}

qc_status qc_huffman_read_lengths(qc_reader *reader, unsigned max_symbols, uint8_t *lengths,
                                  unsigned *symbols, qc_error *error)
{
    nibble_reader from = {reader, 0, 0};
    unsigned last, length = NOT_YET_LENGTH, run;

    QC_TRY(qc_read_u8(reader, &last, "huffman: number of symbols", error));
    QC_CHECK(last < max_symbols, QC_CORRUPT, "huffman: number of symbols", reader->at - 1, last + 1,
             max_symbols);
    *symbols = last + 1;
    for (unsigned at = 0; at < *symbols; at += run) {
        QC_TRY(read_run(&from, &length, &run, error));
        QC_CHECK(run <= *symbols - at, QC_CORRUPT, "huffman: run of code lengths", reader->at - 1,
                 at + run, *symbols);
        memset(lengths + at, (int)length, run);
    }
    QC_CHECK(!from.half || from.byte >> 4 == 0, QC_CORRUPT,
             "huffman: filling nibble of the code lengths", reader->at - 1, from.byte >> 4, 0);
    QC_CHECK(qc_huffman_is_complete(lengths, *symbols), QC_CORRUPT,
             "huffman: code lengths do not make a complete code", reader->at - 1, 0, 1);
    return QC_OK;
}

/* The number of equal lengths from lengths[0] on, up to LONGEST_RUN. */
static unsigned run_length(const uint8_t *lengths, unsigned left)
{
    unsigned run = 1;
    while (run < left && run < LONGEST_RUN && lengths[run] == lengths[0])
        run++;
    return run;
}

size_t qc_huffman_write_lengths(const uint8_t *lengths, unsigned symbols, uint8_t *out)
{
    uint8_t nibbles[QC_HUFFMAN_MAX_SYMBOLS + 1];
    unsigned count = 0, previous = NOT_YET_LENGTH;

    for (unsigned at = 0, run; at < symbols; at += run) {
        unsigned length = lengths[at];
        run = run_length(lengths + at, symbols - at);
        if (run < SHORTEST_RUN || (length != 0 && length != previous)) {
            nibbles[count++] = (uint8_t)length;
            run = 1;
        } else {
            nibbles[count++] = length == 0 ? RUN_OF_ABSENT : RUN_OF_SAME;
            nibbles[count++] = (uint8_t)(run - SHORTEST_RUN);
        }
        previous = length;
    }
    nibbles[count] = 0;
    out[0] = (uint8_t)(symbols - 1);
    for (unsigned i = 0; i < count; i += 2)
        out[1 + i / 2] = (uint8_t)(nibbles[i] | nibbles[i + 1] << 4);
    return 1 + (count + 1) / 2;
}
