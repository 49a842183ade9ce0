/*
 * Coding 6, encoded: for streams whose symbols stand in rows or kernels.
 */
#ifndef QC_SPLIT_ENCODE_H
#define QC_SPLIT_ENCODE_H

#include "split_search.h"

/* Scratch memory for qc_split_encode, aligned as a uint64_t. */
size_t qc_split_encode_workspace(const qc_split_input *input);

/* Write the stream into `out` (stream header included), if it takes at most `limit` bytes; *size is
   then its length, else 0. Its own streams are in `codings`, of which those that occur are added to
   *features. `stream_workspace` has QC_STREAM_ENCODE_WORKSPACE(input->count) bytes. */
qc_status qc_split_encode(const qc_split_input *input, uint64_t codings, qc_profile profile,
                          size_t limit, uint8_t *out, size_t *size, uint64_t *features,
                          void *workspace, void *stream_workspace, qc_error *error);

/* Write the stream in row classes that are found fast, if there are several that save something;
 *size is then its length, else 0. The geometry has rows; the rest is as above. */
size_t qc_split_encode_rows_workspace(const qc_split_input *input);
qc_status qc_split_encode_rows(const qc_split_input *input, uint64_t codings, qc_profile profile,
                               uint8_t *out, size_t *size, uint64_t *features, void *workspace,
                               void *stream_workspace, qc_error *error);

#endif /* QC_SPLIT_ENCODE_H */
