// The passes for x86-64 with AVX512, compiled with the flags that setup.py has for this file.
#include "isa.h"

#ifdef __x86_64__

#include <immintrin.h>

#define SEQCLF_VECTOR_WIDTH 16

namespace seqclf {
namespace {
#include "passes.h"
}  // namespace

const Kernels avx512_kernels = SEQCLF_KERNELS("AVX512");

}  // namespace seqclf

#endif
