// Which instruction set this machine has.
#include <cstdlib>
#include <cstring>

#include "isa.h"

namespace seqclf {
namespace {

const Kernels* choose() {
#ifdef __x86_64__
  const char* asked = std::getenv("SEQCLF_NATIVE_ISA");
  const auto wanted = [&](const char* name) { return !asked || std::strcmp(asked, name) == 0; };
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512 && wanted("avx512")) return &avx512_kernels;
  if (avx2 && wanted("avx2")) return &avx2_kernels;
#endif
  return &plain_kernels;
}

}  // namespace

const Kernels* kernels() {
  static const Kernels* const chosen = choose();
  return chosen;
}

}  // namespace seqclf
