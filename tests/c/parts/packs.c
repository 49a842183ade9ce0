/*
 * packs: writes the table of a pack with two names, and finds them in it. Linked with the files of
 * packs alone (csrc/README.md).
 */
#include <stdio.h>
#include <string.h>

#include "qcodec.h"

int main(void)
{
    static const char names[] = "biasweight";
    qc_pack_entry entries[2] = {
        {.name_offset = 0, .name_bytes = 4, .bytes = 3, .target = 0},
        {.name_offset = 4, .name_bytes = 6, .bytes = 5, .target = 1},
    };
    uint8_t pack[256] = {0};
    qc_error error;
    size_t count, table_bytes, table = qc_pack_table_bytes(entries, 2);
    qc_status status = qc_pack_write_table(names, entries, 2, pack, sizeof pack, &error);
    if (status == QC_OK)
        status = qc_pack_count(pack, table + 8, table + 8, &count, &error);
    if (status == QC_OK)
        status = qc_pack_read(pack, table + 8, table + 8, entries, count, &table_bytes, &error);
    if (status != QC_OK) {
        fprintf(stderr, "%s: %s\n", qc_status_name(status), error.what);
        return 1;
    }
    size_t found = qc_pack_find(pack, entries, count, "weight", 6);
    printf("%zu %zu %zu\n", found, entries[found].offset - table_bytes, entries[found].bytes);
    return 0;
}
