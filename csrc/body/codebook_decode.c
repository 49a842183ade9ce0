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

/* The entries of `count` codes of one byte, each in a book that is `step` entries behind the one
   before. */
static inline void take_entries(const qc_groups *books, size_t entry, size_t step,
                                const uint8_t *codes, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++, entry += step) {
        float value = qc_group_value(books, entry + codes[i]);
        memcpy(out + sizeof value * i, &value, sizeof value);
    }
}

/* The same of the usual dtype. */
static inline void take_f32(const uint8_t *restrict entry, size_t step,
                            const uint8_t *restrict codes, size_t count, uint8_t *restrict out)
{
    for (size_t i = 0; i < count; i++, entry += 4 * step) {
        uint32_t bits = qc_load32(entry + 4 * (size_t)codes[i]);
        memcpy(out + 4 * i, &bits, 4);
    }
}

/* Of one book, by its table; of several, entry by entry. */
static void unscaled_block(qc_value_decoder *values, size_t from, size_t count, size_t first,
                           uint8_t *out)
{
    const qc_groups *books = &values->frame->codebook.books;
    const size_t entries = values->frame->codebook.entries;
    const uint8_t *codes = values->blocks[0] + from;
    if (books->count == 1) {
        qc_look_up(&values->table, codes, count, out, 0);
        return;
    }
    const int is_each = books->inner == 1; /* every element has the next book */
    const size_t step = is_each ? entries : 0, whole = is_each ? books->count : books->inner;
    size_t book = qc_group_of(books, first);
    size_t run = is_each ? books->count - book : qc_run_in(books, first);
    for (size_t done = 0; done < count; done += run) {
        if (done > 0)
            run = whole > 0 ? whole : qc_run_in(books, first + done);
        run = run < count - done ? run : count - done;
        if (books->dtype == QC_F32)
            take_f32(books->values + 4 * entries * book, step, codes + done, run, out + 4 * done);
        else
            take_entries(books, entries * book, step, codes + done, run, out + 4 * done);
        book = is_each || book + 1 == books->count ? 0 : book + 1;
    }
}

static const qc_code_values VALUES = {unscaled, unscaled_block, write_run};

static void write_codebook(qc_value_decoder *values, size_t from, size_t count, size_t first,
                           const uint32_t *positions, uint8_t *out)
{
    qc_codes_write(values, from, count, first, positions, out, &VALUES);
}

/* For unscaled_block. */
static void fill_unscaled_table(qc_value_decoder *values)
{
    values->table.item_size = sizeof *values->entries;
    memcpy(values->table.items, values->entries, values->table.entries * sizeof *values->entries);
    qc_look_up_prepare(&values->table);
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
    else if (frame->codebook.books.count == 1 && qc_has_short_runs(frame))
        fill_unscaled_table(values);
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
