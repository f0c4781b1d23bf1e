// What a pass of the GRU is given, and which functions every instruction set offers.
//
// Symbols and equations are those of seqclf/layers/bptt: z and r are the gates, s what the reset
// gate multiplies (or the product), c the candidate state (h̃ there). Arrays are batch-major and
// dense; B, T, D and H are the numbers of examples, time steps, features and units.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seqclf {

struct Sizes {
  int64_t B, T, D, H;
  bool reset_after;
};

// The arguments of both passes.
struct Arguments {
  const float* x;       // [B, T, D]
  const float* h_0;     // [B, H]
  const float* W;       // [D, 3H], blocks z, r, h
  const float* U;       // [H, 3H], blocks z, r, h
  const float* bias;    // [2, 3H] with reset_after, [3H] without; null: none
  const uint8_t* mask;  // [B, T], 0: the state passes the time step unchanged; null: none
};

struct Upstream {
  const float* states;  // ∂L/∂h_t of every time step, [B, T, H]; null: only the last state counts
  const float* last;    // ∂L/∂h_T, [B, H]; null where `states` is given
};

struct Gradients {
  float* x;    // [B, T, D]; null: not wanted
  float* h_0;  // [B, H]
  float* W;    // [D, 3H]
  float* U;    // [H, 3H]
  float* bias; // as Arguments::bias; null: there is none
};

// The functions of one instruction set. A share is the examples `first` to `last - 1`; shares may
// be worked on at the same time. Sizes of work space are in floats; it is aligned to 64 bytes.
struct Kernels {
  const char* name;
  int64_t (*gates_size)(const Sizes&);
  int64_t (*forward_weights_size)(const Sizes&);
  int64_t (*backward_weights_size)(const Sizes&, bool need_dx);
  int64_t (*forward_scratch_size)(const Sizes&, int64_t examples);
  int64_t (*backward_scratch_size)(const Sizes&, int64_t examples);
  // Lay the weights out as the passes read them.
  void (*pack_forward)(const Sizes&, const Arguments&, float* packed);
  void (*pack_backward)(const Sizes&, const Arguments&, bool need_dx, float* packed);
  // states [B, T, H]; gates: what the backward pass needs, or null.
  void (*forward)(const Sizes&, const Arguments&, const float* packed, int64_t first, int64_t last,
                  float* states, float* gates, float* scratch);
  // Writes the share's rows of dx and dh_0; its parts of dW, dU and the bias's gradient stay in the
  // scratch, from where `add_up` takes those of all shares, in their order.
  void (*backward)(const Sizes&, const Arguments&, const float* packed, int64_t first, int64_t last,
                   const float* states, const float* gates, const Upstream&, const Gradients&,
                   float* scratch);
  void (*add_up)(const Sizes&, float* const* scratches, int64_t shares, const Gradients&);
};

// The best instruction set of this machine; `SEQCLF_NATIVE_ISA` (avx512, avx2 or plain) names
// another one. Never null.
const Kernels* kernels();

}  // namespace seqclf
