/*
 * A split stream that is being decoded: its router, and its sub-streams with a buffer each.
 */
#ifndef QC_SPLIT_DECODE_H
#define QC_SPLIT_DECODE_H

#include "split.h"
#include "stream.h"

/* Starting a lanes decoder again costs as much as some turns, so more than one is taken. */
#define QC_SPLIT_BLOCK (4 * QC_STREAM_BLOCK)

/* Symbols of a stream, taken a block at a time. */
typedef struct qc_split_part {
    size_t used, filled; /* of the block */
    uint8_t block[QC_SPLIT_BLOCK];
    qc_stream stream;
} qc_split_part;

typedef struct qc_split_classes {
    size_t row_length;
    unsigned row_classes, column_classes;
    size_t column;                         /* of the next symbol; row_length: a row begins */
    unsigned row;                          /* the first sub-stream of the row's class */
    uint8_t columns[QC_SPLIT_MAX_COLUMNS]; /* classes; used if there are several */
} qc_split_classes;

typedef struct qc_split_neighbours {
    unsigned width, height, classes;
    unsigned x, y;                             /* of the next symbol */
    uint8_t class_of[1 << QC_SPLIT_MAX_WIDTH]; /* 1 + the class of a symbol */
    uint8_t part_of[QC_SPLIT_MAX_CONTEXTS];
    uint8_t left;                     /* 1 + class of the symbol before */
    uint8_t above[QC_SPLIT_MAX_SIDE]; /* by x, the last row's, or this row's before x */
} qc_split_neighbours;

/* The memory of the one split stream that a chunk may have. */
typedef struct qc_split_state {
    int taken; /* 0 before the chunk's first stream is opened */
    unsigned router;
    unsigned parts;
    union {
        qc_split_classes classes;
        qc_split_neighbours neighbours;
    } by;
    qc_split_part rows; /* the row map; before, any other map */
    qc_split_part part[QC_SPLIT_MAX_PARTS];
} qc_split_state;

#endif /* QC_SPLIT_DECODE_H */
