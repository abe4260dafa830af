#include "core/kernels/spectrum_distance.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/spectrum_distance.cc"
// foreach_target must come first.
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
struct Sums {
  hn::Vec<hn::ScalableTag<T>> magnitude, log_magnitude;
};

// One vector of bins. `*_arg` is what the logarithm sees.
template <typename T>
HWY_INLINE void CompareVector(const DistanceWeights& weights, const T* HWY_RESTRICT target, T* HWY_RESTRICT synth,
                              Sums<T>& sums) {
  const hn::ScalableTag<T> d;
  using Vec = hn::Vec<decltype(d)>;
  const Vec zero = hn::Zero(d), one = hn::Set(d, T{1}), tiny = hn::Set(d, static_cast<T>(1e-5));
  const Vec floor = hn::Set(d, static_cast<T>(weights.log_floor));
  Vec sr, si, tr, ti;
  hn::LoadInterleaved2(d, synth, sr, si);
  hn::LoadInterleaved2(d, target, tr, ti);
  const Vec s = hn::Sqrt(hn::MulAdd(sr, sr, hn::Mul(si, si)));
  const Vec t = hn::Sqrt(hn::MulAdd(tr, tr, hn::Mul(ti, ti)));
  const auto s_zero = hn::Eq(s, zero);
  const Vec sf = hn::Add(s, floor), tf = hn::Add(t, floor);
  const Vec s_arg = hn::IfThenElse(hn::Eq(sf, zero), tiny, sf);
  const Vec t_arg = hn::IfThenElse(hn::Eq(tf, zero), tiny, tf);
  const Vec difference = hn::Sub(s, t);
  const Vec log_difference = hn::Log(d, hn::Div(s_arg, t_arg));
  sums.magnitude = hn::Add(sums.magnitude, hn::Abs(difference));
  sums.log_magnitude = hn::Add(sums.log_magnitude, hn::Abs(log_difference));
  // d/dS |s - t| = sign(s - t) S / |S|, and both terms have the same sign.
  const Vec sign = hn::IfThenElse(hn::Eq(difference, zero), zero, hn::CopySign(one, difference));
  const Vec log_slope = hn::Div(hn::Set(d, static_cast<T>(weights.log_magnitude)), s_arg);
  const Vec slope = hn::Add(hn::Set(d, static_cast<T>(weights.magnitude)), log_slope);
  const Vec scale = hn::IfThenElse(s_zero, zero, hn::Div(hn::Mul(sign, slope), s));
  hn::StoreInterleaved2(hn::Mul(sr, scale), hn::Mul(si, scale), d, synth);
}

template <typename T>
HWY_INLINE SpectrumDistance Compare(const DistanceWeights& weights, int64_t count, const T* HWY_RESTRICT target,
                                    T* HWY_RESTRICT synth) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d);
  constexpr int64_t kBlock = 4096;  // bins summed in T before they go into the double
  SpectrumDistance total;
  const auto add = [&](const Sums<T>& sums) HWY_ATTR {
    total.magnitude += hn::GetLane(hn::SumOfLanes(d, sums.magnitude));
    total.log_magnitude += hn::GetLane(hn::SumOfLanes(d, sums.log_magnitude));
  };
  int64_t i = 0;
  while (i + lanes <= count) {
    Sums<T> sums{hn::Zero(d), hn::Zero(d)};
    const int64_t end = std::min(count, i + kBlock);
    for (; i + lanes <= end; i += lanes) CompareVector(weights, target + 2 * i, synth + 2 * i, sums);
    add(sums);
  }
  if (i < count) {
    HWY_ALIGN T t[2 * hn::MaxLanes(hn::ScalableTag<T>())], s[2 * hn::MaxLanes(hn::ScalableTag<T>())];
    // Equal bins have no distance.
    std::fill(std::begin(t), std::end(t), T{1});
    std::fill(std::begin(s), std::end(s), T{1});
    std::copy(target + 2 * i, target + 2 * count, t);
    std::copy(synth + 2 * i, synth + 2 * count, s);
    Sums<T> sums{hn::Zero(d), hn::Zero(d)};
    CompareVector(weights, t, s, sums);
    std::copy(s, s + 2 * (count - i), synth + 2 * i);
    add(sums);
  }
  return total;
}

template <typename T>
HWY_INLINE void Frame(const Framing& layout, const T* HWY_RESTRICT signal, const T* HWY_RESTRICT window,
                      T* HWY_RESTRICT out) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t f = 0; f < layout.frames; ++f) {
    const T* HWY_RESTRICT from = signal + f * layout.hop;
    T* HWY_RESTRICT to = out + f * layout.size;
    const int64_t inside = std::clamp<int64_t>(layout.samples - f * layout.hop, 0, layout.size);
    int64_t n = 0;
    for (; n + lanes <= inside; n += lanes) {
      hn::StoreU(hn::Mul(hn::LoadU(d, from + n), hn::LoadU(d, window + n)), d, to + n);
    }
    for (; n < inside; ++n) to[n] = from[n] * window[n];
    std::fill(to + n, to + layout.size, T{0});
  }
}

template <typename T>
HWY_INLINE void Overlap(const Framing& layout, const T* HWY_RESTRICT in, const T* HWY_RESTRICT window,
                        T* HWY_RESTRICT signal) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t f = 0; f < layout.frames; ++f) {
    const T* HWY_RESTRICT from = in + f * layout.size;
    T* HWY_RESTRICT to = signal + f * layout.hop;
    const int64_t inside = std::clamp<int64_t>(layout.samples - f * layout.hop, 0, layout.size);
    int64_t n = 0;
    for (; n + lanes <= inside; n += lanes) {
      hn::StoreU(hn::MulAdd(hn::LoadU(d, from + n), hn::LoadU(d, window + n), hn::LoadU(d, to + n)), d, to + n);
    }
    for (; n < inside; ++n) to[n] += from[n] * window[n];
  }
}

SpectrumDistance CompareFloat(const DistanceWeights& weights, int64_t count, const float* target, float* synth) {
  return Compare(weights, count, target, synth);
}
SpectrumDistance CompareDouble(const DistanceWeights& weights, int64_t count, const double* target, double* synth) {
  return Compare(weights, count, target, synth);
}
void FrameFloat(const Framing& layout, const float* signal, const float* window, float* out) {
  Frame(layout, signal, window, out);
}
void FrameDouble(const Framing& layout, const double* signal, const double* window, double* out) {
  Frame(layout, signal, window, out);
}
void OverlapFloat(const Framing& layout, const float* in, const float* window, float* signal) {
  Overlap(layout, in, window, signal);
}
void OverlapDouble(const Framing& layout, const double* in, const double* window, double* signal) {
  Overlap(layout, in, window, signal);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {
HWY_EXPORT(CompareFloat);
HWY_EXPORT(CompareDouble);
HWY_EXPORT(FrameFloat);
HWY_EXPORT(FrameDouble);
HWY_EXPORT(OverlapFloat);
HWY_EXPORT(OverlapDouble);

SpectrumDistance CompareSpectra(const DistanceWeights& weights, int64_t count, const float* target, float* synth) {
  return HWY_DYNAMIC_DISPATCH(CompareFloat)(weights, count, target, synth);
}
SpectrumDistance CompareSpectra(const DistanceWeights& weights, int64_t count, const double* target, double* synth) {
  return HWY_DYNAMIC_DISPATCH(CompareDouble)(weights, count, target, synth);
}

void FrameSignal(const Framing& layout, const float* signal, const float* window, float* out) {
  HWY_DYNAMIC_DISPATCH(FrameFloat)(layout, signal, window, out);
}
void FrameSignal(const Framing& layout, const double* signal, const double* window, double* out) {
  HWY_DYNAMIC_DISPATCH(FrameDouble)(layout, signal, window, out);
}

void OverlapAddFrames(const Framing& layout, const float* in, const float* window, float* signal) {
  HWY_DYNAMIC_DISPATCH(OverlapFloat)(layout, in, window, signal);
}
void OverlapAddFrames(const Framing& layout, const double* in, const double* window, double* signal) {
  HWY_DYNAMIC_DISPATCH(OverlapDouble)(layout, in, window, signal);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
