/*
 * The caller's scratch memory, which may start at any address.
 */
#ifndef QC_WORKSPACE_H
#define QC_WORKSPACE_H

#include <stddef.h>
#include <stdint.h>

#define QC_WORKSPACE_ALIGNMENT 64

/* The first address at or after `workspace` that suits every type. It takes less than
   QC_WORKSPACE_ALIGNMENT bytes. */
static inline void *qc_workspace_align(void *workspace)
{
    uintptr_t misfit = (uintptr_t)workspace % QC_WORKSPACE_ALIGNMENT;
    return (uint8_t *)workspace + (misfit != 0 ? QC_WORKSPACE_ALIGNMENT - misfit : 0);
}

/*
 * Placement. A decoder reads a block of codes and writes an output. To let a load pass the stores
 * before it, processors compare the lowest 12 bits of their addresses; where these are equal, the
 * load waits until the store is done, though the memory is another. Stores of an output that is not
 * in the caches wait long, so by the addresses that malloc happened to give, the same work took up
 * to 1.6 times as long (measured on a Zen 4; a Zen 5 does not mind).
 *
 * So the block is placed by the output. Loads go up by one byte per element, stores by the size of
 * an element, so modulo 4096 a store comes nearer to the loads from below, passes them, and leaves
 * them behind. Loads wait for the stores right behind which they are: those of the last U bytes,
 * which are not yet done. A block of 2048 begins QC_PLACEMENT bytes above the output. Elements of 2
 * bytes have then come up to the loads only at the end of the block, so no load waits. Elements of
 * 4 bytes pass the loads once, after a third of the block, and do not reach them a second time as
 * long as U is at most 2048; from other places most blocks would be passed twice. As blocks advance
 * the output by a multiple of 4096 bytes, this holds for all of them.
 *
 * Where codes go from registers to the output (qc_item_run), there is no such block at all.
 */
#define QC_PLACEMENT_PERIOD ((size_t)4096)
#ifndef QC_PLACEMENT /* a benchmark may try others: a multiple of QC_WORKSPACE_ALIGNMENT */
#define QC_PLACEMENT ((size_t)2048)
#endif

/* As qc_workspace_align, so that what is `offset` bytes behind the result is, modulo
   QC_PLACEMENT_PERIOD, about QC_PLACEMENT above `out`. Takes less than QC_PLACEMENT_PERIOD bytes
   more. */
static inline void *qc_workspace_place(void *workspace, size_t offset, const void *out)
{
    uint8_t *begin = qc_workspace_align(workspace);
    uintptr_t above = (uintptr_t)out + QC_PLACEMENT - ((uintptr_t)begin + offset);
    return begin + above % QC_PLACEMENT_PERIOD / QC_WORKSPACE_ALIGNMENT * QC_WORKSPACE_ALIGNMENT;
}

#endif /* QC_WORKSPACE_H */
