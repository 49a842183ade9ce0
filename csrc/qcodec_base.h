/*
 * qcodec: what all public headers share: status codes and errors, polls, instruction sets, the
 * floating-point mode and element types.
 *
 * These rules hold for all functions:
 *
 * - No function allocates, performs I/O, starts threads or changes global state, except for
 *   qc_cpu_select, which is idempotent. The caller owns every buffer.
 * - The input of a decoder is hostile: a function reads only inside the buffers that it is given,
 *   writes only inside the output that it is given, and returns an error for everything that
 *   docs/format.md does not allow.
 * - Calls with different outputs and workspaces may run at the same time, even on the same input.
 *   The input may change meanwhile: a decoder then gives other values or an error, an encoder
 *   encodes what it has seen, and neither reads or writes outside its buffers. A function copies
 *   what it reads more than once, unless any bytes will do at the second reading.
 * - Every function that can fail takes a qc_error *, which may be NULL, and fills it when it
 * returns anything but QC_OK. Outputs are then unspecified.
 * - Numbers do not depend on the machine.
 */
#ifndef QCODEC_BASE_H
#define QCODEC_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Candidate 1 of version 1: neither the draft, 0, nor version 1 itself. */
#define QC_FORMAT_VERSION 0x81
#define QC_MAX_DIMS       8

/* ---- status and errors -------------------------------------------------- */

/* Values are frozen: they cross language borders. */
typedef enum qc_status {
    QC_OK = 0,
    QC_TRUNCATED = 1,   /* the bytes end before what they declare */
    QC_CORRUPT = 2,     /* a rule of the format is broken */
    QC_CHECKSUM = 3,    /* a CRC does not match */
    QC_UNSUPPORTED = 4, /* a reserved version, flag, id or feature */
    QC_LIMIT = 5,       /* larger than this reader handles */
    QC_INVALID = 6,     /* the caller's argument is wrong (not the input bytes) */
    QC_NO_SPACE = 7,    /* the output buffer or the workspace is too small */
    QC_INTERRUPTED = 8  /* the caller's qc_poll said stop */
} qc_status;

/* What, where, found, allowed. `what` is a static string that names the field and the rule;
   `offset` counts from the start of the buffer that was given. */
typedef struct qc_error {
    const char *what;
    uint64_t offset;
    uint64_t found;
    uint64_t allowed;
} qc_error;

/* "truncated", "corrupt", ...; never NULL. */
const char *qc_status_name(qc_status status);

/* Work in tasks that do not depend on each other, for several threads. */
struct qc_poll;
typedef struct qc_tasks {
    size_t count;
    size_t scratch_bytes; /* of each task, aligned for every type and not initialized */
    void *argument;
    /* Does one task, with the poll of its thread, which has no threads of its own; nonzero if that
       said stop. */
    int (*run)(void *argument, size_t task, void *scratch, const struct qc_poll *poll);
    /* Called once for each task that was done, on one thread, in the order of the tasks. */
    void (*merge)(void *argument, size_t task, void *scratch);
} qc_tasks;

/* Calls that may take long ask a poll several times a second, on the caller's thread: `stop`
   returns nonzero to end the call, which then returns QC_INTERRUPTED. NULL instead of a poll: the
   call is not interrupted. A poll must not change while a call uses it.
   Some calls share their work among threads if there are any: `run` does tasks on up to `threads`
   of them, the caller's included, in the floating-point mode of the caller, and returns when all
   are done, or nonzero to end the call. Results do not depend on it. NULL: no threads. */
typedef struct qc_poll {
    int (*stop)(void *context);
    void *context;
    int (*run)(void *context, const qc_tasks *tasks);
    size_t threads;
} qc_poll;

/* ---- the machine --------------------------------------------------------- */

/* The instruction sets that this library has kernels for, one bit each. Those of x86 are a ladder:
   a set is used only together with those above it in this list, so without SSE42 there is no AVX2,
   and without AVX2 no AVX512. NEON and ARM_CRC do not depend on each other. */
#define QC_CPU_SSE42   (1u << 0) /* with PCLMULQDQ */
#define QC_CPU_AVX2    (1u << 1) /* with POPCNT */
#define QC_CPU_AVX512  (1u << 2) /* F, BW, VL, VBMI, VBMI2, BITALG, VPCLMULQDQ */
#define QC_CPU_ARM_CRC (1u << 3)
#define QC_CPU_NEON    (1u << 4)

/* The sets that this machine has and this build has kernels for; none with -DQC_PORTABLE. */
uint32_t qc_cpu_detect(void);
/* The sets that are used: at first all that were detected. */
uint32_t qc_cpu_selected(void);
/* Use only those of the detected sets that are in `allowed`; 0 is portable C. Returns the sets that
   are used from now on, in all threads. Results are the same bit for bit whatever is chosen. */
uint32_t qc_cpu_select(uint32_t allowed);

/* CRC32C of `size` bytes, continued from `crc` (0 to begin). */
uint32_t qc_crc32c(uint32_t crc, const void *data, size_t size);

/* ---- floating-point mode ------------------------------------------------- */

/* A thread may flush subnormals to zero, or round in another way than to nearest, but numbers must
   not depend on it. Decoding and qc_convert handle this themselves. If your threads may be in such
   a mode, bracket the other functions that take or give floats (k-means, codes, ternary weights).
   `enter` makes the calling thread keep subnormals and round to nearest, and returns its mode
   before; `leave` restores that. Calls nest, and cost a few cycles. */
uint32_t qc_float_mode_enter(void);
void qc_float_mode_leave(uint32_t before);

/* ---- element types ------------------------------------------------------- */

typedef enum qc_dtype {
    QC_F32 = 0,
    QC_F16 = 1,
    QC_BF16 = 2,
    QC_F64 = 3,
    QC_U8 = 4,
    QC_I8 = 5,
    QC_U16 = 6,
    QC_I16 = 7,
    QC_U32 = 8,
    QC_I32 = 9,
    QC_U64 = 10,
    QC_I64 = 11,
    QC_BOOL = 12,
    QC_F8E4M3 = 13,
    QC_F8E5M2 = 14,
    QC_E8M0 = 15,
    /* One element a byte, in its lowest 4 or 6 bits; the others are 0. */
    QC_F4 = 16, /* e2m1 */
    QC_F6E2M3 = 17,
    QC_F6E3M2 = 18,
    QC_C64 = 19, /* two f32: the real part, then the imaginary one */
    QC_F8E4M3FNUZ = 20,
    QC_F8E5M2FNUZ = 21
} qc_dtype;
#define QC_DTYPE_COUNT 22

/* Bytes of one element; 0 for an unknown id. */
size_t qc_dtype_size(unsigned dtype);

/* Converts `count` elements: any float type (f64 f32 f16 bf16 f8e4m3 f8e5m2 e8m0) to f32, f16, bf16
   or f64, rounded once to nearest even; or any type to itself. QC_INVALID for any other pair.
   Elements are in the machine's byte order. `from` and `to` may have any alignment, and must not
   overlap. */
qc_status qc_convert(const void *from, qc_dtype from_dtype, void *to, qc_dtype to_dtype,
                     size_t count);

#ifdef __cplusplus
}
#endif
#endif /* QCODEC_BASE_H */
