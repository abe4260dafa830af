#include "core/kernels/fft.h"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fft.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

// The plan; shared by the targets.
#ifndef DDSP_CORE_KERNELS_FFT_PLAN_
#define DDSP_CORE_KERNELS_FFT_PLAN_
namespace ddsp::kernels {

// One pass of the complex transform: butterflies of `radix` points, `groups` twiddle indices, each over `stride`
// contiguous points.
struct FftPass {
  int radix, stride, groups;
  std::vector<float> twiddles;  // [radix - 1, 2 (re, im), groups]
};

// A real transform of size 2 * half as a complex one of size half and a pass that untangles even and odd samples.
struct FftPlan {
  int half;
  std::vector<FftPass> passes;
  std::vector<float> untangle_re, untangle_im;  // exp(-2 pi i k / (2 half)), k < half
};

}  // namespace ddsp::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
struct Complex {
  hn::Vec<D> re, im;
};

template <class D>
HWY_INLINE Complex<D> operator+(Complex<D> a, Complex<D> b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
template <class D>
HWY_INLINE Complex<D> operator-(Complex<D> a, Complex<D> b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
template <class D>
HWY_INLINE Complex<D> operator*(Complex<D> a, Complex<D> b) {
  return {hn::NegMulAdd(a.im, b.im, hn::Mul(a.re, b.re)), hn::MulAdd(a.re, b.im, hn::Mul(a.im, b.re))};
}
// a + factor * b, real factor.
template <class D>
HWY_INLINE Complex<D> AddScaled(D d, Complex<D> a, float factor, Complex<D> b) {
  const auto f = hn::Set(d, factor);
  return {hn::MulAdd(f, b.re, a.re), hn::MulAdd(f, b.im, a.im)};
}
template <class D>
HWY_INLINE Complex<D> TimesMinusI(Complex<D> a) {
  return {a.im, hn::Neg(a.re)};
}

// b[j] = sum_i a[i] exp(-2 pi i j / kRadix), in place.
template <int kRadix, class D>
HWY_INLINE void Butterfly(D d, Complex<D>* a) {
  if constexpr (kRadix == 2) {
    const Complex<D> b = a[0] - a[1];
    a[0] = a[0] + a[1];
    a[1] = b;
  } else if constexpr (kRadix == 3) {
    const Complex<D> sum = a[1] + a[2], cross = TimesMinusI<D>(a[1] - a[2]);
    const Complex<D> middle = AddScaled(d, a[0], -0.5f, sum);
    constexpr float kSin = 0.866025404f;
    a[0] = a[0] + sum;
    a[1] = AddScaled(d, middle, kSin, cross);
    a[2] = AddScaled(d, middle, -kSin, cross);
  } else if constexpr (kRadix == 4) {
    const Complex<D> even = a[0] + a[2], odd = a[1] + a[3], even_cross = a[0] - a[2];
    const Complex<D> odd_cross = TimesMinusI<D>(a[1] - a[3]);
    a[0] = even + odd;
    a[1] = even_cross + odd_cross;
    a[2] = even - odd;
    a[3] = even_cross - odd_cross;
  } else {
    static_assert(kRadix == 5);
    constexpr float kCos1 = 0.309016994f, kCos2 = -0.809016994f, kSin1 = 0.951056516f, kSin2 = 0.587785252f;
    const Complex<D> sum1 = a[1] + a[4], sum2 = a[2] + a[3];
    const Complex<D> cross1 = TimesMinusI<D>(a[1] - a[4]), cross2 = TimesMinusI<D>(a[2] - a[3]);
    const Complex<D> middle1 = AddScaled(d, AddScaled(d, a[0], kCos1, sum1), kCos2, sum2);
    const Complex<D> middle2 = AddScaled(d, AddScaled(d, a[0], kCos2, sum1), kCos1, sum2);
    const Complex<D> zero{hn::Zero(d), hn::Zero(d)};
    const Complex<D> side1 = AddScaled(d, AddScaled(d, zero, kSin1, cross1), kSin2, cross2);
    const Complex<D> side2 = AddScaled(d, AddScaled(d, zero, kSin2, cross1), -kSin1, cross2);
    a[0] = a[0] + sum1 + sum2;
    a[1] = middle1 + side1;
    a[2] = middle2 + side2;
    a[3] = middle2 - side2;
    a[4] = middle1 - side1;
  }
}

// Split complex arrays.
struct In {
  const float *re, *im;
};
struct Out {
  float *re, *im;
};

template <class D>
HWY_INLINE Complex<D> LoadComplex(D d, In x, int64_t i) {
  return {hn::LoadU(d, x.re + i), hn::LoadU(d, x.im + i)};
}
template <class D>
HWY_INLINE void StoreComplex(D d, Complex<D> value, Out y, int64_t i) {
  hn::StoreU(value.re, d, y.re + i);
  hn::StoreU(value.im, d, y.im + i);
}

// A pass of Stockham's autosorting transform, vectors along the stride: y[q + s (r p + j)] = twiddle(p j) sum_i x[q + s
// (p + m i)] ...
template <int kRadix, class D>
HWY_INLINE void PassAlongStride(D d, const FftPass& pass, In x, Out y) {
  const int s = pass.stride, m = pass.groups;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int p = 0; p < m; ++p) {
    Complex<D> twiddle[kRadix];
    for (int j = 1; j < kRadix; ++j) {
      const float* w = pass.twiddles.data() + (j - 1) * 2 * m + p;
      twiddle[j] = {hn::Set(d, w[0]), hn::Set(d, w[m])};
    }
    for (int q = 0; q < s; q += lanes) {
      Complex<D> a[kRadix];
      for (int i = 0; i < kRadix; ++i) a[i] = LoadComplex(d, x, q + s * (p + m * i));
      Butterfly<kRadix>(d, a);
      StoreComplex(d, a[0], y, q + s * kRadix * p);
      for (int j = 1; j < kRadix; ++j) StoreComplex<D>(d, a[j] * twiddle[j], y, q + s * (kRadix * p + j));
    }
  }
}

// The first pass (stride 1), vectors along the twiddle index; results are interleaved.
template <int kRadix, class D>
HWY_INLINE void FirstPass(D d, const FftPass& pass, In x, Out y) {
  const int m = pass.groups;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int p = 0; p < m; p += lanes) {
    Complex<D> a[kRadix];
    for (int i = 0; i < kRadix; ++i) a[i] = LoadComplex(d, x, p + m * i);
    Butterfly<kRadix>(d, a);
    for (int j = 1; j < kRadix; ++j) {
      const float* w = pass.twiddles.data() + (j - 1) * 2 * m + p;
      a[j] = a[j] * Complex<D>{hn::LoadU(d, w), hn::LoadU(d, w + m)};
    }
    if constexpr (kRadix == 4) {
      hn::StoreInterleaved4(a[0].re, a[1].re, a[2].re, a[3].re, d, y.re + 4 * p);
      hn::StoreInterleaved4(a[0].im, a[1].im, a[2].im, a[3].im, d, y.im + 4 * p);
    } else {
      static_assert(kRadix == 2);
      hn::StoreInterleaved2(a[0].re, a[1].re, d, y.re + 2 * p);
      hn::StoreInterleaved2(a[0].im, a[1].im, d, y.im + 2 * p);
    }
  }
}

// Calls function(d) with the widest vectors whose lanes divide `size`.
template <class Function>
HWY_INLINE void WithLanesDividing(int size, Function function) {
  if (size % 16 == 0) return function(hn::CappedTag<float, 16>());
  if (size % 8 == 0) return function(hn::CappedTag<float, 8>());
  if (size % 4 == 0) return function(hn::CappedTag<float, 4>());
  if (size % 2 == 0) return function(hn::CappedTag<float, 2>());
  return function(hn::CappedTag<float, 1>());
}

template <int kRadix>
void Pass(const FftPass& pass, In x, Out y) {
  if constexpr (kRadix % 2 == 0) {
    if (pass.stride == 1 && pass.groups % 4 == 0) {
      return WithLanesDividing(pass.groups, [&](auto d) HWY_ATTR {
        if constexpr (hn::MaxLanes(d) >= 4) FirstPass<kRadix>(d, pass, x, y);
      });
    }
  }
  WithLanesDividing(pass.stride, [&](auto d) HWY_ATTR { PassAlongStride<kRadix>(d, pass, x, y); });
}

// Transforms `a` with `b` as the other buffer; returns the one that holds the result.
Out ComplexFft(const FftPlan& plan, Out a, Out b) {
  for (const FftPass& pass : plan.passes) {
    const In x{a.re, a.im};
    switch (pass.radix) {
      case 2:
        Pass<2>(pass, x, b);
        break;
      case 3:
        Pass<3>(pass, x, b);
        break;
      case 4:
        Pass<4>(pass, x, b);
        break;
      default:
        Pass<5>(pass, x, b);
    }
    std::swap(a, b);
  }
  return a;
}

// Calls function(d, k) for vectors that cover begin <= k < end, the last ones overlapping where they do not fit.
template <class Function>
HWY_INLINE void CoverRange(int64_t begin, int64_t end, Function function) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  int64_t k = begin;
  for (; k + lanes <= end; k += lanes) function(d, k);
  if (k == end) return;
  if (end - begin >= lanes) return function(d, end - lanes);
  for (; k < end; ++k) function(hn::CappedTag<float, 1>(), k);
}

template <class D>
HWY_INLINE Complex<D> LoadReversedConjugate(D d, In x, int64_t last) {
  const int64_t first = last - static_cast<int64_t>(hn::Lanes(d)) + 1;
  return {hn::Reverse(d, hn::LoadU(d, x.re + first)), hn::Neg(hn::Reverse(d, hn::LoadU(d, x.im + first)))};
}

// The transform of pairs of samples, z[n] = in[2 n] + i in[2 n + 1].
In TransformPairs(const FftPlan& plan, const float* HWY_RESTRICT in, float* HWY_RESTRICT scratch) {
  const int64_t half = plan.half, room = half + RealFft::kSkew;
  const Out a{scratch, scratch + room}, b{scratch + 2 * room, scratch + 3 * room};
  CoverRange(0, half, [&](auto d, int64_t n) HWY_ATTR {
    if constexpr (hn::MaxLanes(d) > 1) {
      hn::Vec<decltype(d)> even, odd;
      hn::LoadInterleaved2(d, in + 2 * n, even, odd);
      hn::StoreU(even, d, a.re + n);
      hn::StoreU(odd, d, a.im + n);
    } else {
      a.re[n] = in[2 * n];
      a.im[n] = in[2 * n + 1];
    }
  });
  const Out result = ComplexFft(plan, a, b);
  return {result.re, result.im};
}

// Calls sink(d, k, bins k and on) for all inner bins of the real transform whose pairs have transform z.
template <class Sink>
HWY_INLINE void Untangle(const FftPlan& plan, In z, Sink sink) {
  CoverRange(1, plan.half, [&](auto d, int64_t k) HWY_ATTR {
    using D = decltype(d);
    const Complex<D> x = LoadComplex(d, z, k), mirrored = LoadReversedConjugate(d, z, plan.half - k);
    const Complex<D> w = LoadComplex(d, {plan.untangle_re.data(), plan.untangle_im.data()}, k);
    const Complex<D> twice = (x + mirrored) + w * TimesMinusI<D>(x - mirrored);
    const auto scale = hn::Set(d, 0.5f);
    sink(d, k, Complex<D>{hn::Mul(twice.re, scale), hn::Mul(twice.im, scale)});
  });
}

void Forward(const FftPlan& plan, const float* HWY_RESTRICT in, float* HWY_RESTRICT re, float* HWY_RESTRICT im,
             float* HWY_RESTRICT scratch) {
  const int half = plan.half;
  const In z = TransformPairs(plan, in, scratch);
  re[0] = z.re[0] + z.im[0];
  re[half] = z.re[0] - z.im[0];
  im[0] = im[half] = 0;
  Untangle(plan, z, [&](auto d, int64_t k, auto bins) HWY_ATTR { StoreComplex(d, bins, {re, im}, k); });
}

void Power(const FftPlan& plan, const float* HWY_RESTRICT in, float* HWY_RESTRICT power, float* HWY_RESTRICT scratch) {
  const In z = TransformPairs(plan, in, scratch);
  const float first = z.re[0] + z.im[0], last = z.re[0] - z.im[0];
  power[0] = first * first;
  power[plan.half] = last * last;
  Untangle(plan, z, [&](auto d, int64_t k, auto bins) HWY_ATTR {
    hn::StoreU(hn::MulAdd(bins.re, bins.re, hn::Mul(bins.im, bins.im)), d, power + k);
  });
}

// Pairs of the inverse, scaled, from a transform with real and imaginary parts in each other's place.
void StorePairs(const FftPlan& plan, Out result, int64_t pairs, float* HWY_RESTRICT out) {
  const float scale = 0.5f / plan.half;
  CoverRange(0, pairs, [&](auto d, int64_t n) HWY_ATTR {
    if constexpr (hn::MaxLanes(d) > 1) {
      const auto s = hn::Set(d, scale);
      hn::StoreInterleaved2(hn::Mul(s, hn::LoadU(d, result.im + n)), hn::Mul(s, hn::LoadU(d, result.re + n)), d,
                            out + 2 * n);
    } else {
      out[2 * n] = scale * result.im[n];
      out[2 * n + 1] = scale * result.re[n];
    }
  });
}

void Inverse(const FftPlan& plan, const float* HWY_RESTRICT re, const float* HWY_RESTRICT im, float* HWY_RESTRICT out,
             float* HWY_RESTRICT scratch) {
  const int64_t half = plan.half;
  // Real and imaginary parts change places, which turns the forward transform into the inverse.
  const int64_t room = half + RealFft::kSkew;
  const Out a{scratch + room, scratch}, b{scratch + 3 * room, scratch + 2 * room};
  a.re[0] = re[0] + re[half];
  a.im[0] = re[0] - re[half];
  CoverRange(1, half, [&](auto d, int64_t k) HWY_ATTR {
    using D = decltype(d);
    const Complex<D> x = LoadComplex(d, {re, im}, k), mirrored = LoadReversedConjugate(d, {re, im}, half - k);
    Complex<D> w = LoadComplex(d, {plan.untangle_re.data(), plan.untangle_im.data()}, k);
    w.im = hn::Neg(w.im);
    StoreComplex<D>(d, (x + mirrored) - TimesMinusI<D>(w * (x - mirrored)), a, k);
  });
  StorePairs(plan, ComplexFft(plan, {a.im, a.re}, {b.im, b.re}), half, out);
}

void InverseOfReal(const FftPlan& plan, const float* HWY_RESTRICT spectrum, int64_t count, float* HWY_RESTRICT out,
                   float* HWY_RESTRICT scratch) {
  const int64_t half = plan.half, room = half + RealFft::kSkew;
  const Out a{scratch + room, scratch}, b{scratch + 3 * room, scratch + 2 * room};
  a.re[0] = spectrum[0] + spectrum[half];
  a.im[0] = spectrum[0] - spectrum[half];
  CoverRange(1, half, [&](auto d, int64_t k) HWY_ATTR {
    const int64_t mirror = half - k - static_cast<int64_t>(hn::Lanes(d)) + 1;
    const auto x = hn::LoadU(d, spectrum + k), mirrored = hn::Reverse(d, hn::LoadU(d, spectrum + mirror));
    const auto sum = hn::Add(x, mirrored), difference = hn::Sub(x, mirrored);
    hn::StoreU(hn::MulAdd(difference, hn::LoadU(d, plan.untangle_im.data() + k), sum), d, a.re + k);
    hn::StoreU(hn::Mul(difference, hn::LoadU(d, plan.untangle_re.data() + k)), d, a.im + k);
  });
  StorePairs(plan, ComplexFft(plan, {a.im, a.re}, {b.im, b.re}), (count + 1) / 2, out);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(Forward);
HWY_EXPORT(Power);
HWY_EXPORT(Inverse);
HWY_EXPORT(InverseOfReal);

namespace {

// Factors of four first: later passes then have strides that are whole vectors.
std::vector<int> Radices(int size) {
  std::vector<int> radices;
  for (const int radix : {4, 2, 3, 5}) {
    for (; size % radix == 0; size /= radix) radices.push_back(radix);
  }
  return radices;
}

FftPass MakePass(int radix, int stride, int groups) {
  FftPass pass{radix, stride, groups, {}};
  for (int j = 1; j < radix; ++j) {
    for (const bool imaginary : {false, true}) {
      for (int p = 0; p < groups; ++p) {
        const double angle = -2 * std::numbers::pi * p * j / (groups * radix);
        pass.twiddles.push_back(static_cast<float>(imaginary ? std::sin(angle) : std::cos(angle)));
      }
    }
  }
  return pass;
}

}  // namespace

struct RealFft::Plan : FftPlan {};

bool RealFft::Supports(int size) {
  if (size < 2 || size > (1 << 20) || size % 2 != 0) return false;
  for (const int factor : {2, 3, 5}) {
    while (size % factor == 0) size /= factor;
  }
  return size == 1;
}

RealFft::RealFft(int size) : size_(size) {
  DDSP_CHECK(Supports(size), "the size of a real FFT is even and has no prime factor above 5");
  auto plan = std::make_unique<Plan>();
  plan->half = size / 2;
  int stride = 1;
  for (const int radix : Radices(plan->half)) {
    plan->passes.push_back(MakePass(radix, stride, plan->half / stride / radix));
    stride *= radix;
  }
  for (int k = 0; k < plan->half; ++k) {
    plan->untangle_re.push_back(static_cast<float>(std::cos(2 * std::numbers::pi * k / size)));
    plan->untangle_im.push_back(static_cast<float>(-std::sin(2 * std::numbers::pi * k / size)));
  }
  plan_ = std::move(plan);
}

RealFft::~RealFft() = default;
RealFft::RealFft(RealFft&&) noexcept = default;
RealFft& RealFft::operator=(RealFft&&) noexcept = default;

void RealFft::Forward(const float* in, float* re, float* im, float* scratch) const {
  HWY_DYNAMIC_DISPATCH(Forward)(*plan_, in, re, im, scratch);
}

void RealFft::Power(const float* in, float* power, float* scratch) const {
  HWY_DYNAMIC_DISPATCH(Power)(*plan_, in, power, scratch);
}

void RealFft::Inverse(const float* re, const float* im, float* out, float* scratch) const {
  HWY_DYNAMIC_DISPATCH(Inverse)(*plan_, re, im, out, scratch);
}

void RealFft::InverseOfReal(const float* spectrum, int count, float* out, float* scratch) const {
  HWY_DYNAMIC_DISPATCH(InverseOfReal)(*plan_, spectrum, count, out, scratch);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
