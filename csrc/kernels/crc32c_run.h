/*
 * The CRC32C of bytes that are taken some at a time, and of parts that are taken side by side.
 */
#ifndef QC_CRC32C_RUN_H
#define QC_CRC32C_RUN_H

#include "base/bytes.h"
#include "kernels/crc32c_powers.h"

/* Takes of multiples of this many bytes are fastest, with every instruction set. */
#define QC_CRC32C_UNIT ((size_t)3 * QC_CRC32C_PART)

/* A register, which is a CRC before its complement; or, while `is_folded`, bytes that take a
   register of 0 there. */
typedef struct qc_crc32c_run {
    int is_folded;
    uint32_t crc;
    /* Aligned, so that what was just stored is loaded without waiting for the stores before it. */
    _Alignas(64) uint8_t folded[QC_CRC32C_FOLD];
} qc_crc32c_run;

/* Begin with a register: the complement of 0 for a CRC, 0 for a part that is joined to another. */
void qc_crc32c_begin(qc_crc32c_run *run, uint32_t crc);
void qc_crc32c_take(qc_crc32c_run *run, const uint8_t *bytes, size_t size);
/* The register after all bytes taken; more can follow. */
uint32_t qc_crc32c_register(qc_crc32c_run *run);

/* The register after two parts, from that of the first and that of the second, begun with 0. */
uint32_t qc_crc32c_join(uint32_t first, uint32_t second, size_t second_bytes);

#endif /* QC_CRC32C_RUN_H */
