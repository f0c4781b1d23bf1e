// The backward pass. Included by passes.h alone.

// Where the sums of a share lie in its work space.
struct Sums {
  int64_t dU, dW, bias, size;  // [P, H, 3 W] (h, z, r), [P, D, 3 W] (z, r, h), [P, 4 W]
  explicit Sums(const Sizes& n) {
    const int64_t P = vectors(n.H);
    dU = 0;
    dW = P * n.H * 3 * W;
    bias = dW + P * n.D * 3 * W;
    size = bias + P * PANEL;
  }
};

// The work space. γ is kept for some time steps, so that the products that give the gradients of
// the weights have enough rows.
struct BackwardScratch {
  static constexpr int64_t ROWS_OF_PRODUCTS = 128;

  float *dU, *dW, *bias;
  float *carry, *gamma_s;  // [P, rows, W] each
  float* gamma;            // [steps, P, rows, 4 W]
  int64_t steps;           // time steps whose γ are kept at a time

  BackwardScratch(const Sizes& n, int64_t rows, float* scratch) {
    const Sums sums(n);
    dU = scratch + sums.dU;
    dW = scratch + sums.dW;
    bias = scratch + sums.bias;
    carry = scratch + sums.size;
    gamma_s = carry + vectors(n.H) * rows * W;
    gamma = gamma_s + vectors(n.H) * rows * W;
    steps = smaller(n.T, (ROWS_OF_PRODUCTS + rows - 1) / rows);
  }
};

int64_t backward_scratch_size(const Sizes& n, int64_t examples) {
  const int64_t rows = most_rows(examples), P = vectors(n.H);
  // However few the rows, `steps` time steps of them are fewer than this.
  const int64_t gamma_rows = BackwardScratch::ROWS_OF_PRODUCTS + rows;
  return Sums(n).size + 2 * P * rows * W + P * gamma_rows * PANEL;
}

// A block of examples on its way back.
struct Block {
  const Sizes& n;
  const Arguments& a;
  const float *states, *gates;
  int64_t first, rows, P;
  const BackwardScratch& scratch;

  SEQCLF_INLINE const float* gates_at(int64_t t, int64_t p, int64_t row) const {
    return gates + ((t * P + p) * n.B + first + row) * PANEL;
  }
  SEQCLF_INLINE float* gamma_at(int64_t step, int64_t p, int64_t row) const {
    return scratch.gamma + ((step * P + p) * rows + row) * PANEL;
  }
};

// to [P, rows, W] = (keep ? to : 0) + the blocks `from` to `from` + I - 1 of γ, times a packed
// matrix with H columns.
template <int I>
SEQCLF_INLINE void multiply_gamma(const Block& block, int64_t step, int from, const float* packed,
                                  bool keep, float* to) {
  const int64_t K = block.P * I * W;
  by_groups(block.n.H, [&](auto size, int64_t vector) {
    constexpr int N = size.value;
    by_tiles(block.rows, [&](auto count, int64_t row) {
      constexpr int M = count.value;
      Tile<M, N> sums = {};
      if (keep) {
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
          for (int i = 0; i < N; ++i)
            sums.sum[m][i] = load(to + ((vector + i) * block.rows + row + m) * W);
      }
      for (int64_t p = 0; p < block.P; ++p) {
        const float* gamma[M];
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) gamma[m] = block.gamma_at(step, p, row + m) + from * W;
        multiply(sums, gamma, packed + vector * K * W + p * I * W * N * W, I * W);
      }
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i)
          store(to + ((vector + i) * block.rows + row + m) * W, sums.sum[m][i]);
    });
  });
}

// From δ, the gradient with respect to the states after time step t, to γ and to what reaches the
// states before it directly. The form with the reset gate before the product leaves γ_r open.
SEQCLF_INLINE void gammas(const Block& block, const Upstream& upstream, int64_t t, int64_t step) {
  const Sizes& n = block.n;
  const Rows h = states_before(n, block.a, block.states, t);
  for (int64_t p = 0; p < block.P; ++p) {
    const int64_t lanes = n.H - p * W;
    Vector sums[BLOCKS];
    for (int i = 0; i < BLOCKS; ++i) sums[i] = load(block.scratch.bias + p * PANEL + i * W);
    for (int64_t row = 0; row < block.rows; ++row) {
      const int64_t b = block.first + row;
      float* carry = block.scratch.carry + (p * block.rows + row) * W;
      float* gamma = block.gamma_at(step, p, row);
      Vector delta = load(carry);
      if (upstream.states)
        delta += load_first(upstream.states + (b * n.T + t) * n.H + p * W, lanes);
      if (!valid(n, block.a, b, t)) {
        store(carry, delta);
        for (int i = 0; i < BLOCKS; ++i) store(gamma + i * W, Vector{});
        continue;
      }
      const float* gates = block.gates_at(t, p, row);
      const Vector s = load(gates + S * W), z = load(gates + Z * W), r = load(gates + R * W),
                   c = load(gates + C * W);
      const Vector before = load_first(h[b] + p * W, lanes);
      Vector of[BLOCKS];
      of[C] = delta * ((1.0f - z) * (1.0f - c * c));
      of[Z] = delta * ((before - c) * z * (1.0f - z));
      of[S] = n.reset_after ? of[C] * r : Vector{};
      of[R] = n.reset_after ? of[S] * s * (1.0f - r) : Vector{};
      store(carry, first(delta * z, lanes));
      for (int i = 0; i < BLOCKS; ++i) {
        of[i] = first(of[i], lanes);
        store(gamma + i * W, of[i]);
        sums[i] += of[i];
      }
    }
    for (int i = 0; i < BLOCKS; ++i) store(block.scratch.bias + p * PANEL + i * W, sums[i]);
  }
}

// Reset gate before the product: γ_r, and the way through s = r ⊙ h, once γ_s is known.
SEQCLF_INLINE void reset_gate(const Block& block, int64_t t, int64_t step) {
  const Sizes& n = block.n;
  const Rows h = states_before(n, block.a, block.states, t);
  for (int64_t p = 0; p < block.P; ++p) {
    const int64_t lanes = n.H - p * W;
    Vector sum = load(block.scratch.bias + p * PANEL + R * W);
    for (int64_t row = 0; row < block.rows; ++row) {
      if (!valid(n, block.a, block.first + row, t)) continue;
      const int64_t at = (p * block.rows + row) * W;
      const Vector gamma_s = load(block.scratch.gamma_s + at);
      const Vector r = load(block.gates_at(t, p, row) + R * W);
      const Vector before = load_first(h[block.first + row] + p * W, lanes);
      const Vector gamma_r = first(gamma_s * (before * r * (1.0f - r)), lanes);
      store(block.gamma_at(step, p, row) + R * W, gamma_r);
      store(block.scratch.carry + at,
            load(block.scratch.carry + at) + first(gamma_s * r, lanes));
      sum += gamma_r;
    }
    store(block.scratch.bias + p * PANEL + R * W, sum);
  }
}

// to [P, K, 3 W] += aᵀ γ for the rows of one time step: vectors `at` to `at` + N - 1 of `to`, and
// of γ the blocks `from` on. `a(p, row, k)` points to the element k of a row.
template <int N, typename A>
SEQCLF_INLINE void add_products(const Block& block, int64_t first_step, int64_t steps, int64_t K,
                                int at, int from, float* to, const A& a) {
  for (int64_t p = 0; p < block.P; ++p)
    by_tiles(K, [&](auto count, int64_t k) {
      constexpr int M = count.value;
      Tile<M, N> sums;
      float* place = to + (p * K + k) * 3 * W + at * W;
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i) sums.sum[m][i] = load(place + (m * 3 + i) * W);
      for (int64_t step = 0; step < steps; ++step) {
        const Rows rows = a(first_step - step, k);
        const float *left = rows.start, *gamma = block.gamma_at(step, p, 0) + from * W;
        for (int64_t row = 0; row < block.rows; ++row, left += rows.stride, gamma += PANEL) {
          Vector right[N];
#pragma GCC unroll 8
          for (int i = 0; i < N; ++i) right[i] = load(gamma + i * W);
#pragma GCC unroll 8
          for (int m = 0; m < M; ++m) {
            const Vector each = broadcast(left[m]);
#pragma GCC unroll 8
            for (int i = 0; i < N; ++i) sums.sum[m][i] += each * right[i];
          }
        }
      }
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i) store(place + (m * 3 + i) * W, sums.sum[m][i]);
    });
}

// The gradients of the weights, from the γ of the time steps `t` + `steps` - 1 down to `t`.
SEQCLF_INLINE void weight_gradients(const Block& block, int64_t t, int64_t steps) {
  const Sizes& n = block.n;
  const int64_t last = t + steps - 1;
  const auto inputs = [&](int64_t t, int64_t k) {
    const Rows rows = inputs_at(n, block.a, t);
    return Rows{rows[block.first] + k, rows.stride};
  };
  const auto before = [&](int64_t t, int64_t k) {
    const Rows rows = states_before(n, block.a, block.states, t);
    return Rows{rows[block.first] + k, rows.stride};
  };
  add_products<3>(block, last, steps, n.D, 0, Z, block.scratch.dW, inputs);
  if (n.reset_after) {
    add_products<3>(block, last, steps, n.H, 0, S, block.scratch.dU, before);
  } else {
    const auto reset = [&](int64_t t, int64_t k) {
      return Rows{block.gates_at(t, k / W, 0) + S * W + k % W, PANEL};
    };
    add_products<2>(block, last, steps, n.H, 1, Z, block.scratch.dU, before);
    add_products<1>(block, last, steps, n.H, 0, C, block.scratch.dU, reset);
  }
}

// dx of the same time steps. A tile may have rows of several time steps.
SEQCLF_INLINE void input_gradients(const Block& block, int64_t t, int64_t steps,
                                   const float* packed, float* dx) {
  const Sizes& n = block.n;
  const int64_t K = block.P * 3 * W;
  by_groups(n.D, [&](auto size, int64_t vector) {
    constexpr int N = size.value;
    by_tiles(steps * block.rows, [&](auto count, int64_t first) {
      constexpr int M = count.value;
      Tile<M, N> sums = {};
      const float* gamma[M];
      float* to[M];
      for (int m = 0; m < M; ++m) {
        const int64_t step = (first + m) / block.rows, row = (first + m) % block.rows;
        gamma[m] = block.gamma_at(step, 0, row) + Z * W;
        to[m] = dx + ((block.first + row) * n.T + t + steps - 1 - step) * n.D + vector * W;
      }
      for (int64_t p = 0; p < block.P; ++p) {
        multiply(sums, gamma, packed + vector * K * W + p * 3 * W * N * W, 3 * W);
#pragma GCC unroll 8
        for (int m = 0; m < M; ++m) gamma[m] += block.rows * PANEL;
      }
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i)
          store_first(to[m] + i * W, sums.sum[m][i], n.D - (vector + i) * W);
    });
  });
}

// Goes back through time with one block of examples.
void block_backward(const Block& block, const BackwardWeights& weights, const Upstream& upstream,
                    const Gradients& gradients) {
  const Sizes& n = block.n;
  const BackwardScratch& scratch = block.scratch;
  const auto place = [&](int64_t p, int64_t row) {
    return scratch.carry + (p * block.rows + row) * W;
  };
  for (int64_t p = 0; p < block.P; ++p)
    for (int64_t row = 0; row < block.rows; ++row) {
      const float* last = upstream.last + (block.first + row) * n.H + p * W;
      store(place(p, row), upstream.last ? load_first(last, n.H - p * W) : Vector{});
    }
  int64_t step = 0;  // of those whose γ are kept
  for (int64_t t = n.T - 1; t >= 0; --t) {
    gammas(block, upstream, t, step);
    if (n.reset_after) {
      multiply_gamma<3>(block, step, S, weights.U, true, scratch.carry);
    } else {
      multiply_gamma<1>(block, step, C, weights.U_h, false, scratch.gamma_s);
      reset_gate(block, t, step);
      multiply_gamma<2>(block, step, Z, weights.U, true, scratch.carry);
    }
    if (++step == scratch.steps || t == 0) {
      weight_gradients(block, t, step);
      if (gradients.x) input_gradients(block, t, step, weights.W_zrh, gradients.x);
      step = 0;
    }
  }
  for (int64_t p = 0; p < block.P; ++p)
    for (int64_t row = 0; row < block.rows; ++row)
      store_first(gradients.h_0 + (block.first + row) * n.H + p * W, load(place(p, row)),
                  n.H - p * W);
}

void backward(const Sizes& n, const Arguments& a, const float* packed, int64_t first, int64_t last,
              const float* states, const float* gates, const Upstream& upstream,
              const Gradients& gradients, float* scratch) {
  const BackwardWeights weights(n, packed);
  const int64_t size = ExampleBlocks(last - first).size;
  for (int64_t i = 0; i < Sums(n).size; ++i) scratch[i] = 0.0f;
  for (; first < last; first += size) {
    const int64_t rows = smaller(size, last - first);
    const BackwardScratch space(n, rows, scratch);
    const Block block = {n, a, states, gates, first, rows, vectors(n.H), space};
    block_backward(block, weights, upstream, gradients);
  }
}

void add_up(const Sizes& n, float* const* scratches, int64_t shares, const Gradients& gradients) {
  const int64_t H = n.H, P = vectors(H);
  const Sums sums(n);
  constexpr int ORDER_U[] = {1, 2, 0};  // where z, r and h stand in dU
  constexpr int OF_B[] = {Z, R, C}, OF_C[] = {Z, R, S};
  for (int64_t p = 0; p < P; ++p) {
    // `to` is the first of the panel's columns of z; the vector `from` of all shares is added up.
    const auto add = [&](int64_t from, float* to, int block) {
      Vector total = {};
      for (int64_t share = 0; share < shares; ++share) total += load(scratches[share] + from);
      store_first(to + block * H, total, H - p * W);
    };
    for (int block = 0; block < 3; ++block) {
      for (int64_t k = 0; k < n.D; ++k)
        add(sums.dW + ((p * n.D + k) * 3 + block) * W, gradients.W + k * 3 * H + p * W, block);
      for (int64_t k = 0; k < H; ++k)
        add(sums.dU + ((p * H + k) * 3 + ORDER_U[block]) * W, gradients.U + k * 3 * H + p * W,
            block);
      if (!gradients.bias) continue;
      add(sums.bias + p * PANEL + OF_B[block] * W, gradients.bias + p * W, block);
      if (n.reset_after)
        add(sums.bias + p * PANEL + OF_C[block] * W, gradients.bias + 3 * H + p * W, block);
    }
  }
}
