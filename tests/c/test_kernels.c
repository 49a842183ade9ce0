/*
 * Every kernel of every instruction set that this machine has, checked by its name; see
 * checkasm/checkasm.h. A kernel that a set takes over from the lesser set is checked there. Sets
 * that cannot be checked are named too: those of other machines, and those that this one lacks.
 */
#include <stddef.h>

#include "checkasm/counts.h"
#include "checkasm/equal_steps.h"
#include "checkasm/lanes.h"
#include "checkasm/values.h"

/* Its only effect is on what other processors see. */
static const char *check_order_stores(const qc_kernels *kernels)
{
    kernels->order_stores();
    return NULL;
}

typedef struct kernel_row {
    const char *name;
    size_t offset;
    kernel_check *check;
} kernel_row;

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, offsetof(qc_kernels, name), check_##name                                            \
    }

static const kernel_row rows[] = {
    ROW(unpack),
    ROW(unpack_items),
    ROW(pack),
    ROW(max_code),
    ROW(look_up_2),
    ROW(look_up_4),
    ROW(affine),
    ROW(affine_each),
    ROW(scale_f16),
    ROW(scale_bf16),
    ROW(merge_1),
    ROW(merge_2),
    ROW(merge_4),
    ROW(add_delta_4),
    ROW(join_floats_2),
    ROW(join_floats_4),
    ROW(f16_of_f32),
    ROW(bf16_of_f32),
    ROW(round_to_f16),
    ROW(round_to_bf16),
    ROW(byte_codes),
    ROW(max_bits),
    ROW(step_errors),
    ROW(descend),
    ROW(sum_gaps),
    ROW(mask_positions),
    ROW(bin_values),
    ROW(lanes_huffman),
    ROW(lanes_tans),
    ROW(lanes_huffman_items),
    ROW(lanes_tans_items),
    ROW(lanes_add_low_bits),
    ROW(lanes_fill_escapes),
    ROW(tans_step_back),
    ROW(lanes_write_words),
    ROW(lanes_write_low_bits),
    ROW(lanes_write_escapes),
    ROW(count_blocks),
    ROW(crc32c),
    ROW(crc32c_fold),
    ROW(order_stores),
};

typedef void any_kernel(void);
#define KERNELS (sizeof rows / sizeof *rows)
_Static_assert(sizeof(qc_kernels) == KERNELS * sizeof(any_kernel *), "a kernel has no check");

typedef struct set_row {
    const char *name;
    uint32_t set, lesser;
    int is_built;
} set_row;

static const set_row sets[] = {
    {"portable", 0, 0, 1},
    {"SSE4.2", QC_CPU_SSE42, 0, QC_HAS_SSE42},
    {"AVX2", QC_CPU_AVX2, QC_CPU_SSE42, QC_HAS_AVX2},
    {"AVX-512", QC_CPU_AVX512, QC_CPU_AVX2, QC_HAS_AVX512},
    {"NEON", QC_CPU_NEON, 0, QC_HAS_NEON},
    {"ARM CRC32", QC_CPU_ARM_CRC, 0, QC_HAS_ARM_CRC},
};

static any_kernel *kernel_at(const qc_kernels *kernels, size_t offset)
{
    any_kernel *kernel;
    memcpy(&kernel, (const char *)kernels + offset, sizeof kernel);
    return kernel;
}

static void check_kernel(const char *set, const kernel_row *row, const qc_kernels *kernels)
{
    static const char *const flaws[] = {NULL, "no work", "a wrong byte"};
    sabotage = AS_IT_IS;
    const char *wrong = row->check(kernels);
    CHECK(wrong == NULL, "%s, %s: %s", set, row->name, wrong);
    for (sabotage = IDLE; sabotage <= WRONG_BYTE; sabotage++)
        CHECK(row->check == check_order_stores || row->check(kernels) != NULL,
              "%s, %s: the check does not notice %s", set, row->name, flaws[sabotage]);
    sabotage = AS_IT_IS;
}

/* The kernels that the set has of its own; "portable" has those of machines without any set. */
static void check_set(const set_row *set)
{
    const qc_kernels *kernels = qc_kernels_of(set->set), *lesser = qc_kernels_of(set->lesser);
    char others[1024] = "";
    size_t own = 0;
    for (size_t i = 0; i < KERNELS; i++) {
        any_kernel *kernel = kernel_at(kernels, rows[i].offset);
        if (kernel != NULL && (set->set == 0 || kernel != kernel_at(lesser, rows[i].offset))) {
            check_kernel(set->name, &rows[i], kernels);
            own++;
        } else {
            strcat(strcat(others, " "), rows[i].name);
        }
    }
    printf("%s: %zu of %zu kernels%s%s\n", set->name, own, KERNELS, own < KERNELS ? "; not" : "",
           own > KERNELS / 2 ? others
           : own < KERNELS   ? " the others"
                             : "");
}

/* Whatever is allowed, nothing else is used, nor a set of x86 without the lesser ones. */
static void check_choices(void)
{
    const uint32_t found = qc_cpu_detect();
    for (uint32_t allowed = 0; allowed < 32; allowed++) {
        uint32_t used = qc_cpu_select(allowed);
        CHECK((used & ~(allowed & found)) == 0, "%x of %x is used", used, allowed);
        CHECK(used == qc_cpu_selected() && used == qc_cpu_select(used), "%x is used", used);
        CHECK(qc_kernels_selected() == qc_kernels_of(used), "other kernels than those of %x", used);
        if (QC_HAS_SSE42 && !(allowed & QC_CPU_SSE42))
            CHECK((used & (QC_CPU_AVX2 | QC_CPU_AVX512)) == 0, "%x of %x", used, allowed);
        if (QC_HAS_AVX2 && !(allowed & QC_CPU_AVX2))
            CHECK((used & QC_CPU_AVX512) == 0, "%x of %x", used, allowed);
    }
    CHECK(qc_cpu_select(UINT32_MAX) == found, "a set that was found is not used");
}

int main(void)
{
    check_choices();
    input = guarded_memory(70000);
    more_input = guarded_memory(70000);
    output = guarded_memory(70000);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (!sets[i].is_built)
            printf("%s: not in this build\n", sets[i].name);
        else if ((sets[i].set & ~qc_cpu_detect()) != 0)
            printf("%s: not on this machine\n", sets[i].name);
        else
            check_set(&sets[i]);
    return 0;
}
