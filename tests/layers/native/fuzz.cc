// Runs the native passes over random shapes, for the compiler's sanitizers to look at.
//
// Memory has exactly the sizes that the passes may touch. The results of all instruction sets of
// this machine, of one share and of several, are compared with each other; several calls run at once.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "isa.h"
#include "shares.h"

using namespace seqclf;

namespace {

typedef std::vector<float> Floats;

struct Problem {
  Sizes n;
  bool masked, use_bias, need_dx, last_only;
  Floats x, h_0, W, U, bias, upstream;
  std::vector<uint8_t> mask;
};

Floats numbers(std::mt19937& random, int64_t count, float scale) {
  std::normal_distribution<float> normal(0.0f, scale);
  Floats values(count);
  for (float& value : values) value = normal(random);
  return values;
}

// `B`: the number of examples, or 0: it is drawn.
Problem draw(std::mt19937& random, int64_t most, int64_t B) {
  const auto upto = [&](int64_t most) { return 1 + static_cast<int64_t>(random() % most); };
  Problem p;
  p.n = {B ? B : upto(most), upto(12), upto(20), upto(40), random() % 2 == 0};
  p.masked = random() % 2;
  p.use_bias = random() % 2;
  p.need_dx = random() % 4 != 0;
  p.last_only = random() % 2;
  const Sizes& n = p.n;
  p.x = numbers(random, n.B * n.T * n.D, 1.0f);
  p.h_0 = numbers(random, n.B * n.H, 0.5f);
  p.W = numbers(random, n.D * 3 * n.H, 0.3f);
  p.U = numbers(random, n.H * 3 * n.H, 0.1f);
  p.bias = numbers(random, (n.reset_after ? 2 : 1) * 3 * n.H, 0.3f);
  p.upstream = numbers(random, n.B * n.H * (p.last_only ? 1 : n.T), 1.0f);
  p.mask.resize(n.B * n.T);
  for (uint8_t& value : p.mask) value = random() % 3 != 0;
  return p;
}

// States, dx, dh_0, dW, dU and the bias's gradient, one after another.
Floats solve(const Problem& p, const Kernels& kernels, const Sharing& sharing) {
  const Sizes& n = p.n;
  const Arguments a = {p.x.data(), p.h_0.data(), p.W.data(), p.U.data(),
                       p.use_bias ? p.bias.data() : nullptr,
                       p.masked ? p.mask.data() : nullptr};
  Floats states(n.B * n.T * n.H), gates(kernels.gates_size(n)), x(p.x.size()), h_0(p.h_0.size()),
      W(p.W.size()), U(p.U.size()), bias(p.bias.size());
  const Upstream upstream = {p.last_only ? nullptr : p.upstream.data(),
                             p.last_only ? p.upstream.data() : nullptr};
  const Gradients gradients = {p.need_dx ? x.data() : nullptr, h_0.data(), W.data(), U.data(),
                               p.use_bias ? bias.data() : nullptr};
  Floats again(states.size());
  if (!run_forward(kernels, n, a, sharing, states.data(), gates.data()) ||
      !run_forward(kernels, n, a, sharing, again.data(), nullptr) ||
      !run_backward(kernels, n, a, sharing, states.data(), gates.data(), upstream, gradients))
    std::abort();
  if (again != states) {
    std::puts("the states differ where no gates are kept");
    std::exit(1);
  }
  for (const Floats* each : {&x, &h_0, &W, &U, &bias})
    states.insert(states.end(), each->begin(), each->end());
  return states;
}

void compare(const Floats& a, const Floats& b, const char* what, const Problem& p) {
  float largest = 1.0f;
  for (float value : b) largest = std::fmax(largest, std::fabs(value));
  for (size_t i = 0; i < a.size(); ++i)
    if (!(std::fabs(a[i] - b[i]) <= 1e-4f * largest)) {
      std::printf("%s: %g and %g at %zu (B %ld, T %ld, D %ld, H %ld, reset_after %d)\n", what, a[i],
                  b[i], i, long(p.n.B), long(p.n.T), long(p.n.D), long(p.n.H), p.n.reset_after);
      std::exit(1);
    }
}

}  // namespace

int main(int, char** arguments) {
  const int problems = std::atoi(arguments[1]);
  std::mt19937 random(7);
  // Numbers of examples whose shares are cut into blocks of other sizes than one another.
  const int64_t uneven[] = {129, 193, 257, 259, 129, 193, 257, 259};
  const int cases = static_cast<int>(sizeof(uneven) / sizeof(*uneven));
  for (int i = 0; i < problems; ++i) {
    const Problem p = draw(random, i % 8 ? 9 : 140, i < cases ? uneven[i] : 0);
    const Floats expected = solve(p, plain_kernels, {1, 1});
    compare(solve(p, *kernels(), {1, 1}), expected, kernels()->name, p);
    const int64_t shares = i < cases ? 2 + i % 3 : 2 + static_cast<int64_t>(random() % 5);
    const Sharing several = {shares, 3};
    const Floats shared = solve(p, *kernels(), several);
    compare(shared, expected, "several shares", p);
    std::vector<Floats> found(3);
    std::vector<std::thread> callers;
    for (Floats& each : found)
      callers.emplace_back([&] { each = solve(p, *kernels(), several); });
    for (std::thread& caller : callers) caller.join();
    for (const Floats& each : found)
      if (each != shared) {
        std::puts("calls at the same time give other bits");
        return 1;
      }
  }
  std::printf("%d problems, %s\n", problems, kernels()->name);
}
