// The passes for x86-64 with AVX512.
#include "isa.h"

#ifdef __x86_64__

#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma")
#define SEQCLF_VECTOR_WIDTH 16

namespace seqclf {
namespace {
#include "passes.h"
}  // namespace

const Kernels avx512_kernels = SEQCLF_KERNELS("AVX512");

}  // namespace seqclf

#endif
