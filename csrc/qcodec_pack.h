/*
 * qcodec: packs, which are many frames and a table of what stands under which name (docs/format.md,
 * section 8). The rules for all functions are at the top of qcodec_base.h.
 */
#ifndef QCODEC_PACK_H
#define QCODEC_PACK_H

#include "qcodec_base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define QC_MAX_NAME_BYTES 1024

/* "QP", version, flags, the length of the table's frame; the table's frame; the frames. The content
   of the table, which is what its frame decodes to, says what the pack holds. To read a pack:
   qc_pack_head; decode the table's frame (u8, one dimension); qc_pack_count and qc_pack_read. */

/* What stands under a name. */
typedef enum qc_pack_role {
    QC_PACK_FRAME = 0,     /* the next frame */
    QC_PACK_FIRST = 1,     /* the first elements of the next frame, which holds several tensors */
    QC_PACK_NEXT = 2,      /* the elements of the same frame that follow */
    QC_PACK_SAME = 3,      /* the tensor of another name */
    QC_PACK_CONVERTED = 4, /* a tensor like that of another name, converted to `dtype` */
    QC_PACK_ATTACHED = 5   /* the next frame, which is no tensor: the bytes of a file */
} qc_pack_role;

/* One entry. The struct holds no pointers, so that an array of it is a plain table of numbers in
   any language. Offsets of names and dims count in the content; for writing, in what the caller
   passes. */
typedef struct qc_pack_entry {
    size_t name_offset; /* (w) */
    size_t name_bytes;  /* (w) */
    size_t role;        /* (w) */
    size_t offset;      /* of the frame, from the pack's first byte; of same and rounded: the
                           target's, or 0 if that is not in this pack */
    size_t bytes;       /* (w) of the frame; the same */
    size_t
        dims_offset; /* (w) first, next: reading: see qc_pack_dims; writing: the place in `dims` */
    size_t ndim;     /* (w) first, next */
    size_t first;    /* first, next: the first element in the frame */
    size_t elements; /* first, next */
    size_t dtype;    /* (w) rounded: qc_dtype */
    size_t target_offset; /* (w) same, rounded: the other name */
    size_t target_bytes;  /* (w) */
    size_t target;        /* its number, or the number of entries if it is not in this pack; of
                             other roles: the entry's own */
    size_t by_name; /* not of this entry: the number of the entry at this place in the order of
                       names (by bytes), for qc_pack_find */
} qc_pack_entry;

#define QC_PACK_MAX_HEAD_BYTES 12

/* Where the table's frame is, from a pack's first bytes: at most QC_PACK_MAX_HEAD_BYTES are read.
   QC_TRUNCATED comes with error->allowed = the bytes that are needed to get further. */
qc_status qc_pack_head(const void *data, size_t size, size_t *table_offset, size_t *table_bytes,
                       qc_error *error);
/* The number of entries of this content: at most half of its bytes. */
qc_status qc_pack_count(const void *content, size_t size, size_t *count, qc_error *error);
/* Check the content (every rule of section 8), and fill entries[0 .. count), `count` being
   qc_pack_count's. The frames are at [frames_offset, pack_bytes) of the pack. */
qc_status qc_pack_read(const void *content, size_t size, size_t frames_offset, size_t pack_bytes,
                       qc_pack_entry *entries, size_t count, qc_error *error);
/* The dims of a part, of an entry that was read. */
void qc_pack_dims(const void *content, const qc_pack_entry *entry, uint64_t dims[QC_MAX_DIMS]);
/* Find a name in what was read: its number, or `count` if it is not there. */
size_t qc_pack_find(const void *content, const qc_pack_entry *entries, size_t count,
                    const char *name, size_t name_bytes);

/* The length of the content that qc_pack_write_content writes. */
size_t qc_pack_content_bytes(const qc_pack_entry *entries, size_t count, const uint64_t *dims);
/* Write the content of the table: `names` holds the names, `dims` the dims of parts. The frames
   follow the table's frame in the order of their entries. QC_INVALID for what section 8 does not
   allow; QC_NO_SPACE if `capacity` is below qc_pack_content_bytes. */
qc_status qc_pack_write_content(const char *names, const uint64_t *dims, qc_pack_entry *entries,
                                size_t count, void *out, size_t capacity, qc_error *error);
/* Write what comes before the table's frame; returns its length. */
size_t qc_pack_write_head(size_t table_bytes, uint8_t out[QC_PACK_MAX_HEAD_BYTES]);

#ifdef __cplusplus
}
#endif
#endif /* QCODEC_PACK_H */
