#include "benchmarks/kernels/bank_ceiling.h"

#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "benchmarks/kernels/bank_ceiling.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Vec = hn::Vec<Floats>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));

// Good to 1e-4 for |x| <= pi.
HWY_INLINE Vec CheapSine(Vec x) {
  const Floats d;
  const Vec z = hn::Mul(x, x);
  Vec p = hn::Set(d, -2.1e-8f);
  p = hn::MulAdd(p, z, hn::Set(d, 2.7e-6f));
  p = hn::MulAdd(p, z, hn::Set(d, -1.984e-4f));
  p = hn::MulAdd(p, z, hn::Set(d, 8.3333e-3f));
  p = hn::MulAdd(p, z, hn::Set(d, -0.166667f));
  return hn::MulAdd(hn::Mul(p, z), x, x);
}

// The samples from `start` on of a frame whose phases, in [-pi, pi), are given.
template <int kVectors>
HWY_INLINE void Group(const float* HWY_RESTRICT phase, const float* HWY_RESTRICT a0, const float* HWY_RESTRICT a1,
                      int harmonics, int start, float* HWY_RESTRICT audio) {
  const Floats d;
  Vec twice_cosine[kVectors], last[kVectors], sine[kVectors], sum0[kVectors], sum1[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const Vec x = hn::LoadU(d, phase + start + v * kLanes);
    const Vec turned = hn::Add(x, hn::Set(d, std::numbers::pi_v<float> / 2));
    const Vec wrapped = hn::IfThenElse(hn::Gt(turned, hn::Set(d, std::numbers::pi_v<float>)),
                                       hn::Sub(turned, hn::Set(d, 2 * std::numbers::pi_v<float>)), turned);
    twice_cosine[v] = hn::Mul(hn::Set(d, 2.0f), CheapSine(wrapped));
    sine[v] = CheapSine(x);
    last[v] = sum0[v] = sum1[v] = hn::Zero(d);
  }
  for (int k = 0; k < harmonics; ++k) {
    const Vec b0 = hn::Set(d, a0[k]), b1 = hn::Set(d, a1[k]);
    for (int v = 0; v < kVectors; ++v) {
      sum0[v] = hn::MulAdd(b0, sine[v], sum0[v]);
      sum1[v] = hn::MulAdd(b1, sine[v], sum1[v]);
      const Vec next = hn::MulSub(twice_cosine[v], sine[v], last[v]);
      last[v] = sine[v];
      sine[v] = next;
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    const Vec share = hn::Mul(hn::Iota(d, static_cast<float>(start + v * kLanes)), hn::Set(d, 1.0f / kCeilingHop));
    hn::StoreU(hn::MulAdd(hn::Sub(sum1[v], sum0[v]), share, sum0[v]), d, audio + start + v * kLanes);
  }
}

template <int kVectors>
HWY_INLINE void Frame(const float* phase, const float* a0, const float* a1, int harmonics, float* audio) {
  static_assert(kCeilingHop % (kVectors * kLanes) == 0);
  for (int start = 0; start < kCeilingHop; start += kVectors * kLanes) {
    Group<kVectors>(phase, a0, a1, harmonics, start, audio);
  }
}

void CeilingFrame(const float* phase, const float* a0, const float* a1, int harmonics, int vectors, float* audio) {
  switch (vectors) {
    case 1:
      return Frame<1>(phase, a0, a1, harmonics, audio);
    case 2:
      return Frame<2>(phase, a0, a1, harmonics, audio);
    default:
      return Frame<4>(phase, a0, a1, harmonics, audio);
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(CeilingFrame);

void BankCeiling(const float* f0_hz, const float* amplitudes, int64_t frames, int harmonics, int vectors,
                 float* audio) {
  double cycles = 0;
  for (int64_t frame = 0; frame < frames; ++frame, amplitudes += harmonics, audio += kCeilingHop) {
    float phase[kCeilingHop];
    const double from = f0_hz[frame] / 16000.0, slope = (f0_hz[frame + 1] / 16000.0 - from) / kCeilingHop;
    for (int n = 0; n < kCeilingHop; ++n) {
      cycles += from + slope * n;
      phase[n] = static_cast<float>((cycles - std::floor(cycles + 0.5)) * 2 * std::numbers::pi);
    }
    cycles -= std::floor(cycles);
    HWY_DYNAMIC_DISPATCH(CeilingFrame)(phase, amplitudes, amplitudes + harmonics, harmonics, vectors, audio);
  }
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
