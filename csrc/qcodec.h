/*
 * qcodec: the codec's public C interface: streams of integers, frames and packs. The bytes are
 * specified in docs/format.md; this header is the contract of the functions that read and write
 * them. The rules for all functions are at the top of qcodec_base.h; qcodec_pack.h has the
 * functions of packs, which this header includes; qcodec_numeric.h has the functions of quantizers.
 */
#ifndef QCODEC_H
#define QCODEC_H

#include "qcodec_base.h"
#include "qcodec_pack.h"

#ifdef __cplusplus
extern "C" {
#endif

#define QC_MIN_CHUNK_ELEMENTS ((size_t)256)
#define QC_MAX_CHUNK_ELEMENTS ((size_t)1 << 22)

/* ---- integer streams (format, section 7) ---------------------------------- */

/* A symbol is a uint8_t if width <= 8, else a uint16_t; it is below 2^width. */
typedef enum qc_coding {
    QC_CONSTANT = 0,
    QC_BITPACKED = 1,
    QC_HUFFMAN = 2,
    QC_CONTEXTS = 3,
    QC_LANES_HUFFMAN = 4,
    QC_LANES_TANS = 5,
    QC_SPLIT = 6
} qc_coding;
#define QC_CODING_COUNT        7
#define QC_CODING_MASK(coding) ((uint64_t)1 << (coding))

/* The coding's name, or NULL. */
const char *qc_coding_name(unsigned coding);

/* Which codings an encoder may choose from, and how it chooses. */
typedef enum qc_profile {
    QC_FAST = 0,     /* the fastest to decode */
    QC_BALANCED = 1, /* small and fast: the default */
    QC_SMALL = 2,    /* whatever is smallest */
    QC_FIXED = 3     /* fixed width only: any index, any csr row decodes alone */
} qc_profile;

/* How much an encoder of chunks tries, 1 to 9. Below QC_EFFORT_PLACES it ignores the places of
   symbols; from QC_EFFORT_USUAL on it tries what usually pays, from QC_EFFORT_HIGH on everything.
   It compares by samples, and with QC_EFFORT_MAX by all symbols. */
#define QC_EFFORT_PLACES 3
#define QC_EFFORT_USUAL  5
#define QC_EFFORT_HIGH   7
#define QC_EFFORT_MAX    9

/* In profile balanced, a byte that contexts save is worth so many binary decisions: 3 us of
   decoding. */
#define QC_DECISIONS_PER_BYTE 400

/* How a chunk is encoded. */
typedef struct qc_encoding {
    uint64_t codings; /* a set of QC_CODING_MASK bits to choose from */
    qc_profile profile;
    unsigned effort;
} qc_encoding;

/* A decoder's scratch memory: QC_WORKSPACE_BYTES, any alignment. */
#define QC_WORKSPACE_BYTES ((size_t)640 * 1024)

/* An upper bound of the bytes of `count` symbols in any coding, header included. */
size_t qc_stream_bound(size_t count, unsigned width);

/* An encoder's scratch memory for `count` symbols, in bytes; any alignment. */
#define QC_STREAM_ENCODE_WORKSPACE(count) (QC_WORKSPACE_BYTES + 4 * (size_t)(count))

/* Writes one stream (coding, body length, body) of `count` symbols into `out`, and its length to
   *size. `codings` is a set of QC_CODING_MASK bits; the profile decides among those codings that
   can hold the symbols. QC_INVALID if none can (for example if a symbol is not below 2^width),
   QC_NO_SPACE if `capacity` is below qc_stream_bound. */
qc_status qc_stream_encode(const void *symbols, size_t count, unsigned width, uint64_t codings,
                           qc_profile profile, void *out, size_t capacity, size_t *size,
                           void *workspace, const qc_poll *poll, qc_error *error);

/* Decodes one stream of exactly `count` symbols that fills `size` bytes exactly. */
qc_status qc_stream_decode(const void *data, size_t size, size_t count, unsigned width,
                           void *symbols, void *workspace, const qc_poll *poll, qc_error *error);

/* ---- relative index (format, section 6, gaps) ------------------------------ */

/* The number of gaps (fillers included) of `count` ascending positions at this gap width. */
size_t qc_relative_index_count(const uint32_t *positions, size_t count, unsigned gap_width);

/* The gap width (1 to 16) of the fewest bits at fixed width, where a stored element takes gap width
   + value_bits. */
unsigned qc_relative_index_width(const uint32_t *positions, size_t count, unsigned value_bits);

/* Gaps (uint8_t if gap_width <= 8, else uint16_t) of `count` strictly ascending positions.
   index_of[k] (may be NULL) is the index of the position that gap k points to, and UINT32_MAX for a
   filler. Both outputs have room for *stored elements, and *stored becomes the number of gaps that
   were written: QC_NO_SPACE if qc_relative_index_count is more than the room. */
qc_status qc_relative_index_encode(const uint32_t *positions, size_t count, unsigned gap_width,
                                   void *gaps, uint32_t *index_of, size_t *stored, qc_error *error);

/* Positions of `stored` gaps, fillers included. QC_CORRUPT if one is not below `limit`. */
qc_status qc_relative_index_decode(const void *gaps, size_t stored, unsigned gap_width,
                                   size_t limit, uint32_t *positions, qc_error *error);

/* ---- frames (format, sections 2 to 6) -------------------------------------- */

/* What is stored of an element. head/kinds.c has the facts of each kind. */
typedef enum qc_kind {
    QC_BYTES = 0,
    QC_PLANES = 1,
    QC_AFFINE = 2,
    QC_CODEBOOK = 3,
    QC_DELTA = 4
} qc_kind;
#define QC_KIND_COUNT         5
#define QC_DELTA_DIGEST_BYTES 8

/* Which elements are stored. */
typedef enum qc_positions {
    QC_DENSE = 0,
    QC_GAPS = 1,
    QC_MASK = 2,
    QC_CSR = 3,
    QC_BIT_MASK = 4,
    QC_COPIES = 5 /* all others are copies of elements before them */
} qc_positions;
#define QC_POSITIONS_COUNT 6

/* How the values of a parameter are stored (format, section 5). */
typedef enum qc_values_mode {
    QC_VALUES_VERBATIM = 0,
    QC_VALUES_PLANES = 1,
    QC_VALUES_DELTAS = 2,
    QC_VALUES_PERMUTED = 3
} qc_values_mode;

/* The body of a coded parameter, in the frame (read) or in the output of qc_parameters_encode
   (write). */
typedef struct qc_coded {
    unsigned mode; /* qc_values_mode */
    const uint8_t *body;
    size_t size;
    size_t offset; /* of the body, from the frame's first byte (read) */
} qc_coded;

/* A parameter by groups of elements: element i of the tensor belongs to group i / inner % count,
   or, if `inner` is 0, to the first group that ends after it. `values` points into the frame (read)
   or to the caller's values (write): little-endian, any alignment. */
typedef struct qc_groups {
    qc_dtype dtype;        /* (w) */
    size_t inner;          /* (w) >= 1 */
    size_t count;          /* (w) 0: there is no such parameter */
    const uint8_t *values; /* (w) read: NULL if they are coded, until they are decoded */
    qc_coded coded;
    /* (w) If `inner` is 0: `count` uint64_t, any alignment: where each group ends; the last one is
       the number of elements. Read: NULL until parameters are decoded. */
    const uint8_t *ends;
    const uint8_t *lengths; /* read: as the frame has them */
    size_t lengths_bytes;
} qc_groups;

/* Kind codebook. */
typedef struct qc_codebook {
    unsigned entries; /* (w) of a book: 1 to 256 */
    qc_groups books;  /* (w) of `entries` values each */
    /* (w) One number per value: where in its book the entry was before the entries were sorted in
       ascending order, which `books` and the codes have now; NULL: they were not sorted. */
    const uint8_t *order;
} qc_codebook;

/* Kind affine. */
typedef struct qc_zero_points {
    uint32_t common;  /* (w) of all elements, if there are no groups */
    qc_groups groups; /* (w) values and count, which is 0 or that of the scales; of QC_U16 */
} qc_zero_points;

/* Kind delta. */
typedef struct qc_delta {
    const uint8_t *digest;  /* (w) of the base: stored, and not checked by this library */
    unsigned step;          /* (w) below 4096 */
    unsigned filter_width;  /* (w) 1 to 255; 1 x 1: nothing is predicted */
    unsigned filter_height; /* (w) */
    /* (w) All elements of the base, any alignment, in the machine's order. qc_frame_read sets it to
       NULL. Fill it in before you decode (else QC_INVALID). */
    const void *base;
} qc_delta;

/* What a frame says beside its tensor (format, section 2): items of an id, in ascending order, a
   length and bytes. Readers may skip them. */
typedef enum qc_note_id {
    QC_NOTE_PADDING = 0,
    QC_NOTE_ELEMENTS_CRC = 1, /* crc32c of the decoded elements */
    QC_NOTE_BASE_SHA256 = 2,  /* of the elements of the base */
    QC_NOTE_JSON = 3          /* UTF-8 */
} qc_note_id;

typedef struct qc_notes {
    const uint8_t *bytes; /* in the frame (read) or the caller's (write) */
    size_t size;          /* 0: there are none */
} qc_notes;

typedef struct qc_note {
    uint64_t id; /* qc_note_id, or another one */
    const uint8_t *bytes;
    size_t size;
} qc_note;

/* The note at *at, which is 0 at first and moves to the next one; 0 after the last. */
int qc_note_next(const qc_notes *notes, size_t *at, qc_note *note);

/* A frame's head. qc_frame_read fills all of it. For qc_frame_write and qc_chunk_encode, fill the
   fields that are marked (w), and let qc_frame_plan derive the others. */
typedef struct qc_frame {
    qc_dtype dtype;             /* (w) */
    qc_kind kind;               /* (w) */
    qc_positions positions;     /* (w) */
    unsigned ndim;              /* (w) */
    uint64_t dims[QC_MAX_DIMS]; /* (w) */
    size_t chunk_elements;      /* (w) 0: not chunked */
    unsigned gap_width;         /* (w) gaps, csr */
    unsigned width;             /* (w) affine: bits of a code; else derived: bits of a symbol */
    qc_dtype stored_dtype;      /* (w) planes with scales: f16 or bf16; else derived: dtype */

    /* Parameters. qc_frame_plan sets the counts to 0 that do not belong to the kind. */
    qc_codebook codebook;
    qc_zero_points zero_points;
    qc_groups scales;
    int has_second_scale; /* (w) each scale is multiplied by this one first, rounded to f32 */
    float second_scale;   /* (w) */
    qc_delta delta;

    qc_notes notes; /* (w) */

    /* (w) Asked by all calls that are given this frame. qc_frame_read sets it to NULL. Fill it in
       before you decode, if you like. */
    const qc_poll *poll;

    /* derived */
    uint64_t features;      /* codings that may occur */
    size_t elements;        /* product of dims */
    size_t row_elements;    /* product of dims[1:] */
    size_t chunks;          /* number of chunks */
    unsigned value_streams; /* bytes: 1; planes: that of stored_dtype; delta: 3; codes: 1 */
    size_t item_size;       /* of dtype */
    size_t frame_bytes;     /* of the whole frame */
    size_t head_bytes;      /* chunked: up to the first chunk; else: up to the chunk */
    size_t params_bytes;
    size_t directory_offset; /* chunked */
    size_t coded_bytes;      /* of coded parameters, decoded */
} qc_frame;

#define QC_VERIFY 1u /* check the CRCs */
#define QC_WHOLE  2u /* `data` is the whole frame: its length is checked, and an unchunked CRC */

/* Parse and check a frame's head: magic to the end of the parameters and, if chunked, the
   directory. The CRC is checked before the meaning of what it covers. Without QC_WHOLE, `data` may
   end anywhere after the head; if it ends within the head: QC_TRUNCATED, with error->allowed = the
   bytes that are needed to get further. An unchunked frame's CRC covers everything, so it can only
   be checked with QC_WHOLE. */
qc_status qc_frame_read(const void *data, size_t size, unsigned flags, qc_frame *frame,
                        qc_error *error);

/* Decode the coded parameters of a frame that was read, and whose bytes are still there, into
   `memory` (frame->coded_bytes, any alignment), and let the frame's groups point there. `memory`
   NULL: check only, and leave the frame as it is. Elements can be decoded only after this. */
qc_status qc_parameters_decode(qc_frame *frame, void *memory, void *workspace, qc_error *error);

/* One chunk's place in the frame, and its range of elements. */
typedef struct qc_chunk {
    size_t index;
    size_t offset; /* from the frame's first byte */
    size_t bytes;
    uint32_t crc; /* chunked frames */
    size_t first; /* element */
    size_t elements;
} qc_chunk;

/* The chunk after `previous`, or the first if that is NULL (`chunk` may be `previous`). `head` are
   the frame's first head_bytes. QC_INVALID after the last one. */
qc_status qc_chunk_next(const qc_frame *frame, const void *head, const qc_chunk *previous,
                        qc_chunk *chunk, qc_error *error);

/* All chunks: fills chunks[0 .. frame->chunks). */
qc_status qc_frame_chunks(const qc_frame *frame, const void *head, qc_chunk *chunks,
                          qc_error *error);

/* What a stream of a chunk holds. */
typedef enum qc_role {
    QC_ROLE_GAPS = 0,
    QC_ROLE_MASK = 1,
    QC_ROLE_ROW_COUNTS = 2,
    /* Copies: runs, lengths, distances, directions, steps, low bits, signs. */
    QC_ROLE_COPIES = 16,
    /* + the number of the plane, or of the parameter's stream; + the number of planes: the escapes
       of kind planes */
    QC_ROLE_VALUES = 3
} qc_role;

typedef struct qc_stream_info {
    unsigned role;
    unsigned coding;
    size_t bytes;  /* header included */
    size_t offset; /* of the header, from the first byte of the chunk or of the parameter's body */
} qc_stream_info;

#define QC_MAX_STREAMS 16

/* The streams of a chunk, in order, without decoding them: fills infos[0 .. *count), at most
   QC_MAX_STREAMS. The rest of chunk->bytes are the numbers of stored elements, of copies, of low
   bytes and of escapes, the options of copies, and the head of the planes of floats. After an error
   too, *count streams were found. */
qc_status qc_chunk_streams(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                           qc_stream_info *infos, size_t *count, qc_error *error);

/* The streams of a coded parameter, in the same way. The rest of coded.size are bits. */
qc_status qc_coded_streams(const qc_groups *groups, qc_stream_info *infos, size_t *count,
                           qc_error *error);

/* Decode elements [first, first + count) of a chunk (counted from the chunk's start) into `out`,
   count x qc_dtype_size(out_dtype) bytes, any alignment. `bytes` are the chunk's. Of kind delta,
   everything in the chunk before the range is decoded too; of positions form copies the range is
   the whole chunk (else QC_INVALID). out_dtype: the frame's, or f32, f16, bf16, f64 if the frame's
   is a float type; its elements are converted. QC_VERIFY: the chunk's CRC (chunked frames), before
   all else or, if the output is large, while it is written. If the range is the whole chunk, every
   rule of the format is checked. `out` NULL: check only, write nothing. Otherwise coded parameters
   must have been decoded (else QC_INVALID). */
qc_status qc_chunk_decode(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                          size_t first, size_t count, qc_dtype out_dtype, void *out, unsigned flags,
                          void *workspace, qc_error *error);

/* Decode elements [first, first + count) of a frame, chunk after chunk; `chunks` as qc_frame_chunks
   gave them. `data` are the frame's bytes from `offset` on, which is at most that of the first
   chunk of the range, to the end of the last one. The rest is as in qc_chunk_decode, but errors
   have the offset in the frame. */
qc_status qc_frame_decode(const qc_frame *frame, const qc_chunk *chunks, const void *data,
                          size_t offset, size_t first, size_t count, qc_dtype out_dtype, void *out,
                          unsigned flags, void *workspace, qc_error *error);

/* The number of stored elements of a chunk (chunk->elements if dense). */
qc_status qc_chunk_stored(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                          size_t *stored, qc_error *error);

/* Bytes of what is stored of an element: its code (1 or 2), or for kinds that store elements the
   element. The frame was read or planned. */
size_t qc_stored_size(const qc_frame *frame);

/* The number of codes of a chunk: its stored elements, or, if it has copies, all elements. */
qc_status qc_chunk_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                         size_t *codes, qc_error *error);

/* A chunk as integers, before any arithmetic: positions (from the chunk's start; NULL if dense or
   copies) and codes (uint8_t or uint16_t by width; of kinds that store elements: the elements),
   fillers included. Both have room for `count`, as qc_chunk_codes gave it: qc_stored_size bytes per
   code. */
qc_status qc_chunk_decode_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                size_t count, uint32_t *positions, void *codes, unsigned flags,
                                void *workspace, qc_error *error);

/* Decode a whole frame on this thread: qc_frame_read, parameters, then every chunk. `out_bytes`
   must be exactly what the tensor needs (else QC_INVALID). `memory` has room for coded parameters:
   what qc_frame_read gives as coded_bytes (else QC_NO_SPACE). `out` NULL: check only, without
   memory. Kind delta is QC_INVALID here, as there is no base: use qc_frame_decode. */
qc_status qc_decode(const void *data, size_t size, qc_dtype out_dtype, void *out, size_t out_bytes,
                    void *memory, size_t memory_bytes, unsigned flags, void *workspace,
                    qc_error *error);

/* ---- writing frames -------------------------------------------------------- */

/* Check what the caller filled in (QC_INVALID), and derive elements, row_elements, chunks, width,
   value_streams, item_size, params_bytes. */
qc_status qc_frame_plan(qc_frame *frame, qc_error *error);

/* The stored elements of one chunk, for qc_chunk_encode. */
typedef struct qc_chunk_input {
    size_t first;              /* element, from the tensor's start */
    size_t elements;           /* of the chunk */
    size_t stored;             /* stored elements; dense, copies: = elements */
    const uint32_t *positions; /* strictly ascending, from the chunk's start; dense, copies: NULL */
    const void *values;        /* codes (uint8_t or uint16_t by width), or verbatim elements */
    int32_t filler;            /* the code whose value is zero, or -1 if there is none */
} qc_chunk_input;

/* Whether a sample of elements, or of codes of `item_size` bytes, shows repeats, so that positions
   form copies may pay. `dtype` is that of the elements; of codes: QC_BOOL. */
int qc_copies_may_pay(const void *values, size_t count, size_t item_size, qc_dtype dtype);

/* Bytes that the encoded chunk surely takes, found without encoding it; 0 if that is not known. */
size_t qc_chunk_least(const qc_frame *frame, const qc_chunk_input *input,
                      const qc_encoding *encoding);

/* Upper bound of an encoded chunk, and the workspace that encoding it needs, in bytes. */
size_t qc_chunk_bound(const qc_frame *frame, const qc_chunk_input *input);
size_t qc_chunk_encode_workspace(const qc_frame *frame, const qc_chunk_input *input);

/* Encode one chunk of a planned frame; adds the codings used to *features. QC_INVALID if a filler
   is needed and there is none, or a code is not below 2^width (codebook: entries). */
qc_status qc_chunk_encode(const qc_frame *frame, const qc_chunk_input *input,
                          const qc_encoding *encoding, void *out, size_t capacity, size_t *size,
                          uint64_t *features, void *workspace, size_t workspace_bytes,
                          qc_error *error);

/* An encoded chunk. */
typedef struct qc_bytes {
    const void *data;
    size_t size;
} qc_bytes;

/* An upper bound of the bytes that qc_parameters_encode writes, and its scratch memory; any
   alignment. */
size_t qc_parameters_bound(const qc_frame *frame);
size_t qc_parameters_encode_workspace(const qc_frame *frame);

/* Code the parameters of a planned frame where that takes fewer bytes; fast and
   fixed leave them verbatim. The bodies are written to `out`, where qc_frame_write finds them;
   adds the codings used to *features. */
qc_status qc_parameters_encode(qc_frame *frame, uint64_t codings, qc_profile profile, void *out,
                               size_t capacity, uint64_t *features, void *workspace,
                               size_t workspace_bytes, qc_error *error);

/* The length of the frame that qc_frame_write writes. */
size_t qc_frame_size(const qc_frame *frame, uint64_t features, const qc_bytes *chunks);
/* Write head, parameters, directory, CRCs and chunks: exactly qc_frame_size bytes. Chunks may be at
   their places in `out` already, which are its last bytes; those are not copied. */
qc_status qc_frame_write(const qc_frame *frame, uint64_t features, const qc_bytes *chunks,
                         void *out, size_t capacity, qc_error *error);

#ifdef __cplusplus
}
#endif
#endif /* QCODEC_H */
