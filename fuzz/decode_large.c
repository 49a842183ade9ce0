/*
 * decode_frame for tensors of many blocks: ranges that begin in a later block, positions and
 * sub-streams that continue from block to block, rows longer than a block, passes over whole
 * chunks.
 */
#define MIN_ELEMENTS (((size_t)1 << 12) + 1)
#define MAX_ELEMENTS ((size_t)1 << 18)

#include "decode_frame.c"
