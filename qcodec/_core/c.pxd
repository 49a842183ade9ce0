# Declarations from the headers of csrc/ that the files of this folder use.
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "qcodec.h" nogil:
    ctypedef int qc_status
    ctypedef int qc_dtype
    ctypedef int qc_kind
    ctypedef int qc_positions
    ctypedef int qc_profile

    ctypedef struct qc_error:
        const char *what
        uint64_t offset
        uint64_t found
        uint64_t allowed

    enum:
        QC_FORMAT_VERSION
        QC_OK
        QC_INVALID
        QC_INTERRUPTED
        QC_VERIFY
        QC_WHOLE
        QC_MAX_STREAMS
        QC_MAX_DIMS
        QC_MAX_CHUNK_ELEMENTS
        QC_CODING_COUNT
        QC_CONTEXTS
        QC_COPIES
        QC_DECISIONS_PER_BYTE
        QC_DELTA
        QC_DENSE
        QC_DTYPE_COUNT
        QC_DELTA_DIGEST_BYTES
        QC_ROLE_COPIES
        QC_ROLE_GAPS
        QC_ROLE_MASK
        QC_ROLE_VALUES
        QC_WORKSPACE_BYTES

    ctypedef struct qc_tasks:
        size_t count
        size_t scratch_bytes
        void *argument
        int (*run)(void *argument, size_t task, void *scratch, const qc_poll *poll) noexcept nogil
        void (*merge)(void *argument, size_t task, void *scratch) noexcept nogil

    ctypedef struct qc_poll:
        int (*stop)(void *context) noexcept
        void *context
        int (*run)(void *context, const qc_tasks *tasks) noexcept
        size_t threads

    uint32_t qc_cpu_detect()
    uint32_t qc_cpu_selected()
    uint32_t qc_cpu_select(uint32_t allowed)
    uint32_t qc_crc32c(uint32_t crc, const void *data, size_t size)

    uint32_t qc_float_mode_enter()
    void qc_float_mode_leave(uint32_t before)

    size_t qc_dtype_size(unsigned dtype)
    qc_status qc_convert(const void *source, qc_dtype source_dtype, void *to, qc_dtype to_dtype, size_t count)

    const char *qc_coding_name(unsigned coding)
    ctypedef struct qc_coded:
        unsigned mode
        const uint8_t *body
        size_t size
        size_t offset

    ctypedef struct qc_groups:
        qc_dtype dtype
        size_t inner
        size_t count
        const uint8_t *values
        const uint8_t *ends
        size_t lengths_bytes
        qc_coded coded

    ctypedef struct qc_codebook:
        unsigned entries
        qc_groups books
        const uint8_t *order

    ctypedef struct qc_zero_points:
        uint32_t common
        qc_groups groups

    ctypedef struct qc_delta:
        const uint8_t *digest
        unsigned step
        unsigned filter_width
        unsigned filter_height
        const void *base

    ctypedef struct qc_notes:
        const uint8_t *bytes
        size_t size

    ctypedef struct qc_note:
        uint64_t id
        const uint8_t *bytes
        size_t size

    bint qc_note_next(const qc_notes *notes, size_t *at, qc_note *note)

    ctypedef struct qc_frame:
        qc_dtype dtype
        qc_kind kind
        qc_positions positions
        unsigned ndim
        uint64_t dims[8]
        size_t chunk_elements
        unsigned gap_width
        unsigned width
        qc_dtype stored_dtype
        qc_codebook codebook
        qc_zero_points zero_points
        qc_groups scales
        int has_second_scale
        float second_scale
        qc_delta delta
        qc_notes notes
        const qc_poll *poll
        uint64_t features
        size_t elements
        size_t row_elements
        size_t chunks
        unsigned value_streams
        size_t item_size
        size_t frame_bytes
        size_t head_bytes
        size_t params_bytes
        size_t directory_offset
        size_t coded_bytes

    ctypedef struct qc_chunk:
        size_t index
        size_t offset
        size_t bytes
        uint32_t crc
        size_t first
        size_t elements

    ctypedef struct qc_chunk_input:
        size_t first
        size_t elements
        size_t stored
        const uint32_t *positions
        const void *values
        int32_t filler

    ctypedef struct qc_bytes:
        const void *data
        size_t size

    qc_status qc_frame_read(const void *data, size_t size, unsigned flags, qc_frame *frame, qc_error *error)
    qc_status qc_parameters_decode(qc_frame *frame, void *memory, void *workspace, qc_error *error)
    qc_status qc_frame_chunks(const qc_frame *frame, const void *head, qc_chunk *chunks, qc_error *error)
    ctypedef struct qc_stream_info:
        unsigned role
        unsigned coding
        size_t bytes
        size_t offset
    qc_status qc_chunk_streams(const qc_frame *frame, const qc_chunk *chunk, const void *data,
                               qc_stream_info *infos, size_t *count, qc_error *error)
    qc_status qc_coded_streams(const qc_groups *groups, qc_stream_info *infos, size_t *count,
                               qc_error *error)
    qc_status qc_frame_decode(const qc_frame *frame, const qc_chunk *chunks, const void *data,
                              size_t offset, size_t first, size_t count, qc_dtype out_dtype, void *out,
                              unsigned flags, void *workspace, qc_error *error)
    qc_status qc_chunk_stored(const qc_frame *frame, const qc_chunk *chunk, const void *data,
                              size_t *stored, qc_error *error)
    size_t qc_stored_size(const qc_frame *frame)
    qc_status qc_chunk_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                             size_t *codes, qc_error *error)
    qc_status qc_chunk_decode_codes(const qc_frame *frame, const qc_chunk *chunk, const void *data,
                                    size_t count, uint32_t *positions, void *codes, unsigned flags,
                                    void *workspace, qc_error *error)
    qc_status qc_decode(const void *data, size_t size, qc_dtype out_dtype, void *out, size_t out_bytes,
                        void *memory, size_t memory_bytes, unsigned flags, void *workspace,
                        qc_error *error)

    qc_status qc_frame_plan(qc_frame *frame, qc_error *error)
    int qc_copies_may_pay(const void *values, size_t count, size_t item_size, qc_dtype dtype)
    size_t qc_chunk_bound(const qc_frame *frame, const qc_chunk_input *input)
    size_t qc_chunk_encode_workspace(const qc_frame *frame, const qc_chunk_input *input)
    ctypedef struct qc_encoding:
        uint64_t codings
        qc_profile profile
        unsigned effort

    size_t qc_chunk_least(const qc_frame *frame, const qc_chunk_input *input,
                          const qc_encoding *encoding)
    qc_status qc_chunk_encode(const qc_frame *frame, const qc_chunk_input *input,
                              const qc_encoding *encoding, void *out, size_t capacity, size_t *size,
                              uint64_t *features, void *workspace, size_t workspace_bytes, qc_error *error)
    size_t qc_parameters_bound(const qc_frame *frame)
    size_t qc_parameters_encode_workspace(const qc_frame *frame)
    qc_status qc_parameters_encode(qc_frame *frame, uint64_t codings, qc_profile profile, void *out,
                                   size_t capacity, uint64_t *features, void *workspace,
                                   size_t workspace_bytes, qc_error *error)
    size_t qc_frame_size(const qc_frame *frame, uint64_t features, const qc_bytes *chunks)
    qc_status qc_frame_write(const qc_frame *frame, uint64_t features, const qc_bytes *chunks,
                             void *out, size_t capacity, qc_error *error)

    size_t QC_STREAM_ENCODE_WORKSPACE(size_t count)
    size_t qc_stream_bound(size_t count, unsigned width)
    qc_status qc_stream_encode(const void *symbols, size_t count, unsigned width, uint64_t codings,
                               qc_profile profile, void *out, size_t capacity, size_t *size,
                               void *workspace, const qc_poll *poll, qc_error *error)
    qc_status qc_stream_decode(const void *data, size_t size, size_t count, unsigned width,
                               void *symbols, void *workspace, const qc_poll *poll, qc_error *error)

    size_t qc_relative_index_count(const uint32_t *positions, size_t count, unsigned gap_width)
    unsigned qc_relative_index_width(const uint32_t *positions, size_t count, unsigned value_bits)
    qc_status qc_relative_index_encode(const uint32_t *positions, size_t count, unsigned gap_width,
                                       void *gaps, uint32_t *index_of, size_t *stored,
                                       qc_error *error)
    qc_status qc_relative_index_decode(const void *gaps, size_t stored, unsigned gap_width,
                                       size_t limit, uint32_t *positions, qc_error *error)

    enum:
        QC_PACK_MAX_HEAD_BYTES

    ctypedef struct qc_pack_entry:
        size_t name_offset
        size_t name_bytes
        size_t role
        size_t offset
        size_t bytes
        size_t dims_offset
        size_t ndim
        size_t first
        size_t elements
        size_t dtype
        size_t target_offset
        size_t target_bytes
        size_t target
        size_t by_name

    qc_status qc_pack_head(const void *data, size_t size, size_t *table_offset, size_t *table_bytes,
                           qc_error *error)
    qc_status qc_pack_count(const void *content, size_t size, size_t *count, qc_error *error)
    qc_status qc_pack_read(const void *content, size_t size, size_t frames_offset, size_t pack_bytes,
                           qc_pack_entry *entries, size_t count, qc_error *error)
    size_t qc_pack_find(const void *content, const qc_pack_entry *entries, size_t count,
                        const char *name, size_t name_bytes)
    size_t qc_pack_content_bytes(const qc_pack_entry *entries, size_t count, const uint64_t *dims)
    qc_status qc_pack_write_content(const char *names, const uint64_t *dims, qc_pack_entry *entries,
                                    size_t count, void *out, size_t capacity, qc_error *error)
    size_t qc_pack_write_head(size_t table_bytes, uint8_t *out)

cdef extern from "qcodec_numeric.h" nogil:
    ctypedef int qc_kmeans_init

    size_t qc_sort_workspace(size_t count)
    qc_status qc_sort(float *values, size_t count, void *workspace, const qc_poll *poll,
                      qc_error *error)
    size_t qc_kmeans_workspace(size_t count, size_t k)
    qc_status qc_kmeans_lloyd(const float *sorted_values, size_t count, size_t k, qc_kmeans_init init,
                              uint64_t seed, size_t max_steps, float *centroids, double *error_sum,
                              void *workspace, const qc_poll *poll, qc_error *error)
    size_t qc_kmeans_exact_workspace(size_t count, size_t k)
    qc_status qc_kmeans_exact(const float *sorted_values, size_t count, size_t k, float *centroids,
                              double *error_sum, void *workspace, const qc_poll *poll, qc_error *error)
    size_t qc_kmeans_fast_workspace(size_t k)
    qc_status qc_kmeans_fast(const float *values, size_t count, size_t k, float *centroids,
                             double *coarseness, void *workspace, const qc_poll *poll, qc_error *error)
    ctypedef struct qc_grouping:
        size_t inner, count
    ctypedef struct qc_lloyd:
        qc_kmeans_init init
        uint64_t seed
        size_t max_steps
    ctypedef struct qc_group_codebooks:
        size_t k, max_sorted
        double max_coarseness
        int exact
        const qc_lloyd *lloyd
    size_t qc_group_codebooks_workspace(size_t count, const qc_grouping *grouping, size_t k)
    qc_status qc_group_codebooks_find(const float *values, const uint8_t *kept, size_t count,
                                      const qc_grouping *grouping, const qc_group_codebooks *wanted,
                                      float *books, uint16_t *entries, uint8_t *codes,
                                      void *workspace, const qc_poll *poll, qc_error *error)
    void qc_assign(const float *values, size_t count, const float *centroids, size_t k, uint8_t *codes)
    void qc_assign_by_thresholds(const float *values, size_t count, const float *thresholds,
                                 size_t threshold_count, uint8_t *codes)
    size_t QC_CANDIDATE_ENTRIES
    ctypedef struct qc_candidates:
        const float *values
        const uint8_t *codes
        size_t count
        const uint8_t *kept
        size_t rows, columns
    qc_status qc_count_stored(const qc_candidates *candidates, const uint8_t *stored,
                              uint64_t *sizes, double *sums, uint32_t *rows, uint32_t *columns,
                              const qc_poll *poll, qc_error *error)
    qc_status qc_choose_stored(const qc_candidates *candidates, const float *entries,
                               const double *costs, double price, const uint32_t *rows,
                               const uint32_t *columns, uint8_t *stored, int *changed,
                               const qc_poll *poll, qc_error *error)
    const size_t QC_KEPT_SUMS
    qc_status qc_deviation_sums_keep(const float *ordered, size_t count, double *above,
                                     double *below, const qc_poll *poll, qc_error *error)
    qc_status qc_deviation_sums(const float *ordered, size_t count, const double *above,
                                const double *below, const size_t *cuts, size_t cut_count,
                                double *sums, qc_error *error)
    size_t qc_ternary_thresholds_workspace(size_t count, const qc_grouping *grouping)
    qc_status qc_ternary_thresholds(const float *values, size_t count, const qc_grouping *grouping,
                                    size_t sides, float *thresholds, void *workspace,
                                    const qc_poll *poll, qc_error *error)
    qc_status qc_sums_beyond(const float *values, size_t count, const qc_grouping *grouping,
                             const float *thresholds, double *sums, uint64_t *counts,
                             const qc_poll *poll, qc_error *error)
    qc_status qc_ternary_codes(const float *values, size_t count, const qc_grouping *grouping,
                               const float *thresholds, uint8_t *codes, const qc_poll *poll,
                               qc_error *error)
    size_t qc_ternary_best_workspace(size_t sides)
    qc_status qc_ternary_best(const float *values, size_t count, size_t sides, float *thresholds,
                              float *means, int *coarse, void *workspace, const qc_poll *poll,
                              qc_error *error)
    size_t QC_MAX_N_OF_M
    int qc_all_finite(const float *values, size_t count)
    size_t qc_magnitudes_between(const float *values, size_t count, float min, float max,
                                 size_t *above, float *between)
    void qc_mask_above(const float *values, size_t count, float threshold, size_t ties, uint8_t *mask)
    void qc_mask_n_of_m(const float *values, size_t rows, size_t row, size_t n, size_t m,
                        uint8_t *mask)
    qc_status qc_cost_thresholds(const float *centroids, const double *costs, size_t k,
                                 float *thresholds, uint8_t *survivors, size_t *survivor_count,
                                 qc_error *error)
    qc_status qc_assign_by_cost(const float *values, size_t count, const float *centroids,
                                const double *costs, size_t k, uint8_t *codes, qc_error *error)
    ctypedef struct qc_affine_step:
        double step, low, high, zero
    qc_status qc_group_ranges(const float *values, size_t count, const qc_grouping *grouping,
                              float *low, float *high, const qc_poll *poll, qc_error *error)
    qc_status qc_group_squares(const float *values, size_t count, const qc_grouping *grouping,
                               double *sums, const qc_poll *poll, qc_error *error)
    qc_status qc_affine_codes(const float *values, size_t count, const qc_grouping *grouping,
                              const qc_affine_step *steps, size_t code_size, void *codes,
                              const qc_poll *poll, qc_error *error)
    qc_status qc_fixed_point_errors(const float *values, size_t count, const qc_grouping *grouping,
                                    const qc_affine_step *steps, const double *limits,
                                    double *clipped, double *all, const qc_poll *poll,
                                    qc_error *error)
    size_t QC_MAX_VALUES
    unsigned QC_MAX_LEVEL
    unsigned QC_MAX_NARROW_LEVEL
    ctypedef struct qc_levels:
        int32_t min, max, negative_zeros
    qc_status qc_scaled_halves(const float *values, const size_t *ends, size_t groups, qc_dtype dtype,
                               float *scales, size_t *done, const qc_poll *poll, qc_error *error)
    qc_status qc_halves(const float *values, const size_t *ends, size_t groups, const float *scales,
                        qc_dtype dtype, uint16_t *halves, const qc_poll *poll, qc_error *error)
    qc_status qc_distinct(const void *items, size_t item_size, const size_t *ends, size_t groups,
                          size_t limit, uint64_t *patterns, uint16_t *counts, uint8_t *codes,
                          size_t *done, const qc_poll *poll, qc_error *error)
    void qc_renumber(uint8_t *codes, const size_t *ends, size_t groups, const uint8_t *numbers,
                     size_t limit)
    qc_status qc_equal_steps(const float *values, const size_t *ends, size_t groups,
                             qc_dtype dtype, unsigned max_level, float *scales, qc_levels *levels,
                             size_t *done, const qc_poll *poll, qc_error *error)
    size_t QC_PROBED_ITEMS
    size_t QC_PROBE_AXES

    ctypedef struct qc_probe_axis:
        size_t outer
        size_t stride
        size_t inner

    ctypedef struct qc_exact_probe:
        qc_dtype dtype
        size_t count
        unsigned limit
        size_t row
        unsigned row_limit
        size_t row_sample
        size_t run_sample
        unsigned max_level
        int halves
        unsigned axes
        qc_probe_axis axis[2]

    qc_status qc_may_have_exact_form(const qc_exact_probe *probe, const void *items, int *found,
                                     qc_error *error)
    qc_status qc_step_codes(const float *values, const size_t *ends, size_t groups,
                            qc_dtype dtype, const float *scales, const int32_t *zeros, int negative_zeros,
                            size_t code_size, void *codes, const qc_poll *poll, qc_error *error)
