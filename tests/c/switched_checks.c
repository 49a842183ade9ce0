/*
 * For programs built with QC_SWITCHABLE_CHECKS (tools/check_checks.py): before main, the check that
 * QC_CHECK_OFF names (file:line) is switched off; at the end, the file that QC_CHECK_REPORT names
 * gets a line for every check: file, line, and whether it ever failed.
 */
#include "base/bytes.h"
#include "support.h"

extern qc_check_site *__start_qc_checks[], *__stop_qc_checks[];

__attribute__((constructor)) static void switch_off(void)
{
    const char *off = getenv("QC_CHECK_OFF");
    if (off == NULL)
        return;
    size_t sites = 0;
    for (qc_check_site **site = __start_qc_checks; site < __stop_qc_checks; site++) {
        char name[4096];
        snprintf(name, sizeof name, "%s:%d", (*site)->file, (*site)->line);
        (*site)->off = strcmp(name, off) == 0;
        sites += (size_t)(*site)->off;
    }
    CHECK(sites > 0, "no check is %s", off);
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("QC_CHECK_REPORT");
    if (path == NULL)
        return;
    FILE *file = fopen(path, "w");
    CHECK(file != NULL, "%s", path);
    for (qc_check_site **site = __start_qc_checks; site < __stop_qc_checks; site++)
        fprintf(file, "%s:%d %d\n", (*site)->file, (*site)->line, (*site)->failed);
    fclose(file);
}
