// The tables of the instruction sets.
#pragma once

#include "gru.h"

namespace seqclf {

#ifdef __x86_64__
extern const Kernels avx512_kernels;
extern const Kernels avx2_kernels;
#endif
extern const Kernels plain_kernels;

#define SEQCLF_KERNELS(name)                                                                   \
  {                                                                                            \
    name, gates_size, forward_weights_size, backward_weights_size, forward_scratch_size,       \
        backward_scratch_size, pack_forward, pack_backward, forward, backward, add_up          \
  }

}  // namespace seqclf
