/* The functions of one lane type: f32, then f64. T, TINT, TBITS (integers of T's width), FN, F, NA, IS_NA and
 * LANE_IS_F32 are defined before. What they promise is said where the CPU has them: hpc/kernel. */
#if LANE_IS_F32
DEVICE T FN(of)(f64 x) { return is_na_f64(x) ? NA : (T)x; }
DEVICE f64 FN(wide)(T x) { return IS_NA(x) ? na_f64() : (f64)x; }
#else
DEVICE T FN(of)(f64 x) { return x; }
DEVICE f64 FN(wide)(T x) { return x; }
#endif
DEVICE T FN(constant)(u64 bits) { return FN(of)(of_bits_f64(bits)); }
DEVICE T FN(quiet)(f64 x) { return ISNAN(x) ? (T)NAN : (T)x; }

/* ---- element operations ---- */

DEVICE T FN(mod)(T a, T b)
{
  if (ISNAN(a) || ISNAN(b))
    return ISNAN(a) ? a : b;
  if (b == 0)
    return a / F(fabs)(b);
  if (a - a != 0)
    return (T)NAN;
  if (b - b != 0)
    return a;
  const T rest = F(fmod)(a, b);
  if (rest == 0)
    return 0;
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

DEVICE T FN(pow)(T a, T b)
{
  if (ISNAN(a) || ISNAN(b))
    return ISNAN(a) ? a : b;
  return b == 2 ? a * a : F(pow)(a, b);
}

DEVICE T FN(log)(T a, T b)
{
  if (ISNAN(a) || ISNAN(b))
    return ISNAN(a) ? a : b;
  if (b == 2)
    return (T)log2((f64)a);
  if (b == 10)
    return (T)log10((f64)a);
  return (T)(log((f64)a) / log((f64)b));
}

DEVICE T FN(hypot)(T a, T b)
{
  return LANE_IS_F32 ? (T)sqrt((f64)a * (f64)a + (f64)b * (f64)b) : (T)hypot((f64)a, (f64)b);
}

/* ---- memory ---- */

#define LOAD_INTEGER(type)                                                                                             \
  DEVICE T FN(load_##type)(const void *base, i64 at, bool marked, type nodata)                                         \
  {                                                                                                                    \
    const type x = ((const type *)base)[at];                                                                           \
    return marked && x == nodata ? NA : (T)x;                                                                          \
  }
LOAD_INTEGER(u8)
LOAD_INTEGER(i8)
LOAD_INTEGER(u16)
LOAD_INTEGER(i16)
LOAD_INTEGER(u32)
LOAD_INTEGER(i32)
LOAD_INTEGER(u64)
LOAD_INTEGER(i64)
#undef LOAD_INTEGER

/* marked: NaN is missing, and the no-data value where it is a number; else both kinds of NaN stay as they are. */
DEVICE T FN(load_f32)(const void *base, i64 at, bool marked, u64 nodata)
{
  const f32 x = of_bits_f32(((const u32 *)base)[at]);
  if (is_na_f32(x) || (marked && (ISNAN(x) || (f64)x == of_bits_f64(nodata))))
    return NA;
  return (T)x;
}

DEVICE T FN(load_f64)(const void *base, i64 at, bool marked, u64 nodata)
{
  const f64 x = of_bits_f64(((const u64 *)base)[at]);
  if (is_na_f64(x) || (marked && (ISNAN(x) || x == of_bits_f64(nodata))))
    return NA;
  return (T)x;
}

DEVICE T FN(load_boolean)(const void *base, i64 at, bool marked, u8 nodata)
{
  const u8 x = ((const u8 *)base)[at];
  return x == 255 || (marked && x == nodata) ? NA : BOOL(x != 0);
}

#define STORE_INTEGER(type, low, high)                                                                                 \
  DEVICE void FN(store_##type)(void *out, i64 at, T x, type nodata)                                                    \
  {                                                                                                                    \
    ((type *)out)[at] = ISNAN(x) ? nodata : (type)clamp((f64)x, low, high);                                            \
  }
STORE_INTEGER(u8, 0, 255)
STORE_INTEGER(i8, -128, 127)
STORE_INTEGER(u16, 0, 65535)
STORE_INTEGER(i16, -32768, 32767)
STORE_INTEGER(u32, 0, 4294967295.0)
STORE_INTEGER(i32, -2147483648.0, 2147483647)
#undef STORE_INTEGER

DEVICE void FN(store_u64)(void *out, i64 at, T t, u64 nodata)
{
  const f64 x = (f64)t;
  ((u64 *)out)[at] = ISNAN(t) ? nodata : x <= 0 ? 0 : x >= 0x1p64 ? ~0ull : (u64)rint(x);
}

DEVICE void FN(store_i64)(void *out, i64 at, T t, i64 nodata)
{
  const f64 x = (f64)t;
  const i64 least = (i64)(1ull << 63);
  ((i64 *)out)[at] = ISNAN(t) ? nodata : x <= -0x1p63 ? least : x >= 0x1p63 ? ~least : (i64)rint(x);
}

/* as_is: NA and NaN stay what they are; else both become the no-data value. */
DEVICE void FN(store_f32)(void *out, i64 at, T x, bool as_is, u64 nodata)
{
  const f64 wide = ISNAN(x) && !as_is ? of_bits_f64(nodata) : FN(wide)(x);
  ((u32 *)out)[at] = bits_f32(is_na_f64(wide) ? na_f32() : (f32)wide);
}

DEVICE void FN(store_f64)(void *out, i64 at, T x, bool as_is, u64 nodata)
{
  ((u64 *)out)[at] = bits_f64(ISNAN(x) && !as_is ? of_bits_f64(nodata) : FN(wide)(x));
}

DEVICE void FN(store_boolean)(void *out, i64 at, T x)
{
  ((u8 *)out)[at] = ISNAN(x) ? (u8)255 : (u8)(x != 0);
}

/* ---- arrays ---- */

/* A row of kernel_reducers.def that has weights. */
template <bool ignore, i32 mode> struct FN(reduce_WEIGHTED_SUM) {
  f64 s0;
  TINT na;
  MEMBER void init() { s0 = 0, na = 0; }
  MEMBER void step(T x, f64 weight)
  {
    s0 += IS_NA(x) ? (f64)0 : weight * (f64)x;
    na += IS_NA(x);
  }
  MEMBER void merge(const FN(reduce_WEIGHTED_SUM) &next) { s0 += next.s0, na += next.na; }
  MEMBER T finish(const TINT n) const { return SETTLE(1, s0); }
};

/* Batcher's odd-even mergesort, the same exchanges for every lane: the layer that merges runs of p elements into runs
 * of 2p at distance d, and all that follow. A recursion: indexes are constants, so short arrays stay in registers. */
template <u32 n, u32 p, u32 d, class V> DEVICE void FN(layers)(V v)
{
#pragma unroll (n <= NEAR ? NEAR : 1)
  for (u32 i = d & (p - 1); i + d < n; i++)
    if (!((i - (d & (p - 1))) & d) && (i ^ (i + d)) < 2 * p) {
      const T low = v[i], high = v[i + d];
      v[i] = high < low ? high : low;
      v[i + d] = high < low ? low : high;
    }
  if constexpr (d > 1)
    FN(layers)<n, p, d / 2>(v);
  else if constexpr (2 * p < n)
    FN(layers)<n, 2 * p, 2 * p>(v);
}

template <u32 n, class V> DEVICE void FN(sort)(V v)
{
  if constexpr (n > 1)
    FN(layers)<n, 1, 1>(v);
}

/* The elements in order, missing ones as infinities: behind the others, or alternately before and behind, which keeps
 * the middle in the middle. How many are missing, and NA. */
template <u32 n, bool alternate, class A, class V> DEVICE void FN(sorted)(A from, V v, u32 &missing, u32 &na)
{
  missing = na = 0;
#pragma unroll (n <= NEAR ? NEAR : 1)
  for (u32 k = 0; k < n; k++) {
    const T x = from[k];
    v[k] = !ISNAN(x) ? x : alternate && (missing & 1) ? -(T)INFINITY : (T)INFINITY;
    missing += ISNAN(x);
    na += IS_NA(x);
  }
  FN(sort)<n>(v);
}

template <u32 n, bool ignore, class A, class V> DEVICE T FN(median)(A from, V v)
{
  u32 missing, na;
  FN(sorted)<n, true>(from, v, missing, na);
  if (na > (ignore ? n : 0) || na == n)
    return NA;
  const T low = v[n < 2 ? 0 : n / 2 - 1], high = v[n / 2];
  if ((n - missing) & 1)
    return missing > na ? (T)NAN : n % 2 == 0 ? low : high;
  return missing > na ? (T)NAN : FN(quiet)(0.5 * (f64)low + 0.5 * (f64)high);
}

/* Element i of an array that is indexed by constants alone, where it is short: such arrays can stay in registers. */
template <u32 n, class V> DEVICE T FN(element)(V v, u32 i)
{
  if (n > NEAR)
    return v[i];
  T x = v[0];
#pragma unroll (n <= NEAR ? NEAR : 1)
  for (u32 k = 1; k < n; k++)
    x = k == i ? v[k] : x;
  return x;
}

/* Of sorted elements. */
template <u32 n, bool ignore, class V> DEVICE T FN(quantile)(V v, u32 missing, u32 na, u64 probability)
{
  if ((!ignore && na > 0) || na == n)
    return NA;
  if (missing > na)
    return (T)NAN;
  const f64 at = (f64)(n - missing - 1) * of_bits_f64(probability), below = floor(at);
  const u32 low = (u32)below;
  const T x = FN(element)<n>(v, low);
  return at == below ? x : FN(quiet)(between((f64)x, (f64)FN(element)<n>(v, low + 1), at - below));
}

template <u32 n, class A, class B> DEVICE void FN(reverse)(A from, B to)
{
#pragma unroll (n <= NEAR ? NEAR : 1)
  for (u32 k = 0; k < n; k++)
    to[k] = from[n - 1 - k];
}

/* Where element x stands: numbers, then NaN, and NA before or behind both. */
DEVICE i32 FN(class_of)(T x, bool na_first) { return IS_NA(x) ? (na_first ? -1 : 2) : ISNAN(x) ? 1 : 0; }

/* Whether y must stand before x, which was there first. */
DEVICE bool FN(goes_before)(T y, T x, bool ascending, bool na_first)
{
  const i32 of_y = FN(class_of)(y, na_first), of_x = FN(class_of)(x, na_first);
  return of_y != of_x ? of_y < of_x : of_y == 0 && (ascending ? y < x : y > x);
}

/* The stable order of n elements: runs are merged from `order` to `other` and back. */
template <u32 n, bool ascending, bool na_first, class A, class I> DEVICE void FN(order)(A from, I order, I other)
{
  for (u32 k = 0; k < n; k++)
    order[k] = k;
  for (u32 width = 1; width < n; width *= 2) {
    for (u32 first = 0; first < n; first += 2 * width) {
      const u32 middle = least(first + width, n), end = least(first + 2 * width, n);
      u32 left = first, right = middle;
      for (u32 k = first; k < end; k++) {
        const bool takes_right =
            left == middle ||
            (right < end && FN(goes_before)(from[order[right]], from[order[left]], ascending, na_first));
        other[k] = order[takes_right ? right++ : left++];
      }
    }
    for (u32 k = 0; k < n; k++)
      order[k] = other[k];
  }
}

/* Fills the gaps between known elements. */
template <u32 n, class A, class B> DEVICE void FN(interpolate)(A from, B to)
{
  u32 last = n;
  for (u32 k = 0; k < n; k++) {
    const T x = from[k];
    to[k] = x;
    if (ISNAN(x))
      continue;
    for (u32 gap = last + 1; gap < k; gap++)
      to[gap] = FN(quiet)(between((f64)to[last], (f64)x, (f64)(gap - last) / (f64)(k - last)));
    last = k;
  }
}
