#include "shares.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "pool.h"

namespace seqclf {
namespace {

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};
typedef std::unique_ptr<float, Free> Memory;

constexpr int64_t ALIGNMENT = 64;  // bytes

int64_t rounded(int64_t floats) {
  constexpr int64_t unit = ALIGNMENT / sizeof(float);
  return (floats + unit - 1) / unit * unit;
}

Memory allocate(int64_t floats) {
  const size_t bytes = (floats ? rounded(floats) : rounded(1)) * sizeof(float);
  return Memory(static_cast<float*>(std::aligned_alloc(ALIGNMENT, bytes)));
}

// The first examples are one more in each of the first B mod `shares` shares.
int64_t first_example(int64_t B, int64_t shares, int64_t share) {
  const int64_t more = B % shares;
  return share * (B / shares) + (share < more ? share : more);
}

int64_t most_examples(int64_t B, int64_t shares) { return (B + shares - 1) / shares; }

void set_to_zero(const Sizes& n, const Gradients& gradients) {
  std::fill_n(gradients.h_0, n.B * n.H, 0.0f);
  std::fill_n(gradients.W, n.D * 3 * n.H, 0.0f);
  std::fill_n(gradients.U, n.H * 3 * n.H, 0.0f);
  if (gradients.bias) std::fill_n(gradients.bias, (n.reset_after ? 2 : 1) * 3 * n.H, 0.0f);
}

}  // namespace

bool run_forward(const Kernels& kernels, const Sizes& n, const Arguments& a, const Sharing& sharing,
                 float* states, float* gates) {
  if (n.B == 0 || n.T == 0) return true;
  const int64_t shares = sharing.shares < n.B ? sharing.shares : n.B;
  const int64_t each = rounded(kernels.forward_scratch_size(n, most_examples(n.B, shares)));
  const Memory packed = allocate(kernels.forward_weights_size(n));
  const Memory scratch = allocate(each * shares);
  if (!packed || !scratch) return false;
  kernels.pack_forward(n, a, packed.get());
  run_shares(shares, sharing.threads, [&](int64_t share) {
    kernels.forward(n, a, packed.get(), first_example(n.B, shares, share),
                    first_example(n.B, shares, share + 1), states, gates,
                    scratch.get() + share * each);
  });
  return true;
}

bool run_backward(const Kernels& kernels, const Sizes& n, const Arguments& a,
                  const Sharing& sharing, const float* states, const float* gates,
                  const Upstream& upstream, const Gradients& gradients) {
  if (n.B == 0 || n.T == 0) {
    set_to_zero(n, gradients);
    return true;
  }
  const int64_t shares = sharing.shares < n.B ? sharing.shares : n.B;
  const int64_t each = rounded(kernels.backward_scratch_size(n, most_examples(n.B, shares)));
  const bool need_dx = gradients.x;
  const Memory packed = allocate(kernels.backward_weights_size(n, need_dx));
  const Memory scratch = allocate(each * shares);
  if (!packed || !scratch) return false;
  kernels.pack_backward(n, a, need_dx, packed.get());
  std::vector<float*> scratches;
  for (int64_t share = 0; share < shares; ++share)
    scratches.push_back(scratch.get() + share * each);
  run_shares(shares, sharing.threads, [&](int64_t share) {
    kernels.backward(n, a, packed.get(), first_example(n.B, shares, share),
                     first_example(n.B, shares, share + 1), states, gates, upstream, gradients,
                     scratches[share]);
  });
  kernels.add_up(n, scratches.data(), shares, gradients);
  return true;
}

}  // namespace seqclf
