// Vectors of W floats, and the functions of the gates on them. Included by passes.h alone.

constexpr int W = SEQCLF_VECTOR_WIDTH;
typedef float Vector __attribute__((vector_size(W * sizeof(float)), may_alias));
typedef float Unaligned
    __attribute__((vector_size(W * sizeof(float)), aligned(alignof(float)), may_alias));
typedef int32_t Choice __attribute__((vector_size(W * sizeof(float))));

#define SEQCLF_INLINE inline __attribute__((always_inline))

SEQCLF_INLINE Vector load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
SEQCLF_INLINE void store(float* to, Vector v) { *reinterpret_cast<Unaligned*>(to) = v; }
SEQCLF_INLINE Vector broadcast(float value) { return value - Vector{}; }

// The numbers of the lanes.
#if SEQCLF_VECTOR_WIDTH == 16
constexpr Choice LANES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif SEQCLF_VECTOR_WIDTH == 8
constexpr Choice LANES = {0, 1, 2, 3, 4, 5, 6, 7};
#else
constexpr Choice LANES = {0, 1, 2, 3};
#endif

// v with 0 after its first n floats, whatever stands there.
SEQCLF_INLINE Vector first(Vector v, int64_t n) {
  if (n >= W) return v;
  return LANES < static_cast<int32_t>(n) ? v : Vector{};
}

// The first n of W floats; the others are 0, and are not read. A vector that is put together from
// single floats must wait until these are written, so masks read them where the machine has them.
SEQCLF_INLINE Vector load_first(const float* from, int64_t n) {
  if (n >= W) return load(from);
#if defined(__AVX512F__) && SEQCLF_VECTOR_WIDTH == 16
  return Vector(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), from));
#elif defined(__AVX2__) && SEQCLF_VECTOR_WIDTH == 8
  return Vector(_mm256_maskload_ps(from, __m256i(LANES < static_cast<int32_t>(n))));
#else
  Vector v = {};
  for (int64_t i = 0; i < n; ++i) v[i] = from[i];
  return v;
#endif
}

SEQCLF_INLINE void store_first(float* to, Vector v, int64_t n) {
  if (n >= W) return store(to, v);
  for (int64_t i = 0; i < n; ++i) to[i] = v[i];
}

// A rational approximation, x P(x²) / Q(x²), fitted to the least largest relative error on [0, 9],
// where tanh is 1 to float32's rounding. Its error is at most 5e-7, relative. At `end` it is above 1
// however it is rounded, so that what is beyond gives 1 exactly. NaN stays NaN.
SEQCLF_INLINE Vector tanh(Vector x) {
  const Vector end = broadcast(9.4f), one = broadcast(1.0f);
  x = x > end ? end : x;
  x = x < -end ? -end : x;
  const Vector u = x * x;
  const Vector p =
      (((1.3352922e-08f * u + 2.060787e-05f) * u + 3.4955177e-03f) * u + 1.3380967e-01f) * u + 1.0f;
  const Vector q =
      (((7.7758574e-07f * u + 3.285517e-04f) * u + 2.5876718e-02f) * u + 4.6714282e-01f) * u + 1.0f;
  Vector y = x * p / q;
  y = y > one ? one : y;
  return y < -one ? -one : y;
}

SEQCLF_INLINE Vector sigmoid(Vector a) { return 0.5f * tanh(0.5f * a) + 0.5f; }
