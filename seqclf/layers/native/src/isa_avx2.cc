// The passes for x86-64 with AVX2.
#include "isa.h"

#ifdef __x86_64__

#pragma GCC target("avx2,fma")
#define SEQCLF_VECTOR_WIDTH 8

namespace seqclf {
namespace {
#include "passes.h"
}  // namespace

const Kernels avx2_kernels = SEQCLF_KERNELS("AVX2");

}  // namespace seqclf

#endif
