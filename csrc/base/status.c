/*
 * Names of status codes.
 */
#include "base/bytes.h"

const char *qc_status_name(qc_status status)
{
    switch (status) {
    case QC_OK: return "ok";
    case QC_TRUNCATED: return "truncated";
    case QC_CORRUPT: return "corrupt";
    case QC_CHECKSUM: return "checksum";
    case QC_UNSUPPORTED: return "unsupported";
    case QC_LIMIT: return "limit";
    case QC_INVALID: return "invalid argument";
    case QC_NO_SPACE: return "no space";
    case QC_INTERRUPTED: return "interrupted";
    }
    return "unknown status";
}
