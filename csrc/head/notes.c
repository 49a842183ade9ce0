/*
 * Notes: what a frame says beside its tensor, which readers may skip (docs/format.md, section 2).
 */
#include "head/layout.h"

/* The bytes of a note that this version describes; 0: any number. */
static const size_t NOTE_BYTES[] = {
    [QC_NOTE_ELEMENTS_CRC] = QC_CRC_BYTES,
    [QC_NOTE_BASE_SHA256] = 32,
};

static qc_status read_note(qc_reader *reader, qc_note *note, qc_error *error)
{
    uint64_t size;
    QC_TRY(qc_read_vu(reader, &note->id, "notes: id", error));
    QC_TRY(qc_read_vu(reader, &size, "notes: length", error));
    QC_TRY(qc_read_bytes(reader, size, &note->bytes, "notes: a note's bytes", error));
    note->size = (size_t)size;
    return QC_OK;
}

static qc_status check_note(const qc_note *note, size_t at, uint64_t least, qc_error *error)
{
    QC_CHECK(note->id >= least, QC_CORRUPT, "notes: ids ascend", at, note->id, least);
    size_t known = sizeof NOTE_BYTES / sizeof *NOTE_BYTES;
    size_t bytes = note->id < known ? NOTE_BYTES[note->id] : 0;
    QC_CHECK(bytes == 0 || note->size == bytes, QC_CORRUPT, "notes: length of this note", at,
             note->size, bytes);
    return QC_OK;
}

static qc_status check_notes(const qc_notes *notes, size_t offset, qc_error *error)
{
    qc_reader reader = qc_reader_of(notes->bytes, notes->size, 1);
    for (uint64_t least = 0; reader.at < reader.size;) {
        size_t at = offset + reader.at;
        qc_note note;
        QC_TRY(read_note(&reader, &note, error));
        QC_TRY(check_note(&note, at, least, error));
        least = note.id + 1;
    }
    return QC_OK;
}

qc_status qc_read_notes(qc_reader *reader, qc_notes *notes, qc_error *error)
{
    uint64_t size;
    QC_TRY(qc_read_vu(reader, &size, "notes: their length", error));
    size_t at = reader->at;
    QC_TRY(qc_read_bytes(reader, size, &notes->bytes, "notes", error));
    notes->size = (size_t)size;
    return check_notes(notes, at, error);
}

qc_status qc_plan_notes(const qc_notes *notes, qc_error *error)
{
    if (notes->size > 0 && check_notes(notes, 0, NULL) != QC_OK)
        return qc_fail(error, QC_INVALID, "notes: they are not items that ascend", 0, notes->size,
                       0);
    return QC_OK;
}

int qc_note_next(const qc_notes *notes, size_t *at, qc_note *note)
{
    qc_reader reader = qc_reader_of(notes->bytes, notes->size, 1);
    reader.at = *at;
    if (reader.at >= reader.size || read_note(&reader, note, NULL) != QC_OK)
        return 0;
    *at = reader.at;
    return 1;
}
