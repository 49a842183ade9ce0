/*
 * Weights without Python: opens a pack, decodes one layer and multiplies a vector with it.
 *
 *     cc -std=c11 -Icsrc examples/matvec.c $(find csrc -name '*.c') -o matvec
 *     echo "0.5 -1 2" | ./matvec net.qcodec fc.weight
 *
 * The vector has as many numbers as the layer has columns; one result a row is printed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pack.h"

int main(int argc, char **argv)
{
    size_t size;
    if (argc != 3)
        fail("usage", "matvec FILE.qcodec NAME, the vector on standard input");
    uint8_t *pack = read_file(argv[1], &size);
    tensor matrix = read_tensor(pack, size, argv[2]);
    if (matrix.ndim == 0 || matrix.dims[0] == 0)
        fail(argv[2], "not a matrix");
    size_t rows = (size_t)matrix.dims[0], columns = matrix.elements / rows;

    float *vector = allocate(columns, sizeof *vector);
    for (size_t i = 0; i < columns; i++) {
        if (scanf("%f", &vector[i]) != 1)
            fail("vector", "has fewer numbers than the layer has columns");
    }
    for (size_t row = 0; row < rows; row++) {
        double sum = 0;
        for (size_t i = 0; i < columns; i++)
            sum += (double)matrix.values[row * columns + i] * vector[i];
        printf("%.9g\n", sum);
    }
    free(vector);
    free(matrix.values);
    free(pack);
    return 0;
}
