#include "core/training/spectrum_compare.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/training/spectrum_compare.cc"
// foreach_target must come first.
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ddsp::training::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vec = hn::Vec<Floats>;

struct Sums {
  Vec magnitude, log_magnitude;
};

// One vector of bins. `arg` is what the logarithm sees.
HWY_INLINE void CompareVector(const DistanceWeights& weights, const float* HWY_RESTRICT target,
                              float* HWY_RESTRICT synth, Sums& sums) {
  const Floats d;
  const Vec zero = hn::Zero(d), floor = hn::Set(d, weights.log_floor), tiny = hn::Set(d, 1e-5f), one = hn::Set(d, 1.0f);
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
  const Vec slope = hn::Add(hn::Set(d, weights.magnitude), hn::Div(hn::Set(d, weights.log_magnitude), s_arg));
  const Vec scale = hn::IfThenElse(s_zero, zero, hn::Div(hn::Mul(sign, slope), s));
  hn::StoreInterleaved2(hn::Mul(sr, scale), hn::Mul(si, scale), d, synth);
}

SpectrumDistance Compare(const DistanceWeights& weights, int64_t count, const float* HWY_RESTRICT target,
                         float* HWY_RESTRICT synth) {
  const Floats d;
  const int64_t lanes = hn::Lanes(d);
  constexpr int64_t kBlock = 4096;  // bins summed in float before they go into the double
  SpectrumDistance total;
  int64_t i = 0;
  while (i + lanes <= count) {
    Sums sums{hn::Zero(d), hn::Zero(d)};
    const int64_t end = std::min(count, i + kBlock);
    for (; i + lanes <= end; i += lanes) CompareVector(weights, target + 2 * i, synth + 2 * i, sums);
    total.magnitude += hn::GetLane(hn::SumOfLanes(d, sums.magnitude));
    total.log_magnitude += hn::GetLane(hn::SumOfLanes(d, sums.log_magnitude));
  }
  if (i < count) {
    HWY_ALIGN float t[2 * hn::MaxLanes(Floats())], s[2 * hn::MaxLanes(Floats())];
    // Equal bins have no distance.
    std::fill(std::begin(t), std::end(t), 1.0f);
    std::fill(std::begin(s), std::end(s), 1.0f);
    std::copy(target + 2 * i, target + 2 * count, t);
    std::copy(synth + 2 * i, synth + 2 * count, s);
    Sums sums{hn::Zero(d), hn::Zero(d)};
    CompareVector(weights, t, s, sums);
    std::copy(s, s + 2 * (count - i), synth + 2 * i);
    total.magnitude += hn::GetLane(hn::SumOfLanes(d, sums.magnitude));
    total.log_magnitude += hn::GetLane(hn::SumOfLanes(d, sums.log_magnitude));
  }
  return total;
}

// `size` is a multiple of 64, the widest vector's 16 floats included.
void Frame(const float* HWY_RESTRICT signal, int64_t length, const float* HWY_RESTRICT window, int64_t size,
           int64_t hop, int64_t frames, float* HWY_RESTRICT out) {
  const Floats d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t f = 0; f < frames; ++f) {
    const float* HWY_RESTRICT from = signal + f * hop;
    float* HWY_RESTRICT to = out + f * size;
    const int64_t inside = std::clamp<int64_t>(length - f * hop, 0, size);
    int64_t n = 0;
    for (; n + lanes <= inside; n += lanes) {
      hn::StoreU(hn::Mul(hn::LoadU(d, from + n), hn::LoadU(d, window + n)), d, to + n);
    }
    for (; n < inside; ++n) to[n] = from[n] * window[n];
    std::fill(to + n, to + size, 0.0f);
  }
}

void Overlap(const float* HWY_RESTRICT in, const float* HWY_RESTRICT window, int64_t size, int64_t hop, int64_t frames,
             int64_t length, float* HWY_RESTRICT signal) {
  const Floats d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t f = 0; f < frames; ++f) {
    const float* HWY_RESTRICT from = in + f * size;
    float* HWY_RESTRICT to = signal + f * hop;
    const int64_t inside = std::clamp<int64_t>(length - f * hop, 0, size);
    int64_t n = 0;
    for (; n + lanes <= inside; n += lanes) {
      hn::StoreU(hn::MulAdd(hn::LoadU(d, from + n), hn::LoadU(d, window + n), hn::LoadU(d, to + n)), d, to + n);
    }
    for (; n < inside; ++n) to[n] += from[n] * window[n];
  }
}

}  // namespace ddsp::training::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::training {
HWY_EXPORT(Compare);
HWY_EXPORT(Frame);
HWY_EXPORT(Overlap);

SpectrumDistance CompareSpectra(const DistanceWeights& weights, int64_t count, const float* target, float* synth) {
  return HWY_DYNAMIC_DISPATCH(Compare)(weights, count, target, synth);
}

void FrameSignal(const float* signal, int64_t length, const float* window, int64_t size, int64_t hop, int64_t frames,
                 float* out) {
  HWY_DYNAMIC_DISPATCH(Frame)(signal, length, window, size, hop, frames, out);
}

void OverlapAdd(const float* in, const float* window, int64_t size, int64_t hop, int64_t frames, int64_t length,
                float* signal) {
  HWY_DYNAMIC_DISPATCH(Overlap)(in, window, size, hop, frames, length, signal);
}

}  // namespace ddsp::training
#endif
