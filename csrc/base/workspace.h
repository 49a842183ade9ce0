/*
 * The caller's scratch memory, which may start at any address.
 */
#ifndef QC_WORKSPACE_H
#define QC_WORKSPACE_H

#include <stdint.h>

#define QC_WORKSPACE_ALIGNMENT 64

/* The first address at or after `workspace` that suits every type. It takes less than
   QC_WORKSPACE_ALIGNMENT bytes. */
static inline void *qc_workspace_align(void *workspace)
{
    uintptr_t misfit = (uintptr_t)workspace % QC_WORKSPACE_ALIGNMENT;
    return (uint8_t *)workspace + (misfit != 0 ? QC_WORKSPACE_ALIGNMENT - misfit : 0);
}

#endif /* QC_WORKSPACE_H */
