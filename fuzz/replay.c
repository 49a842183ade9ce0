/*
 * Linked with a fuzz target in place of libFuzzer. `replay FILE...` runs the target on each file as
 * it is, truncated after each byte, and with each byte changed in some ways, with lengths and
 * checksums corrected by the target's own mutator. Every run has the same inputs, with any
 * compiler.
 */
#include "harness.h"

enum { ROOM = 1 << 16, CUT = -1, MOST_CHANGED = 1024 };

/* What LLVMFuzzerMutate does next. */
static size_t place;
static int flipped; /* bits of the byte there; or CUT */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    (void)max_size;
    if (flipped == CUT)
        return place;
    data[place] ^= (uint8_t)flipped;
    return size;
}

/* A target without a mutator of its own has nothing to correct. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                                                     unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size);
}

static size_t read_file(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(bytes, 1, ROOM, file) : ROOM;
    if (size == ROOM) {
        fprintf(stderr, "%s cannot be read, or is too large\n", path);
        exit(2);
    }
    fclose(file);
    return size;
}

/* In a buffer of its own, so that a sanitizer notices a single byte too many. */
static void give(const uint8_t *data, size_t size)
{
    uint8_t *copy = copy_of(data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static size_t replay(const uint8_t *data, size_t size)
{
    static const int changes[] = {CUT, 0x01, 0x80};
    static uint8_t changed[ROOM];
    size_t inputs = 1;
    give(data, size);
    for (place = 0; place < size && place < MOST_CHANGED; place++) {
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++, inputs++) {
            flipped = changes[i];
            memcpy(changed, data, size);
            give(changed, LLVMFuzzerCustomMutator(changed, size, ROOM, 1));
        }
    }
    return inputs;
}

int main(int count, char **paths)
{
    static uint8_t data[ROOM];
    size_t inputs = 0;
    for (int i = 1; i < count; i++)
        inputs += replay(data, read_file(paths[i], data));
    printf("%zu inputs from %d files\n", inputs, count - 1);
    return 0;
}
