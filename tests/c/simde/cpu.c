/*
 * In place of csrc/base/cpu.c: a machine that has AVX-512 and no lesser set, so that a test of
 * every path runs those kernels, in software, on any machine.
 */
#include "base/bytes.h"

static uint32_t selected = QC_CPU_AVX512;

uint32_t qc_cpu_detect(void) { return QC_CPU_AVX512; }

uint32_t qc_cpu_selected(void) { return selected; }

uint32_t qc_cpu_select(uint32_t allowed) { return selected = qc_cpu_detect() & allowed; }
