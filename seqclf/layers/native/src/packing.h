// Where everything lies: gates, packed weights and work space. Included by passes.h alone.
//
// The units are cut into P panels of W. A panel of gates, or of the gradients γ, has four blocks of
// W numbers for each example, in this order, so that what is multiplied together lies together:
//
//     s, z, r, h    three of them with U: γ_s, γ_z, γ_r; three with W: γ_z, γ_r, γ_h

constexpr int BLOCKS = 4;
constexpr int S = 0, Z = 1, R = 2, C = 3;  // C: the candidate state, or γ_h
constexpr int64_t PANEL = BLOCKS * W;

SEQCLF_INLINE int64_t vectors(int64_t columns) { return (columns + W - 1) / W; }
SEQCLF_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// The vectors of a product's columns, in groups of at most three that differ by at most one.
struct Groups {
  int64_t count, small, more;
  explicit Groups(int64_t columns) {
    const int64_t all = vectors(columns);
    count = (all + TILE_VECTORS - 1) / TILE_VECTORS;
    small = all / count;
    more = all % count;
  }
  int64_t size(int64_t group) const { return small + (group < more); }
};

// Calls work(N, first vector) for each group; N is a Constant.
template <typename Work>
SEQCLF_INLINE void by_groups(int64_t columns, const Work& work) {
  if (columns == 0) return;
  const Groups groups(columns);
  int64_t vector = 0;
  for (int64_t group = 0; group < groups.count; ++group) {
    const int64_t size = groups.size(group);
    if (size == 3) work(Constant<3>(), vector);
    if (size == 2) work(Constant<2>(), vector);
    if (size == 1) work(Constant<1>(), vector);
    vector += size;
  }
}

// Packs a matrix [K, N] for tiles: group after group, for each k the group's vectors. `at(k, n)`
// gives an element. Returns the end of what was written, K · vectors(N) · W floats.
template <typename At>
float* pack_groups(int64_t K, int64_t N, float* to, const At& at) {
  by_groups(N, [&](auto size, int64_t vector) {
    for (int64_t k = 0; k < K; ++k)
      for (int64_t n = vector * W; n < (vector + size.value) * W; ++n)
        *to++ = n < N ? at(k, n) : 0.0f;
  });
  return to;
}

// Packs, panel after panel, for each row k of `matrix` [K, 3H] the panel's columns of the blocks
// `from` to `to` - 1, in the order z, r, h.
SEQCLF_INLINE float* pack_panels(const float* matrix, int64_t K, int64_t H, int from, int to,
                                 float* packed) {
  for (int64_t p = 0; p < vectors(H); ++p)
    for (int64_t k = 0; k < K; ++k)
      for (int block = from; block < to; ++block, packed += W)
        store(packed, load_first(matrix + k * 3 * H + block * H + p * W, H - p * W));
  return packed;
}

// Where the parts of the forward pass's packed weights begin.
struct ForwardWeights {
  const float *bias, *W_zrh, *U, *U_h;
  ForwardWeights(const Sizes& n, const float* packed) {
    const int64_t P = vectors(n.H);
    bias = packed;                        // [P, 4 W]: b_z + c_z, b_r + c_r, b_h, c_h
    W_zrh = bias + P * PANEL;             // [P, D, 3 W]
    U = W_zrh + P * n.D * 3 * W;          // [P, H, 3 W], or z and r alone: [P, H, 2 W]
    U_h = U + P * n.H * 2 * W;            // reset before: packed in groups
  }
};

int64_t forward_weights_size(const Sizes& n) {
  return vectors(n.H) * (PANEL + (n.D + n.H) * 3 * W);
}

void pack_forward(const Sizes& n, const Arguments& a, float* packed) {
  const int64_t H = n.H;
  const float* b = a.bias;
  const float* c = a.bias && n.reset_after ? a.bias + 3 * H : nullptr;
  for (int64_t p = 0; p < vectors(H); ++p)
    for (int block = 0; block < BLOCKS; ++block)
      for (int64_t j = p * W; j < (p + 1) * W; ++j) {
        float sum = 0.0f;
        if (j < H && b && block < 3) sum += b[block * H + j];
        if (j < H && c && block != 2) sum += c[smaller(block, 2) * H + j];
        *packed++ = sum;
      }
  packed = pack_panels(a.W, n.D, H, 0, 3, packed);
  if (n.reset_after) {
    pack_panels(a.U, H, H, 0, 3, packed);
  } else {
    packed = pack_panels(a.U, H, H, 0, 2, packed);
    pack_groups(H, H, packed, [&](int64_t k, int64_t j) { return a.U[k * 3 * H + 2 * H + j]; });
  }
}

// Where the parts of the backward pass's packed weights begin: transposed matrices, whose rows are
// in the order of the panels of γ.
struct BackwardWeights {
  const float *U, *U_h, *W_zrh;
  BackwardWeights(const Sizes& n, const float* packed) {
    const int64_t P = vectors(n.H), of_block = P * W * P * W;
    U = packed;                                   // [P · 3 W, H] of s, z, r; or z and r alone
    U_h = packed + 2 * of_block;                  // reset before: [P · W, H]
    W_zrh = packed + 3 * of_block;                // [P · 3 W, D]
  }
};

int64_t backward_weights_size(const Sizes& n, bool need_dx) {
  const int64_t P = vectors(n.H);
  return P * 3 * W * (P + (need_dx ? vectors(n.D) : 0)) * W;
}

// Packs `matrix`ᵀ [3H, N] for tiles; row (p, i, lane) belongs to the block `blocks[i]`.
template <int I>
float* pack_transposed(const float* matrix, int64_t N, int64_t H, const int (&blocks)[I],
                       float* packed) {
  by_groups(N, [&](auto size, int64_t vector) {
    for (int64_t p = 0; p < vectors(H); ++p)
      for (int block : blocks)
        for (int64_t j = p * W; j < (p + 1) * W; ++j)
          for (int64_t n = vector * W; n < (vector + size.value) * W; ++n)
            *packed++ = n < N && j < H ? matrix[n * 3 * H + block * H + j] : 0.0f;
  });
  return packed;
}

void pack_backward(const Sizes& n, const Arguments& a, bool need_dx, float* packed) {
  constexpr int HZR[] = {2, 0, 1}, ZR[] = {0, 1}, ONLY_H[] = {2}, ZRH[] = {0, 1, 2};
  if (n.reset_after) {
    packed = pack_transposed(a.U, n.H, n.H, HZR, packed);
  } else {
    packed = pack_transposed(a.U, n.H, n.H, ZR, packed);
    packed = pack_transposed(a.U, n.H, n.H, ONLY_H, packed);
  }
  if (need_dx) pack_transposed(a.W, n.D, n.H, ZRH, packed);
}

// Examples that go through all time steps together: what they need stays in the cache.
constexpr int64_t MOST_EXAMPLES = 64;

// The most rows that a block of one of these examples, or of fewer, can have.
SEQCLF_INLINE int64_t most_rows(int64_t examples) { return smaller(examples, MOST_EXAMPLES); }

struct ExampleBlocks {
  int64_t size;
  explicit ExampleBlocks(int64_t examples) {
    const int64_t count = (examples + MOST_EXAMPLES - 1) / MOST_EXAMPLES;
    const int64_t even = (examples + count - 1) / count;
    size = (even + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
  }
};

int64_t gates_size(const Sizes& n) { return n.T * vectors(n.H) * n.B * PANEL; }

// The rows of some matrix [B, ·] at one time step.
struct Rows {
  const float* start;
  int64_t stride;
  SEQCLF_INLINE const float* operator[](int64_t b) const { return start + b * stride; }
};

SEQCLF_INLINE Rows inputs_at(const Sizes& n, const Arguments& a, int64_t t) {
  return {a.x + t * n.D, n.T * n.D};
}

// The states before time step t.
SEQCLF_INLINE Rows states_before(const Sizes& n, const Arguments& a, const float* states,
                                 int64_t t) {
  if (t == 0) return {a.h_0, n.H};
  return {states + (t - 1) * n.H, n.T * n.H};
}

SEQCLF_INLINE bool valid(const Sizes& n, const Arguments& a, int64_t b, int64_t t) {
  return !a.mask || a.mask[b * n.T + t];
}
