#include "core/kernels/fft.h"

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fft.cc"
// foreach_target must come first.
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/kernels/fft_passes-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Lanes in the order of falling indices, from `last` down.
template <class D>
HWY_INLINE hn::Vec<D> LoadReversed(D d, const float* x, int64_t last) {
  return hn::Reverse(d, hn::LoadU(d, x + last - static_cast<int64_t>(hn::Lanes(d)) + 1));
}

// The transform of pairs of samples, z[n] = in[2 n] + i in[2 n + 1], and z[half] = z[0].
In TransformPairs(const FftPlan& plan, const float* HWY_RESTRICT in, float* HWY_RESTRICT scratch) {
  const auto load = [&](auto d, int64_t n) HWY_ATTR {
    Complex<decltype(d)> pair;
    if constexpr (hn::MaxLanes(d) > 1) {
      hn::LoadInterleaved2(d, in + 2 * n, pair.re, pair.im);
    } else {
      pair = {hn::LoadU(d, in + 2 * n), hn::LoadU(d, in + 2 * n + 1)};
    }
    return pair;
  };
  const Out z = ComplexFft(plan, load, plan.half, scratch);
  z.re[plan.half] = z.re[0];
  z.im[plan.half] = z.im[0];
  return {z.re, z.im};
}

// Calls sink(d, k, bins k and on) for all bins but the last of the real transform whose pairs have transform z.
template <class Sink>
HWY_INLINE void Untangle(const FftPlan& plan, In z, Sink sink) {
  CoverRange(plan.half, [&](auto d, int64_t k) HWY_ATTR {
    using D = decltype(d);
    const Complex<D> x = LoadComplex(d, z, k);
    const Complex<D> mirrored{LoadReversed(d, z.re, plan.half - k), hn::Neg(LoadReversed(d, z.im, plan.half - k))};
    const Complex<D> w = LoadComplex(d, {plan.untangle_re.data(), plan.untangle_im.data()}, k);
    const Complex<D> twice = (x + mirrored) + w * TimesMinusI<D>(x - mirrored);
    const auto scale = hn::Set(d, 0.5f);
    sink(d, k, Complex<D>{hn::Mul(twice.re, scale), hn::Mul(twice.im, scale)});
  });
}

void Forward(const FftPlan& plan, const float* HWY_RESTRICT in, float* HWY_RESTRICT re, float* HWY_RESTRICT im,
             float* HWY_RESTRICT scratch) {
  const In z = TransformPairs(plan, in, scratch);
  Untangle(plan, z, [&](auto d, int64_t k, auto bins) HWY_ATTR { StoreComplex(d, bins, {re, im}, k); });
  re[plan.half] = z.re[0] - z.im[0];
  im[0] = im[plan.half] = 0;
}

void Power(const FftPlan& plan, const float* HWY_RESTRICT in, float* HWY_RESTRICT power, float* HWY_RESTRICT scratch) {
  const In z = TransformPairs(plan, in, scratch);
  Untangle(plan, z, [&](auto d, int64_t k, auto bins) HWY_ATTR {
    hn::StoreU(hn::MulAdd(bins.re, bins.re, hn::Mul(bins.im, bins.im)), d, power + k);
  });
  const float last = z.re[0] - z.im[0];
  power[plan.half] = last * last;
}

// The first `count` samples of the inverse whose transformed pairs load(d, k) gives with real and imaginary parts in
// each other's place, which turns the forward transform into the inverse.
template <class Load>
HWY_INLINE void InverseOfPairs(const FftPlan& plan, Load load, int64_t count, float* HWY_RESTRICT out,
                               float* HWY_RESTRICT scratch) {
  const int64_t pairs = (count + 1) / 2;
  const Out result = ComplexFft(plan, load, static_cast<int>(pairs), scratch);
  const float scale = 0.5f / plan.half;
  CoverRange(pairs, [&](auto d, int64_t n) HWY_ATTR {
    const auto s = hn::Set(d, scale);
    const auto even = hn::Mul(s, hn::LoadU(d, result.im + n)), odd = hn::Mul(s, hn::LoadU(d, result.re + n));
    if constexpr (hn::MaxLanes(d) > 1) {
      hn::StoreInterleaved2(even, odd, d, out + 2 * n);
    } else {
      hn::StoreU(even, d, out + 2 * n);
      hn::StoreU(odd, d, out + 2 * n + 1);
    }
  });
}

void Inverse(const FftPlan& plan, const float* HWY_RESTRICT re, const float* HWY_RESTRICT im, float* HWY_RESTRICT out,
             float* HWY_RESTRICT scratch) {
  const int64_t half = plan.half;
  const auto load = [&](auto d, int64_t k) HWY_ATTR {
    using D = decltype(d);
    const auto inner = hn::Ne(hn::Add(hn::Iota(d, 0), hn::Set(d, static_cast<float>(k))), hn::Zero(d));
    // Bins 0 and half are real.
    const Complex<D> x{hn::LoadU(d, re + k), hn::IfThenElseZero(inner, hn::LoadU(d, im + k))};
    const Complex<D> mirrored{LoadReversed(d, re, half - k),
                              hn::IfThenElseZero(inner, hn::Neg(LoadReversed(d, im, half - k)))};
    Complex<D> w = LoadComplex(d, {plan.untangle_re.data(), plan.untangle_im.data()}, k);
    w.im = hn::Neg(w.im);
    const Complex<D> pairs = (x + mirrored) - TimesMinusI<D>(w * (x - mirrored));
    return Complex<D>{pairs.im, pairs.re};
  };
  InverseOfPairs(plan, load, 2 * half, out, scratch);
}

void InverseOfReal(const FftPlan& plan, const float* HWY_RESTRICT spectrum, int64_t count, float* HWY_RESTRICT out,
                   float* HWY_RESTRICT scratch) {
  const int64_t half = plan.half;
  const auto load = [&](auto d, int64_t k) HWY_ATTR {
    const auto x = hn::LoadU(d, spectrum + k), mirrored = LoadReversed(d, spectrum, half - k);
    const auto sum = hn::Add(x, mirrored), difference = hn::Sub(x, mirrored);
    return Complex<decltype(d)>{hn::Mul(difference, hn::LoadU(d, plan.untangle_re.data() + k)),
                                hn::MulAdd(difference, hn::LoadU(d, plan.untangle_im.data() + k), sum)};
  };
  InverseOfPairs(plan, load, count, out, scratch);
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
  FftPass pass{radix, stride, groups, {}, {}};
  for (int j = 1; j < radix; ++j) {
    for (const bool imaginary : {false, true}) {
      for (int p = 0; p < groups; ++p) {
        const double angle = -2 * std::numbers::pi * p * j / (groups * radix);
        const float twiddle = static_cast<float>(imaginary ? std::sin(angle) : std::cos(angle));
        pass.twiddles.push_back(twiddle);
        if (stride == 4 && groups % 4 == 0) pass.spread.insert(pass.spread.end(), stride, twiddle);
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
