/*
 * A chunk of positions form copies, decoded: stored elements go to their places in the output, and
 * the copies are made there.
 */
#include "body/chunk_decode.h"

/* What is being written. */
typedef struct output {
    int as_codes;
    size_t size; /* bytes of an item */
    uint8_t *at; /* NULL: check only */
    size_t first;
    size_t left;         /* stored elements not yet pulled */
    size_t pulled, used; /* of the block */
} output;

/* Turn the block that was pulled into items. */
static void write_block(qc_chunk_decoder *decoder, const output *out, uint8_t *to)
{
    if (out->as_codes)
        qc_values_write_codes(&decoder->values, out->pulled, to);
    else /* all elements share their groups, so their numbers do not matter */
        qc_values_write(&decoder->values, 0, out->pulled, out->first, NULL, to);
}

/* The next `count` stored elements. A block goes straight to the output if all of it belongs there.
 */
static qc_status put_stored(qc_chunk_decoder *decoder, output *out, size_t count, qc_error *error)
{
    while (count > 0) {
        int fresh = out->used == out->pulled;
        if (fresh) {
            out->pulled = qc_smaller(QC_VALUE_BLOCK, out->left);
            out->used = 0;
            out->left -= out->pulled;
            QC_TRY(qc_values_pull(&decoder->values, out->pulled, 0, error));
        }
        size_t taken = qc_smaller(count, out->pulled - out->used);
        if (out->at != NULL && fresh)
            write_block(decoder, out, taken == out->pulled ? out->at : decoder->block);
        if (out->at != NULL && taken < out->pulled)
            memcpy(out->at, decoder->block + out->used * out->size, taken * out->size);
        if (out->at != NULL)
            out->at += taken * out->size;
        out->used += taken;
        count -= taken;
    }
    return QC_OK;
}

qc_status qc_chunk_decode_copies(qc_chunk_decoder *decoder, const qc_chunk *chunk, int as_codes,
                                 size_t size, uint8_t *out, qc_error *error)
{
    output output = {as_codes, size, out, chunk->first, decoder->stored, 0, 0};
    qc_copy copy;
    do {
        QC_TRY(qc_copies_next(&decoder->copies, &copy, error));
        QC_TRY(put_stored(decoder, &output, copy.run, error));
        if (out != NULL && copy.length > 0) {
            qc_copies_put(&copy, output.at, size);
            output.at += copy.length * size;
        }
    } while (copy.length > 0);
    return qc_copies_flip(&decoder->copies, out, size, error);
}
