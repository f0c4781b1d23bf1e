// The passes for x86-64 with AVX2, compiled with the flags that setup.py has for this file.
#include "isa.h"

#ifdef __x86_64__

#include <immintrin.h>

#define SEQCLF_VECTOR_WIDTH 8

namespace seqclf {
namespace {
#include "passes.h"
}  // namespace

const Kernels avx2_kernels = SEQCLF_KERNELS("AVX2");

}  // namespace seqclf

#endif
