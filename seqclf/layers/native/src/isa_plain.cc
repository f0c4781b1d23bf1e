// The passes in vectors of four, which every machine has: SSE2, NEON, or what the compiler makes.
#include "isa.h"

#define SEQCLF_VECTOR_WIDTH 4

namespace seqclf {
namespace {
#include "passes.h"
}  // namespace

const Kernels plain_kernels = SEQCLF_KERNELS("plain");

}  // namespace seqclf
