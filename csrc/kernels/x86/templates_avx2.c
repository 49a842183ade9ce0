/*
 * The kernels whose text is the same for every width of vectors, instantiated for AVX2.
 */
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#include "kernels/x86/affine_template.h"
#include "kernels/x86/exponents_template.h"
#include "kernels/x86/max_code_template.h"
#include "kernels/x86/planes_template.h"

#endif /* QC_HAS_AVX2 */
