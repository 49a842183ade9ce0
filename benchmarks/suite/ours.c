/*
 * The functions of qcodec's C core that the benchmarks call. The core is compiled with hidden
 * symbols; these are exported.
 */
#include "qcodec.h"

#define SEEN __attribute__((visibility("default")))

/* Use only these instruction sets; returns those that are used. */
SEEN uint32_t ours_select(uint32_t features) { return qc_cpu_select(features); }

SEEN const char *ours_coding_name(unsigned coding) { return qc_coding_name(coding); }

SEEN size_t ours_bound(size_t count) { return qc_stream_bound(count, 8); }

SEEN size_t ours_workspace(size_t count) { return QC_STREAM_ENCODE_WORKSPACE(count); }

/* One stream by one coding, as small as it can be or with decoding speed in mind; returns its size,
   or 0 if that coding cannot hold the symbols. */
SEEN size_t ours_encode(const uint8_t *symbols, size_t count, unsigned width, unsigned coding,
                        int smallest, uint8_t *out, size_t capacity, void *workspace)
{
    size_t size = 0;
    qc_profile profile = smallest ? QC_SMALL : QC_BALANCED;
    qc_status status = qc_stream_encode(symbols, count, width, QC_CODING_MASK(coding), profile, out,
                                        capacity, &size, workspace, NULL, NULL);
    return status == QC_OK ? size : 0;
}

/* The symbols of a stream: a qc_status. */
SEEN qc_status ours_decode(const uint8_t *data, size_t size, size_t count, unsigned width,
                           uint8_t *symbols, void *workspace)
{
    return qc_stream_decode(data, size, count, width, symbols, workspace, NULL, NULL);
}

SEEN size_t ours_frame_workspace(void) { return QC_WORKSPACE_BYTES; }

/* All elements of a frame; `memory` is for its parameters. A qc_status. */
SEEN qc_status ours_frame_decode(const uint8_t *data, size_t size, unsigned dtype, void *out,
                                 size_t out_bytes, void *memory, size_t memory_bytes,
                                 void *workspace)
{
    return qc_decode(data, size, (qc_dtype)dtype, out, out_bytes, memory, memory_bytes, QC_VERIFY,
                     workspace, NULL);
}

SEEN uint32_t ours_crc32c(const uint8_t *data, size_t size) { return qc_crc32c(0, data, size); }
