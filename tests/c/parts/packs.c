/*
 * packs: writes the content of a pack's table with two names, and finds them in it. Linked with the
 * files of packs alone (csrc/README.md).
 */
#include <stdio.h>
#include <string.h>

#include "qcodec.h"

int main(void)
{
    static const char names[] = "biasweight";
    qc_pack_entry entries[2] = {
        {.name_offset = 0, .name_bytes = 4, .bytes = 3},
        {.name_offset = 4, .name_bytes = 6, .bytes = 5},
    };
    uint8_t content[256] = {0};
    qc_error error;
    size_t count, size = qc_pack_content_bytes(entries, 2, NULL);
    qc_status status =
        qc_pack_write_content(names, NULL, entries, 2, content, sizeof content, &error);
    if (status == QC_OK)
        status = qc_pack_count(content, size, &count, &error);
    if (status == QC_OK)
        status = qc_pack_read(content, size, 9, 17, entries, count, &error);
    if (status != QC_OK) {
        fprintf(stderr, "%s: %s\n", qc_status_name(status), error.what);
        return 1;
    }
    size_t found = qc_pack_find(content, entries, count, "weight", 6);
    printf("%zu %zu %zu\n", found, entries[found].offset - 9, entries[found].bytes);
    return 0;
}
