// The passes of a complex FFT: Stockham's autosorting form on split arrays. Included by files that are compiled once
// per target.
#if defined(DDSP_CORE_KERNELS_FFT_PASSES_INL_) == defined(HWY_TARGET_TOGGLE)
#ifdef DDSP_CORE_KERNELS_FFT_PASSES_INL_
#undef DDSP_CORE_KERNELS_FFT_PASSES_INL_
#else
#define DDSP_CORE_KERNELS_FFT_PASSES_INL_
#endif

#include <algorithm>
#include <utility>

#include "core/kernels/fft.h"
#include "core/kernels/fft_plan.h"
#include "hwy/highway.h"

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

// The first pass (stride 1, radix 4), vectors along the twiddle index; results are interleaved. load(d, n) gives points
// n and on of the input.
template <class D, class Load>
HWY_INLINE void FirstPass(D d, const FftPass& pass, Load load, Out y) {
  const int m = pass.groups;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int p = 0; p < m; p += lanes) {
    Complex<D> a[4];
    for (int i = 0; i < 4; ++i) a[i] = load(d, p + m * i);
    Butterfly<4>(d, a);
    for (int j = 1; j < 4; ++j) {
      const float* w = pass.twiddles.data() + (j - 1) * 2 * m + p;
      a[j] = a[j] * Complex<D>{hn::LoadU(d, w), hn::LoadU(d, w + m)};
    }
    hn::StoreInterleaved4(a[0].re, a[1].re, a[2].re, a[3].re, d, y.re + 4 * p);
    hn::StoreInterleaved4(a[0].im, a[1].im, a[2].im, a[3].im, d, y.im + 4 * p);
  }
}

// Stores [a0 b0 c0 e0 a1 b1 c1 e1 ...], blocks of four lanes.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void StoreInterleavedBlocks(D d, V a, V b, V c, V e, float* y) {
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(d));
  if constexpr (kLanes == 8) {
    hn::StoreU(hn::ConcatLowerLower(d, b, a), d, y);
    hn::StoreU(hn::ConcatLowerLower(d, e, c), d, y + kLanes);
    hn::StoreU(hn::ConcatUpperUpper(d, b, a), d, y + 2 * kLanes);
    hn::StoreU(hn::ConcatUpperUpper(d, e, c), d, y + 3 * kLanes);
  } else {
    static_assert(kLanes == 16);
    const V ac_low = hn::ConcatLowerLower(d, c, a), be_low = hn::ConcatLowerLower(d, e, b);
    const V ac_high = hn::ConcatUpperUpper(d, c, a), be_high = hn::ConcatUpperUpper(d, e, b);
    hn::StoreU(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(be_low), ac_low), d, y);
    hn::StoreU(hn::OddEvenBlocks(be_low, hn::SwapAdjacentBlocks(ac_low)), d, y + kLanes);
    hn::StoreU(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(be_high), ac_high), d, y + 2 * kLanes);
    hn::StoreU(hn::OddEvenBlocks(be_high, hn::SwapAdjacentBlocks(ac_high)), d, y + 3 * kLanes);
  }
}

// The second pass (stride 4, radix 4) where vectors are wider than the stride: along points and twiddle index together.
template <class D>
HWY_INLINE void SecondPass(D d, const FftPass& pass, In x, Out y) {
  const int points = pass.stride * pass.groups;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int t = 0; t < points; t += lanes) {
    Complex<D> a[4];
    for (int i = 0; i < 4; ++i) a[i] = LoadComplex(d, x, t + points * i);
    Butterfly<4>(d, a);
    for (int j = 1; j < 4; ++j) {
      const float* w = pass.spread.data() + (j - 1) * 2 * points + t;
      a[j] = a[j] * Complex<D>{hn::LoadU(d, w), hn::LoadU(d, w + points)};
    }
    StoreInterleavedBlocks(d, a[0].re, a[1].re, a[2].re, a[3].re, y.re + 4 * t);
    StoreInterleavedBlocks(d, a[0].im, a[1].im, a[2].im, a[3].im, y.im + 4 * t);
  }
}

// The last pass, whose one twiddle is 1, as far as points below `needed` are concerned.
template <int kRadix, class D>
HWY_INLINE void LastPass(D d, const FftPass& pass, In x, int needed, Out y) {
  const int s = pass.stride, lanes = static_cast<int>(hn::Lanes(d));
  const bool all = needed > s;
  for (int q = 0; q < std::min(s, needed); q += lanes) {
    Complex<D> a[kRadix];
    for (int i = 0; i < kRadix; ++i) a[i] = LoadComplex(d, x, q + s * i);
    Butterfly<kRadix>(d, a);
    StoreComplex(d, a[0], y, q);
    for (int j = 1; all && j < kRadix; ++j) StoreComplex<D>(d, a[j], y, q + s * j);
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

// Whether the first pass is one that interleaves: all transforms of a multiple of 16 points, as factors of four come
// first.
HWY_INLINE bool StartsInterleaving(const FftPlan& plan) { return plan.half % 16 == 0; }

template <int kRadix>
void Pass(const FftPass& pass, In x, Out y) {
  if constexpr (kRadix == 4) {
    constexpr int kLanes = static_cast<int>(hn::MaxLanes(hn::CappedTag<float, 16>()));
    if (kLanes > 4 && pass.stride == 4 && !pass.spread.empty()) {
      return WithLanesDividing(4 * pass.groups, [&](auto d) HWY_ATTR {
        if constexpr (hn::MaxLanes(d) > 4)
          SecondPass(d, pass, x, y);
        else
          PassAlongStride<4>(d, pass, x, y);
      });
    }
  }
  WithLanesDividing(pass.stride, [&](auto d) HWY_ATTR { PassAlongStride<kRadix>(d, pass, x, y); });
}

template <int kRadix>
void RunPass(const FftPass& pass, In x, int needed, Out y) {
  if (pass.groups > 1) return Pass<kRadix>(pass, x, y);
  WithLanesDividing(pass.stride, [&](auto d) HWY_ATTR { LastPass<kRadix>(d, pass, x, needed, y); });
}

// The passes from `first` on, with `a` as input and `b` as the other buffer; returns the one that holds the result, of
// which the first `needed` points are right.
Out RunPasses(const FftPlan& plan, size_t first, int needed, Out a, Out b) {
  for (size_t i = first; i < plan.passes.size(); ++i) {
    const FftPass& pass = plan.passes[i];
    const In x{a.re, a.im};
    switch (pass.radix) {
      case 2:
        RunPass<2>(pass, x, needed, b);
        break;
      case 3:
        RunPass<3>(pass, x, needed, b);
        break;
      case 4:
        RunPass<4>(pass, x, needed, b);
        break;
      default:
        RunPass<5>(pass, x, needed, b);
    }
    std::swap(a, b);
  }
  return a;
}

// Calls function(d, k) for vectors that cover k < end, the last ones overlapping where they do not fit.
template <class Function>
HWY_INLINE void CoverRange(int64_t end, Function function) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  int64_t k = 0;
  for (; k + lanes <= end; k += lanes) function(d, k);
  if (k == end) return;
  if (end >= lanes) return function(d, end - lanes);
  for (; k < end; ++k) function(hn::CappedTag<float, 1>(), k);
}

// The transform of the points that load(d, n) gives; the first `needed` points of it are right.
template <class Load>
HWY_INLINE Out ComplexFft(const FftPlan& plan, Load load, int needed, float* HWY_RESTRICT scratch) {
  const int64_t room = plan.half + RealFft::kSkew;
  const Out a{scratch, scratch + room}, b{scratch + 2 * room, scratch + 3 * room};
  if (StartsInterleaving(plan)) {
    const FftPass& first = plan.passes[0];
    WithLanesDividing(first.groups, [&](auto d) HWY_ATTR {
      if constexpr (hn::MaxLanes(d) >= 4) FirstPass(d, first, load, a);
    });
    return RunPasses(plan, 1, needed, a, b);
  }
  CoverRange(plan.half, [&](auto d, int64_t n) HWY_ATTR { StoreComplex(d, load(d, n), a, n); });
  return RunPasses(plan, 0, needed, a, b);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // DDSP_CORE_KERNELS_FFT_PASSES_INL_
