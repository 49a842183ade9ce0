/*
 * qcodec: the codec's public C interface.
 *
 * The bytes are specified in docs/format.md; this header is the contract of the
 * functions that read and write them. The rules that hold for all of them:
 *
 * - No function allocates, performs I/O, starts threads or changes global state
 *   (but for qc_cpu_select, which is idempotent). The caller owns every buffer.
 * - Input of a decoder is hostile: a function reads only inside the buffers that
 *   it is given, writes only inside the output that it is given, and returns an
 *   error for everything that docs/format.md does not allow.
 * - Calls on different outputs and workspaces may run at the same time, on the
 *   same input too. The input may even change meanwhile: a decoder then gives
 *   other values or an error, an encoder encodes what it has seen, and neither
 *   reads or writes outside its buffers. What a function reads more than once, it
 *   copies first, or any bytes will do at the second reading.
 * - Every function that can fail takes a qc_error *, which may be NULL, and
 *   fills it when it returns anything but QC_OK. Outputs are then unspecified.
 * - Numbers do not depend on the machine.
 */
#ifndef QCODEC_H
#define QCODEC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QC_FORMAT_VERSION     0
#define QC_MAX_DIMS           8
#define QC_MAX_CHUNK_ELEMENTS ((size_t)1 << 22)
#define QC_MAX_NAME_BYTES     1024

/* ---- status and errors -------------------------------------------------- */

/* Values are frozen: they cross language borders. */
typedef enum qc_status {
    QC_OK = 0,
    QC_TRUNCATED = 1,   /* the bytes end before what they declare */
    QC_CORRUPT = 2,     /* a rule of the format is broken */
    QC_CHECKSUM = 3,    /* a CRC does not match */
    QC_UNSUPPORTED = 4, /* a reserved version, flag, id or feature */
    QC_LIMIT = 5,       /* larger than this reader handles */
    QC_INVALID = 6,     /* the caller's argument is wrong (not the input bytes) */
    QC_NO_SPACE = 7,    /* the output buffer or the workspace is too small */
    QC_INTERRUPTED = 8  /* the caller's qc_poll said stop */
} qc_status;

/* What, where, found, allowed. `what` is a static string naming the field and
   the rule; `offset` counts from the start of the buffer that was given. */
typedef struct qc_error {
    const char *what;
    uint64_t offset;
    uint64_t found;
    uint64_t allowed;
} qc_error;

/* "truncated", "corrupt", ...; never NULL. */
const char *qc_status_name(qc_status status);

/* What calls that may take long ask, on the caller's thread, several times a second: `stop` returns
   nonzero to end the call, which then returns QC_INTERRUPTED. Wherever a qc_poll is passed, NULL
   means that nobody is asked. It must not change while a call uses it. */
typedef struct qc_poll {
    int (*stop)(void *context);
    void *context;
} qc_poll;

/* ---- the machine --------------------------------------------------------- */

/* The instruction sets that this library has kernels for, one bit each. Those of x86 are a ladder:
   a set is used only together with those above it in this list, so without SSE42 there is no AVX2,
   and without AVX2 no AVX512. NEON and ARM_CRC do not depend on each other. */
#define QC_CPU_SSE42   (1u << 0) /* with PCLMULQDQ */
#define QC_CPU_AVX2    (1u << 1) /* with POPCNT */
#define QC_CPU_AVX512  (1u << 2) /* F, BW, VL, VBMI, VBMI2, BITALG, VPCLMULQDQ */
#define QC_CPU_ARM_CRC (1u << 3)
#define QC_CPU_NEON    (1u << 4)

/* The sets that this machine has and this build has kernels for; none with -DQC_PORTABLE. */
uint32_t qc_cpu_detect(void);
/* The sets that are used: at first all that were detected. */
uint32_t qc_cpu_selected(void);
/* Use only those of the detected sets that are in `allowed`; 0 is portable C. Returns the sets that
   are used from now on, in all threads. Results are the same bit for bit whatever is chosen. */
uint32_t qc_cpu_select(uint32_t allowed);

/* CRC32C of `size` bytes, continued from `crc` (0 to begin). */
uint32_t qc_crc32c(uint32_t crc, const void *data, size_t size);

/* ---- floating-point mode ------------------------------------------------- */

/* A thread may flush subnormals to zero or round another way than to nearest; numbers here must
   not depend on it. Decoding and qc_convert see to that themselves. A caller whose threads may do
   so brackets the other functions that take or give floats (k-means, codes, ternary weights).
   `enter` makes the calling thread keep subnormals and round to nearest, and returns the mode that
   it had; `leave` gives it back. Calls nest, and cost a few cycles. */
uint32_t qc_float_mode_enter(void);
void qc_float_mode_leave(uint32_t before);

/* ---- element types ------------------------------------------------------- */

typedef enum qc_dtype {
    QC_F32 = 0,
    QC_F16 = 1,
    QC_BF16 = 2,
    QC_F64 = 3,
    QC_U8 = 4,
    QC_I8 = 5,
    QC_U16 = 6,
    QC_I16 = 7,
    QC_U32 = 8,
    QC_I32 = 9,
    QC_U64 = 10,
    QC_I64 = 11,
    QC_BOOL = 12,
    QC_F8E4M3 = 13,
    QC_F8E5M2 = 14,
    QC_E8M0 = 15
} qc_dtype;
#define QC_DTYPE_COUNT 16

/* Bytes of one element; 0 for an unknown id. */
size_t qc_dtype_size(unsigned dtype);

/* Convert `count` elements: any float type (f64 f32 f16 bf16 f8e4m3 f8e5m2 e8m0)
   to f32, f16, bf16 or f64, rounded once to nearest even; or any type to itself.
   Elements are in the machine's byte order. `from` and `to` need not be aligned and must not
   overlap. QC_INVALID for another pair. */
qc_status qc_convert(const void *from, qc_dtype from_dtype, void *to, qc_dtype to_dtype,
                     size_t count);

/* ---- integer streams (format, section 7) ---------------------------------- */

/* A symbol is a uint8_t if width <= 8, else a uint16_t; it is below 2^width. */
typedef enum qc_coding {
    QC_CONSTANT = 0,
    QC_BITPACKED = 1,
    QC_HUFFMAN = 2,
    QC_ADAPTIVE = 3,
    QC_LANES_HUFFMAN = 4,
    QC_LANES_TANS = 5,
    QC_SPLIT = 6,
    QC_CONTEXTS = 7
} qc_coding;
#define QC_CODING_COUNT        8
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

/* How much an encoder of chunks tries, 1 to 9: below QC_EFFORT_PLACES it does not look at where
   symbols stand, from QC_EFFORT_USUAL on it tries what usually pays, from QC_EFFORT_HIGH on all
   that it knows, and with QC_EFFORT_MOST by all symbols, where samples stand for them otherwise. */
#define QC_EFFORT_PLACES 3
#define QC_EFFORT_USUAL  5
#define QC_EFFORT_HIGH   7
#define QC_EFFORT_MOST   9

/* How a chunk is encoded. */
typedef struct qc_encoding {
    uint64_t codings; /* those that may occur: bits by id */
    qc_profile profile;
    unsigned effort;
} qc_encoding;

/* A decoder's scratch memory: QC_WORKSPACE_BYTES, any alignment. */
#define QC_WORKSPACE_BYTES ((size_t)512 * 1024)

/* An upper bound of the bytes of `count` symbols in any coding, header included. */
size_t qc_stream_bound(size_t count, unsigned width);

/* An encoder's scratch memory for `count` symbols, in bytes; any alignment. */
#define QC_STREAM_ENCODE_WORKSPACE(count) (QC_WORKSPACE_BYTES + 4 * (size_t)(count))

/* Write one stream (coding, body length, body) of `count` symbols into `out`, and its
   length to *size. `codings` is a set of QC_CODING_MASK bits to choose from; the
   profile decides between those that can hold the symbols. QC_INVALID if none can (e.g. a
   symbol that is not below 2^width), QC_NO_SPACE if `capacity` is below qc_stream_bound. */
qc_status qc_stream_encode(const void *symbols, size_t count, unsigned width, uint64_t codings,
                           qc_profile profile, void *out, size_t capacity, size_t *size,
                           void *workspace, const qc_poll *poll, qc_error *error);

/* Decode one stream of exactly `count` symbols that fills `size` bytes exactly. */
qc_status qc_stream_decode(const void *data, size_t size, size_t count, unsigned width,
                           void *symbols, void *workspace, const qc_poll *poll, qc_error *error);

/* ---- relative index (format, section 6, gaps) ------------------------------ */

/* Entries (fillers included) of `count` ascending positions at this gap width. */
size_t qc_relative_index_entries(const uint32_t *positions, size_t count, unsigned gap_width);

/* The gap width (1 to 16) of the fewest bits at fixed width, an entry costing gap width +
   value_bits. */
unsigned qc_relative_index_width(const uint32_t *positions, size_t count, unsigned value_bits);

/* Gaps (uint8_t if gap_width <= 8, else uint16_t) of `count` strictly ascending positions. Source
   entry k of `entry_of` (may be NULL) tells which position a gap leads to, and UINT32_MAX for a
   filler. Both outputs have room for *entries elements, and *entries becomes the number that was
   written: QC_NO_SPACE if qc_relative_index_entries are more than the room. */
qc_status qc_relative_index_encode(const uint32_t *positions, size_t count, unsigned gap_width,
                                   void *gaps, uint32_t *entry_of, size_t *entries,
                                   qc_error *error);

/* Positions of `entries` gaps, fillers included. QC_CORRUPT if one is not below `limit`. */
qc_status qc_relative_index_decode(const void *gaps, size_t entries, unsigned gap_width,
                                   size_t limit, uint32_t *positions, qc_error *error);

/* ---- frames (format, sections 2 to 6) -------------------------------------- */

typedef enum qc_kind {
    QC_RAW = 0,
    QC_PLANES = 1,
    QC_AFFINE = 2,
    QC_CODEBOOK = 3,
    QC_DELTA = 4,
    QC_FIELDS = 5
} qc_kind;
#define QC_KIND_COUNT         6
#define QC_DELTA_DIGEST_BYTES 8
typedef enum qc_positions {
    QC_DENSE = 0,
    QC_GAPS = 1,
    QC_MASK = 2,
    QC_CSR = 3,
    QC_BITS = 4
} qc_positions;

/* How the values of a parameter are stored (format, section 5). */
typedef enum qc_floats {
    QC_FLOATS_VERBATIM = 0,
    QC_FLOATS_PLANES = 1,
    QC_FLOATS_DELTAS = 2,
    QC_FLOATS_PERMUTED = 3
} qc_floats;

/* A parameter that is coded: its body, in the frame (read) or where qc_parameters_encode has put it
   (write). */
typedef struct qc_coded {
    unsigned how; /* qc_floats; of zero points: the zero mode. 0: not coded */
    const uint8_t *body;
    size_t size;
    size_t offset; /* of the body, from the frame's first byte (read) */
} qc_coded;

/* A frame's head. qc_frame_read fills all of it; for qc_frame_write and qc_chunk_encode the
   caller fills what is marked (w) and lets qc_frame_plan derive the rest. The pointers lead
   into the frame (read) or to the caller's parameters (write), unaligned, little-endian. */
typedef struct qc_frame {
    qc_dtype dtype;             /* (w) */
    qc_kind kind;               /* (w) */
    qc_positions positions;     /* (w) */
    unsigned ndim;              /* (w) */
    uint64_t dims[QC_MAX_DIMS]; /* (w) */
    size_t chunk_elements;      /* (w) 0: not chunked */
    unsigned gap_width;         /* (w) gaps, csr */
    unsigned width;             /* (w) affine: bits of a code; else derived: bits of a symbol */

    /* codebook */
    unsigned entries;        /* (w) 1 to 256 */
    qc_dtype codebook_dtype; /* (w) */
    size_t books;            /* (w) >= 1 */
    size_t book_inner;       /* (w) >= 1 */
    const uint8_t *codebook; /* (w) books x entries; read: NULL if coded and not decoded */
    /* (w) books x entries: of every entry as it stood in the codebook that codes came with, its
       number in ascending order, which `codebook` and codes have now; NULL: they have not moved */
    const uint8_t *codebook_order;
    qc_coded coded_codebook;

    /* affine */
    unsigned zero_mode;         /* (w) 0: zero_point; 1: zero_points, one a scale, maybe coded */
    uint32_t zero_point;        /* (w) */
    const uint8_t *zero_points; /* (w) scale_count x u16; read: as codebook */
    qc_coded coded_zero_points;

    /* scaled */
    int scaled;            /* (w) */
    qc_dtype scale_dtype;  /* (w) */
    size_t scale_inner;    /* (w) >= 1 */
    size_t scale_count;    /* (w) >= 1 */
    const uint8_t *scales; /* (w) read: as codebook */
    qc_coded coded_scales;

    /* delta */
    const uint8_t *digest;  /* (w) of the base; this library stores it, and checks nothing by it */
    unsigned step;          /* (w) below 4096 */
    unsigned kernel_width;  /* (w) 1 to 255; 1 x 1: nothing is predicted */
    unsigned kernel_height; /* (w) */
    /* (w) All elements of the base, any alignment, in the machine's order. qc_frame_read leaves it
       NULL: whoever decodes fills it in, or gets QC_INVALID. */
    const void *base;

    /* (w) Asked by all calls that are given this frame. qc_frame_read leaves it NULL: whoever
       decodes may fill it in. */
    const qc_poll *poll;

    /* derived */
    uint64_t features;      /* codings that may occur */
    size_t elements;        /* product of dims */
    size_t row_elements;    /* product of dims[1:] */
    size_t chunks;          /* number of chunks */
    unsigned value_streams; /* planes: item size; delta: 3; else 1 */
    size_t item_size;
    size_t frame_bytes; /* of the whole frame */
    size_t head_bytes;  /* chunked: up to the first chunk; else: up to the chunk */
    size_t params_offset;
    size_t params_bytes;
    size_t directory_offset; /* chunked */
    size_t coded_bytes;      /* of coded parameters, decoded */
    int undecoded;           /* read: some parameters are coded, and not decoded */
} qc_frame;

#define QC_VERIFY 1u /* check the CRCs */
#define QC_WHOLE  2u /* `data` is the whole frame: its length is checked, and an unchunked CRC */

/* Parse and check a frame's head: magic to the end of the parameters and, if chunked, the
   directory. Without QC_WHOLE, `data` may end anywhere after the head; if it ends within the head:
   QC_TRUNCATED, with error->allowed = the bytes that are needed to get further. An unchunked
   frame's CRC covers everything, so it can only be checked with QC_WHOLE. */
qc_status qc_frame_read(const void *data, size_t size, unsigned flags, qc_frame *frame,
                        qc_error *error);

/* Decode the coded parameters of a frame that was read, and whose bytes are still there, into
   `memory` (frame->coded_bytes, any alignment), and lead the frame's pointers there. `memory` NULL:
   check only, and leave the frame as it is. Every element that is given needs them. */
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

/* All of them: fills chunks[0 .. frame->chunks). */
qc_status qc_frame_chunks(const qc_frame *frame, const void *head, qc_chunk *chunks,
                          qc_error *error);

/* What a stream of a chunk holds. */
typedef enum qc_role {
    QC_ROLE_GAPS = 0,
    QC_ROLE_MASK = 1,
    QC_ROLE_ROW_COUNTS = 2,
    /* + the number of the plane, or of the parameter's stream; of fields, itemsize stands for the
       escapes */
    QC_ROLE_VALUES = 3
} qc_role;

typedef struct qc_stream_info {
    unsigned role;
    unsigned coding;
    size_t bytes; /* header included */
} qc_stream_info;

#define QC_MAX_STREAMS 11

/* The streams of a chunk, in order, without decoding them: fills infos[0 .. *count), at most
   QC_MAX_STREAMS. What is left of chunk->bytes are numbers of entries, of low bytes and escapes,
   and the head of fields. */
qc_status qc_chunk_streams(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                           qc_stream_info *infos, size_t *count, qc_error *error);

/* The streams of a coded parameter of this type, in the same way; a codebook's or scales' dtype, or
   QC_U16 for zero points. What is left of coded->size are bits. */
qc_status qc_coded_streams(const qc_coded *coded, qc_dtype dtype, qc_stream_info *infos,
                           size_t *count, qc_error *error);

/* Decode elements [first, first + count) of a chunk (counted from the chunk's start) into `out`,
   count x qc_dtype_size(out_dtype) bytes, any alignment. `bytes` are the chunk's. Of kind delta,
   everything in the chunk before the range is decoded too.
   out_dtype: the frame's, or f32, f16, bf16, f64 if the frame's is a float type.
   QC_VERIFY: the chunk's CRC first (chunked frames). If the range is the whole chunk, every rule of
   the format is checked. `out` NULL: check only, write nothing; else coded parameters have been
   decoded. */
qc_status qc_chunk_decode(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                          size_t first, size_t count, qc_dtype out_dtype, void *out, unsigned flags,
                          void *workspace, qc_error *error);

/* Decode elements [first, first + count) of a whole frame in memory, chunk after chunk; `chunks` as
   qc_frame_chunks gave them. The rest is as in qc_chunk_decode. */
qc_status qc_frame_decode(const qc_frame *frame, const qc_chunk *chunks, const void *data,
                          size_t first, size_t count, qc_dtype out_dtype, void *out, unsigned flags,
                          void *workspace, qc_error *error);

/* The number of stored elements of a chunk (chunk->elements if dense). */
qc_status qc_chunk_entries(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                           size_t *entries, qc_error *error);

/* A chunk as integers, before any arithmetic: positions (from the chunk's start; NULL if dense)
   and codes (uint8_t or uint16_t by width; raw, planes, delta and fields: the elements), fillers
   included. Both have room for `entries`, as qc_chunk_entries gave it. */
qc_status qc_chunk_decode_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                size_t entries, uint32_t *positions, void *codes, unsigned flags,
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
typedef struct qc_chunk_source {
    size_t first;              /* element, from the tensor's start */
    size_t elements;           /* of the chunk */
    size_t entries;            /* stored elements; dense: = elements */
    const uint32_t *positions; /* strictly ascending, from the chunk's start; dense: NULL */
    const void *values;        /* codes (uint8_t or uint16_t by width), or raw elements */
    int32_t filler;            /* the code whose value is zero, or -1 if there is none */
} qc_chunk_source;

/* Upper bound of an encoded chunk, and the workspace that encoding it needs, in bytes. */
size_t qc_chunk_bound(const qc_frame *frame, const qc_chunk_source *source);
size_t qc_chunk_encode_workspace(const qc_frame *frame, const qc_chunk_source *source);

/* Encode one chunk of a planned frame; adds the codings used to *features. QC_INVALID if a filler
   is needed and there is none, or a code is not below 2^width (codebook: entries). */
qc_status qc_chunk_encode(const qc_frame *frame, const qc_chunk_source *source,
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

/* Code the parameters of a planned frame wherever that takes fewer bytes than they have; fast and
   fixed keep them as they are. The bodies are written to `out`, where they stay for qc_frame_write;
   adds the codings used to *features. */
qc_status qc_parameters_encode(qc_frame *frame, uint64_t codings, qc_profile profile, void *out,
                               size_t capacity, uint64_t *features, void *workspace,
                               size_t workspace_bytes, qc_error *error);

/* The length of the frame that qc_frame_write writes. */
size_t qc_frame_size(const qc_frame *frame, uint64_t features, const qc_bytes *chunks);
/* Write head, parameters, directory, CRCs and chunks: exactly qc_frame_size bytes. */
qc_status qc_frame_write(const qc_frame *frame, uint64_t features, const qc_bytes *chunks,
                         void *out, size_t capacity, qc_error *error);

/* ---- packs (format, section 8) ---------------------------------------------- */

/* One entry of a pack's table. The struct holds no pointers, so that an array of it is a plain
   table of numbers in any language. */
typedef struct qc_pack_entry {
    size_t name_offset; /* from the pack's first byte; for writing: into `names` */
    size_t name_bytes;
    size_t offset;  /* of the frame, from the pack's first byte; an alias has its target's */
    size_t bytes;   /* of the frame; an alias has its target's */
    size_t target;  /* an alias: the number of the entry it stands for; else its own number */
    size_t by_name; /* not of this entry: the number of the entry at this place in the order of
                       names (by bytes), for qc_pack_find */
} qc_pack_entry;

/* The number of entries of a pack of `pack_bytes` bytes, of which `data` holds the first `size`:
   at most pack_bytes / 2. QC_TRUNCATED comes with error->allowed = the bytes that are needed to get
   further, and error->found = `size` if more of the pack helps, else `pack_bytes`. */
qc_status qc_pack_count(const void *data, size_t size, size_t pack_bytes, size_t *count,
                        qc_error *error);
/* Check a pack's table (every rule of section 8), fill entries[0 .. count) and *table_bytes, where
   the first frame starts. `count` is qc_pack_count's; `size` may end before the frames do, and
   QC_TRUNCATED as there. */
qc_status qc_pack_read(const void *data, size_t size, size_t pack_bytes, qc_pack_entry *entries,
                       size_t count, size_t *table_bytes, qc_error *error);
/* Find a name in a table that was read from `data`: its number, or `count` if it is not there. */
size_t qc_pack_find(const void *data, const qc_pack_entry *entries, size_t count, const char *name,
                    size_t name_bytes);

/* The length of the table that qc_pack_write_table writes. */
size_t qc_pack_table_bytes(const qc_pack_entry *entries, size_t count);
/* Write the table of entries of which the caller has filled name_offset, name_bytes, bytes and
   target; `names` holds the names. The frames follow it in order, aliases left out. QC_INVALID for
   a name that is too long, not UTF-8 or there twice, an empty frame, or an alias of none or of a
   later entry or of an alias; QC_NO_SPACE if `capacity` is below qc_pack_table_bytes. */
qc_status qc_pack_write_table(const char *names, qc_pack_entry *entries, size_t count, void *out,
                              size_t capacity, qc_error *error);

#ifdef __cplusplus
}
#endif
#endif /* QCODEC_H */
