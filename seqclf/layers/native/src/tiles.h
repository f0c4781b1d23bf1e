// Matrix products whose accumulators stay in registers. Included by passes.h alone.
//
// A tile is M rows times N vectors of a product A B. The rows of A may lie anywhere; B is packed in
// the order in which a tile reads it: for each k the N vectors, one after another.

// Rows of a tile: M × 3 accumulators, three vectors of B and one of A fill the registers.
constexpr int TILE_ROWS = W == 16 ? 8 : 4;
constexpr int TILE_VECTORS = 3;

template <int M, int N>
struct Tile {
  Vector sum[M][N];
};

// sum += A B for K columns of A.
template <int M, int N>
SEQCLF_INLINE void multiply(Tile<M, N>& tile, const float* const (&a)[M], const float* b,
                            int64_t K) {
  for (int64_t k = 0; k < K; ++k, b += N * W) {
    Vector row[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) row[n] = load(b + n * W);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
      const Vector left = broadcast(a[m][k]);
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) tile.sum[m][n] += left * row[n];
    }
  }
}

// A number that a lambda takes as a compile-time constant.
template <int N>
struct Constant {
  static constexpr int value = N;
};

// Calls work(M, first row) for all of `rows` rows: whole tiles, then halves of what is left. M is a
// Constant.
template <int M = TILE_ROWS, typename Work>
SEQCLF_INLINE void by_tiles(int64_t rows, const Work& work, int64_t row = 0) {
  for (; row + M <= rows; row += M) work(Constant<M>(), row);
  if constexpr (M > 1) by_tiles<M / 2>(rows, work, row);
}
