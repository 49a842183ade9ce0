/*
 * Kind codebook, decoded: the entry that a code names, times the scale.
 */
#include "body/kinds_decode.h"
#include "head/layout.h"
#include "kernels/max_code.h"

static float unscaled(const qc_frame *frame, unsigned code, size_t element)
{
    const qc_groups *books = &frame->codebook.books;
    return qc_group_value(books, qc_group_of(books, element) * frame->codebook.entries + code);
}

/* Read the entries of a book, as f32. */
static void read_book(qc_value_decoder *values, size_t book)
{
    const qc_codebook *codebook = &values->frame->codebook;
    for (unsigned code = 0; code < codebook->entries; code++)
        values->entries[code] = qc_group_value(&codebook->books, book * codebook->entries + code);
}

static const qc_code_values VALUES;

static void write_run(qc_value_decoder *values, size_t from, size_t count, size_t element,
                      uint8_t *out)
{
    const qc_frame *frame = values->frame;
    const qc_groups *books = &frame->codebook.books;
    const uint8_t *codes = values->blocks[0] + from;
    if (count < frame->codebook.entries) {
        for (size_t i = 0; i < count; i++)
            values->floats[i] = qc_code_value(frame, codes[i], element, &VALUES);
        qc_write_floats(values, count, out);
        return;
    }
    if (books->count > 1)
        read_book(values, qc_group_of(books, element));
    qc_fill_table(values, qc_scale_of(frame, element));
    qc_look_up(&values->table, codes, count, out, values->past_cache);
}

static const qc_code_values VALUES = {unscaled, write_run};

static void write_codebook(qc_value_decoder *values, size_t from, size_t count, size_t first,
                           const uint32_t *positions, uint8_t *out)
{
    qc_codes_write(values, from, count, first, positions, out, &VALUES);
}

/* A table of all codes, if it serves the whole tensor; else write_run makes one per run. */
static void make_table(qc_value_decoder *values)
{
    const qc_frame *frame = values->frame;
    values->table.entries = frame->codebook.entries;
    if (frame->codebook.books.count == 1)
        read_book(values, 0);
    values->has_table = qc_is_uniform(frame);
    if (values->has_table)
        qc_fill_table(values, qc_scale_of(frame, 0));
}

static qc_status open_codebook(qc_value_decoder *values, size_t first, size_t count,
                               qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    (void)first;
    QC_TRY(qc_value_streams_open(values, 1, count, shared, reader, error));
    if (qc_parameters_are_decoded(values->frame)) /* else nothing will be written */
        make_table(values);
    return QC_OK;
}

/* Where there are codes without an entry, codes are checked. So they are copied: the frame may
   change between the check and the look-up. */
static qc_status pull_codebook(qc_value_decoder *values, size_t count, size_t keep, qc_error *error)
{
    const qc_frame *frame = values->frame;
    unsigned entries = frame->codebook.entries;
    int is_checked = entries < 1u << frame->width;
    QC_TRY(qc_value_stream_pull(values, 0, count, keep, is_checked, error));
    if (is_checked) {
        unsigned code = qc_max_code(values->blocks[0] + keep, count);
        QC_CHECK(code < entries, QC_CORRUPT, "codebook: code without an entry", 0, code,
                 entries - 1);
    }
    return QC_OK;
}

const qc_kind_decoder qc_codebook_kind_decoder = {
    open_codebook,  qc_value_streams_skip, pull_codebook,
    write_codebook, qc_codes_copy,         qc_value_streams_finish,
};
