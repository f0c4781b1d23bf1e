// Which instruction set this machine has.
#include <cstdlib>
#include <cstring>

#include "isa.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace seqclf {
namespace {

#ifdef __x86_64__

// The processor's answers by CPUID, and which registers the system saves when it changes threads.
// Not by __builtin_cpu_supports: the run-time library of some compilers answers "no" to all of it.
struct Processor {
  unsigned leaf1_c = 0, leaf7_b = 0, saved = 0;

  Processor() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    leaf1_c = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) leaf7_b = b;
    if (leaf1_c & bit_OSXSAVE) {  // XGETBV exists
      unsigned high;
      __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    }
  }

  bool has(unsigned bits1_c, unsigned bits7_b, unsigned registers) const {
    return (leaf1_c & bits1_c) == bits1_c && (leaf7_b & bits7_b) == bits7_b &&
           (saved & registers) == registers;
  }
};

// Bits of XCR0.
constexpr unsigned XMM_AND_YMM = 0x06, MASKS_AND_ZMM = 0xe0;

#endif

const Kernels* choose() {
#ifdef __x86_64__
  const char* asked = std::getenv("SEQCLF_NATIVE_ISA");
  const auto wanted = [&](const char* name) { return !asked || std::strcmp(asked, name) == 0; };
  const Processor processor;
  const bool avx2 = processor.has(bit_FMA, bit_AVX2, XMM_AND_YMM);
  const bool avx512 =
      avx2 && processor.has(0, bit_AVX512F | bit_AVX512DQ | bit_AVX512VL, MASKS_AND_ZMM);
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
