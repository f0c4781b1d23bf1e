// The forward pass. Included by passes.h alone.

// The input terms of M examples at the panel p, biases included: those of z, r and h.
template <int M>
SEQCLF_INLINE Tile<M, 3> input_terms(const Sizes& n, const ForwardWeights& w, int64_t p,
                                     const Rows& x, int64_t b) {
  Tile<M, 3> terms;
  const float* x_rows[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    x_rows[m] = x[b + m];
#pragma GCC unroll 8
    for (int i = 0; i < 3; ++i) terms.sum[m][i] = load(w.bias + p * PANEL + i * W);
  }
  multiply(terms, x_rows, w.W_zrh + p * n.D * 3 * W, n.D);
  return terms;
}

// A step of the form whose reset gate stands after the product, for the examples `first` on.
SEQCLF_INLINE void step_reset_after(const Sizes& n, const Arguments& a, const ForwardWeights& w,
                                    int64_t t, int64_t first_row, int64_t rows, float* states,
                                    float* gates) {
  const int64_t P = vectors(n.H);
  const Rows x = inputs_at(n, a, t), h = states_before(n, a, states, t);
  for (int64_t p = 0; p < P; ++p) {
    const int64_t lanes = n.H - p * W;
    const float* c_h = w.bias + p * PANEL + 3 * W;
    by_tiles(rows, [&](auto count, int64_t row) {
      constexpr int M = count.value;
      const int64_t b = first_row + row;
      Tile<M, 3> sums = input_terms<M>(n, w, p, x, b);  // then: inside σ of z and r; s
      const float* h_rows[M];
      Vector a_h[M];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        h_rows[m] = h[b + m];
        a_h[m] = sums.sum[m][2];
        sums.sum[m][2] = load(c_h);
      }
      multiply(sums, h_rows, w.U + p * n.H * 3 * W, n.H);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        Vector z = sigmoid(sums.sum[m][0]), r = sigmoid(sums.sum[m][1]), s = sums.sum[m][2];
        Vector c = tanh(a_h[m] + r * s);
        const Vector before = load_first(h_rows[m] + p * W, lanes);
        Vector after = z * before + (1.0f - z) * c;
        if (!valid(n, a, b + m, t)) {
          after = before;
          z = broadcast(1.0f);
          r = s = c = Vector{};
        }
        store_first(states + ((b + m) * n.T + t) * n.H + p * W, after, lanes);
        if (gates) {
          float* to = gates + ((t * P + p) * n.B + b + m) * PANEL;
          store(to + S * W, s);
          store(to + Z * W, z);
          store(to + R * W, r);
          store(to + C * W, c);
        }
      }
    });
  }
}

// What a step of the other form keeps between its two products, `[P, rows, W]` each but for s.
struct BetweenProducts {
  float *z, *a_h, *s;  // s: [rows, P · W]
  BetweenProducts(const Sizes& n, int64_t rows, float* scratch) {
    const int64_t size = rows * vectors(n.H) * W;
    z = scratch;
    a_h = z + size;
    s = a_h + size;
  }
};

// A step of the form whose reset gate stands before the product.
SEQCLF_INLINE void step_reset_before(const Sizes& n, const Arguments& a, const ForwardWeights& w,
                                     int64_t t, int64_t first_row, int64_t rows, float* states,
                                     float* gates, const BetweenProducts& kept) {
  const int64_t P = vectors(n.H);
  const Rows x = inputs_at(n, a, t), h = states_before(n, a, states, t);
  for (int64_t p = 0; p < P; ++p) {
    const int64_t lanes = n.H - p * W;
    by_tiles(rows, [&](auto count, int64_t row) {
      constexpr int M = count.value;
      const int64_t b = first_row + row;
      const Tile<M, 3> terms = input_terms<M>(n, w, p, x, b);
      Tile<M, 2> sums;  // inside σ of z and of r
      const float* h_rows[M];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        h_rows[m] = h[b + m];
        store(kept.a_h + (p * rows + row + m) * W, terms.sum[m][2]);
        sums.sum[m][0] = terms.sum[m][0];
        sums.sum[m][1] = terms.sum[m][1];
      }
      multiply(sums, h_rows, w.U + p * n.H * 2 * W, n.H);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        Vector z = sigmoid(sums.sum[m][0]), r = sigmoid(sums.sum[m][1]);
        Vector s = r * load_first(h_rows[m] + p * W, lanes);
        if (!valid(n, a, b + m, t)) {
          z = broadcast(1.0f);
          r = s = Vector{};
        }
        store(kept.z + (p * rows + row + m) * W, z);
        store(kept.s + ((row + m) * P + p) * W, s);
        if (gates) {
          float* to = gates + ((t * P + p) * n.B + b + m) * PANEL;
          store(to + S * W, s);
          store(to + Z * W, z);
          store(to + R * W, r);
        }
      }
    });
  }
  by_groups(n.H, [&](auto size, int64_t vector) {
    constexpr int N = size.value;
    by_tiles(rows, [&](auto count, int64_t row) {
      constexpr int M = count.value;
      const int64_t b = first_row + row;
      Tile<M, N> sums;  // inside tanh
      const float* s_rows[M];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        s_rows[m] = kept.s + (row + m) * P * W;
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i)
          sums.sum[m][i] = load(kept.a_h + ((vector + i) * rows + row + m) * W);
      }
      multiply(sums, s_rows, w.U_h + vector * n.H * W, n.H);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) {
        const bool reads = valid(n, a, b + m, t);
#pragma GCC unroll 8
        for (int i = 0; i < N; ++i) {
          const int64_t p = vector + i, lanes = n.H - p * W;
          const Vector z = load(kept.z + (p * rows + row + m) * W);
          const Vector before = load_first(h[b + m] + p * W, lanes);
          const Vector c = reads ? tanh(sums.sum[m][i]) : Vector{};
          const Vector after = reads ? z * before + (1.0f - z) * c : before;
          store_first(states + ((b + m) * n.T + t) * n.H + p * W, after, lanes);
          if (gates) store(gates + ((t * P + p) * n.B + b + m) * PANEL + C * W, c);
        }
      }
    });
  });
}

int64_t forward_scratch_size(const Sizes& n, int64_t examples) {
  return n.reset_after ? 0 : 3 * most_rows(examples) * vectors(n.H) * W;
}

void forward(const Sizes& n, const Arguments& a, const float* packed, int64_t first, int64_t last,
             float* states, float* gates, float* scratch) {
  const ForwardWeights weights(n, packed);
  const int64_t size = ExampleBlocks(last - first).size;
  for (; first < last; first += size) {
    const int64_t rows = smaller(size, last - first);
    const BetweenProducts kept(n, rows, scratch);
    for (int64_t t = 0; t < n.T; ++t) {
      if (n.reset_after)
        step_reset_after(n, a, weights, t, first, rows, states, gates);
      else
        step_reset_before(n, a, weights, t, first, rows, states, gates, kept);
    }
  }
}
