/* The beginning of a device's text for a C++ compiler of this machine: numbers whose arithmetic and conversions lose
 * the payload of NaN, as a device's do, so that text which relies on a processor that keeps it gives wrong results here. */
#define TWINCUBE_DEVICE_NAMES
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

typedef int8_t i8;
typedef uint8_t u8;
typedef int16_t i16;
typedef uint16_t u16;
typedef int32_t i32;
typedef uint32_t u32;
typedef long long i64;
typedef unsigned long long u64;

template <class Own> static Own canonical(Own x)
{
  return x != x ? (Own)NAN : x;
}

template <class Own> struct number {
  Own value;
  number() = default;
  template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>> number(N n) : value(canonical((Own)n)) {}
  template <class Other, class = std::enable_if_t<!std::is_same_v<Other, Own>>>
  explicit number(number<Other> other) : value(canonical((Own)other.value)) {}
  template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>> explicit operator N() const { return (N)value; }
  number operator-() const { return canonical(-value); }
  number &operator+=(number other) { return *this = *this + other; }
  number &operator*=(number other) { return *this = *this * other; }
  friend number operator+(number a, number b) { return canonical(a.value + b.value); }
  friend number operator-(number a, number b) { return canonical(a.value - b.value); }
  friend number operator*(number a, number b) { return canonical(a.value * b.value); }
  friend number operator/(number a, number b) { return canonical(a.value / b.value); }
  friend bool operator==(number a, number b) { return a.value == b.value; }
  friend bool operator!=(number a, number b) { return a.value != b.value; }
  friend bool operator<(number a, number b) { return a.value < b.value; }
  friend bool operator>(number a, number b) { return a.value > b.value; }
  friend bool operator<=(number a, number b) { return a.value <= b.value; }
  friend bool operator>=(number a, number b) { return a.value >= b.value; }
};

typedef number<float> f32;
typedef number<double> f64;

#define ONE(name) \
  static f64 name(f64 x) { return canonical(std::name(x.value)); } \
  static f32 name##f(f32 x) { return canonical(std::name(x.value)); }
#define TWO(name) \
  static f64 name(f64 x, f64 y) { return canonical(std::name(x.value, y.value)); } \
  static f32 name##f(f32 x, f32 y) { return canonical(std::name(x.value, y.value)); }
ONE(fabs) ONE(sqrt) ONE(floor) ONE(ceil) ONE(trunc) ONE(rint) ONE(exp) ONE(log) ONE(log2) ONE(log10) ONE(sin) ONE(cos)
ONE(tan) ONE(asin) ONE(acos) ONE(atan) ONE(sinh) ONE(cosh) ONE(tanh) ONE(asinh) ONE(acosh) ONE(atanh)
TWO(fmod) TWO(pow) TWO(atan2) TWO(hypot)

#define DEVICE static inline __attribute__((unused))
#define TABLE static const
#define KERNEL(name) \
  extern "C" void name(const void *const *bases, void *out, const i64 *offsets, const i64 *strides, u64 nx, u64 ny, \
                       u64 nz, void *scratch)
#define EACH_LANE for (u64 lane = 0; lane < nx * ny * nz; lane++)

DEVICE u32 bits_f32(f32 x)
{
  u32 bits;
  memcpy(&bits, &x.value, sizeof bits);
  return bits;
}
DEVICE u64 bits_f64(f64 x)
{
  u64 bits;
  memcpy(&bits, &x.value, sizeof bits);
  return bits;
}
DEVICE f32 of_bits_f32(u32 bits)
{
  f32 x;
  memcpy(&x.value, &bits, sizeof bits);
  return x;
}
DEVICE f64 of_bits_f64(u64 bits)
{
  f64 x;
  memcpy(&x.value, &bits, sizeof bits);
  return x;
}
#define double f64
