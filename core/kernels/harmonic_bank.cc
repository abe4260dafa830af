#include "core/kernels/harmonic_bank.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hwy/aligned_allocator.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/harmonic_bank.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

// Everything that one hop needs besides its amplitudes; shared by the targets.
#ifndef DDSP_CORE_KERNELS_HARMONIC_BANK_HOP_
#define DDSP_CORE_KERNELS_HARMONIC_BANK_HOP_
namespace ddsp::kernels {
struct HopPitch {
  double phase, f0_from, f0_slope;  // cycles, cycles per sample, cycles per sample per sample
  double hz_per_cycle;              // the sample rate
  float nyquist_hz;
};
constexpr int kMaxGroup = 64;  // samples that go through the harmonics together, on the widest target
}  // namespace ddsp::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vec = hn::Vec<Floats>;

// Vectors of samples that go through the harmonics together. One harmonic costs a vector 3 FMA and 1 addition and the
// recurrence has a latency of 7 cycles, so 4 keep two FMA units busy; 4 need 30 registers, and 16-register machines
// spill sums without loss.
constexpr int kUnroll = 4;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));
constexpr int kGroup = kUnroll * kLanes;
static_assert(kGroup <= kMaxGroup);

// sin(k theta), k = 1, 2, ..., by Reinsch's form of the Chebyshev recurrence: s += d -= alpha s, alpha = 4 sin(theta /
// 2)^2. Its error grows like k near theta = 0, where the plain form (2 cos(theta) s - s_previous) fails like k / theta.
// Near pi both fail, so theta is folded to within [-pi/2, pi/2]: theta = folded + pi makes sin(k theta) = (-1)^k sin(k
// folded). Re-seeding the plain form every 16 harmonics reaches the same accuracy at 1.5 times the cost.
struct Group {
  Vec alpha[kUnroll], sine[kUnroll], sign[kUnroll];  // sign: -1 where folded, for odd k
  Vec f0_hz[kUnroll];
  int unmasked, audible;  // harmonics below Nyquist in all samples, in some sample
};

// alpha and sine of half a vector of phases in cycles, in double: their rounding is all that the recurrence multiplies
// by k.
template <class D, class V = hn::Vec<D>>
HWY_INLINE void Seed(D d, V phase, V& alpha, V& sine, V& sign) {
  const V half_turns = hn::Round(hn::Add(phase, phase));
  const V half = hn::Mul(half_turns, hn::Set(d, 0.5));
  const V x = hn::Sub(phase, half);  // [-0.25, 0.25]
  sign = hn::NegMulAdd(hn::Set(d, 4.0), hn::Sub(half, hn::Floor(half)), hn::Set(d, 1.0));
  // Taylor series; the first terms left out are below 5e-10 of the result.
  constexpr double kTau2 = 4 * std::numbers::pi * std::numbers::pi;
  const V z = hn::Mul(hn::Mul(x, x), hn::Set(d, kTau2));
  V p = hn::Set(d, 1.0 / 6227020800);
  p = hn::MulAdd(p, z, hn::Set(d, -1.0 / 39916800));
  p = hn::MulAdd(p, z, hn::Set(d, 1.0 / 362880));
  p = hn::MulAdd(p, z, hn::Set(d, -1.0 / 5040));
  p = hn::MulAdd(p, z, hn::Set(d, 1.0 / 120));
  p = hn::MulAdd(p, z, hn::Set(d, -1.0 / 6));
  p = hn::MulAdd(p, z, hn::Set(d, 1.0));
  sine = hn::Mul(hn::Mul(x, hn::Set(d, 2 * std::numbers::pi)), p);
  V q = hn::Set(d, 2.0 / 87178291200);
  q = hn::MulAdd(q, z, hn::Set(d, -2.0 / 479001600));
  q = hn::MulAdd(q, z, hn::Set(d, 2.0 / 3628800));
  q = hn::MulAdd(q, z, hn::Set(d, -2.0 / 40320));
  q = hn::MulAdd(q, z, hn::Set(d, 2.0 / 720));
  q = hn::MulAdd(q, z, hn::Set(d, -2.0 / 24));
  q = hn::MulAdd(q, z, hn::Set(d, 1.0));
  alpha = hn::Mul(z, q);
}

HWY_INLINE int HarmonicsBelow(float nyquist_hz, float f0_hz, int harmonics) {
  if (!(harmonics * f0_hz >= nyquist_hz)) return harmonics;
  int count = std::min(static_cast<int>(std::min(nyquist_hz / f0_hz, 1e6f)) + 1, harmonics);
  while (count > 0 && count * f0_hz >= nyquist_hz) --count;
  return count;
}

// The samples start .. start + kGroup of a hop.
HWY_INLINE void MakeGroup(const HopPitch& pitch, int start, int harmonics, Group& group) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> dh;
  constexpr int kHalf = static_cast<int>(hn::MaxLanes(d));
  HWY_ALIGN float alpha[kGroup], sine[kGroup], sign[kGroup], f0_hz[kGroup];
  const auto slope = hn::Set(d, pitch.f0_slope), from = hn::Set(d, pitch.f0_from), phase = hn::Set(d, pitch.phase);
  const auto rate = hn::Set(d, pitch.hz_per_cycle);
  for (int i = 0; i < kGroup; i += kHalf) {
    const auto m = hn::Iota(d, start + i);
    const auto count = hn::Add(m, hn::Set(d, 1.0));
    const auto mean_slope = hn::MulAdd(hn::Mul(m, hn::Set(d, 0.5)), slope, from);  // mean of f0 over samples 0..m
    hn::Vec<decltype(d)> a, s, g;
    Seed(d, hn::MulAdd(count, mean_slope, phase), a, s, g);
    hn::Store(hn::DemoteTo(dh, a), dh, alpha + i);
    hn::Store(hn::DemoteTo(dh, s), dh, sine + i);
    hn::Store(hn::DemoteTo(dh, g), dh, sign + i);
    hn::Store(hn::DemoteTo(dh, hn::Mul(rate, hn::MulAdd(m, slope, from))), dh, f0_hz + i);
  }
  const Floats df;
  for (int j = 0; j < kUnroll; ++j) {
    group.alpha[j] = hn::Load(df, alpha + j * kLanes);
    group.sine[j] = hn::Load(df, sine + j * kLanes);
    group.sign[j] = hn::Load(df, sign + j * kLanes);
    group.f0_hz[j] = hn::Load(df, f0_hz + j * kLanes);
  }
  const float first = f0_hz[0], last = f0_hz[kGroup - 1];
  group.unmasked = HarmonicsBelow(pitch.nyquist_hz, std::max(first, last), harmonics);
  group.audible = HarmonicsBelow(pitch.nyquist_hz, std::min(first, last), harmonics);
}

void Hop(const HarmonicBank::Options& options, const HarmonicFrame& from, const HarmonicFrame& to,
         const HopPitch& pitch, const float* HWY_RESTRICT ramp, float* HWY_RESTRICT out) {
  const Floats d;
  const float* HWY_RESTRICT a0 = from.amplitudes;
  const float* HWY_RESTRICT a1 = to.amplitudes;
  const Vec zero = hn::Zero(d);
  for (int start = 0; start < options.hop; start += kGroup) {
    Group group;
    MakeGroup(pitch, start, options.harmonics, group);
    // Sums over odd and even harmonics apart: the sign of a folded phase concerns the odd ones.
    Vec odd0[kUnroll], odd1[kUnroll], even0[kUnroll], even1[kUnroll], s[kUnroll], delta[kUnroll];
    for (int j = 0; j < kUnroll; ++j) {
      odd0[j] = odd1[j] = even0[j] = even1[j] = zero;
      s[j] = delta[j] = group.sine[j];
    }
    int k = 0;  // harmonic number k + 1
    for (; k + 1 < group.unmasked; k += 2) {
      const Vec b0 = hn::Set(d, a0[k]), b1 = hn::Set(d, a1[k]);
      for (int j = 0; j < kUnroll; ++j) {
        odd0[j] = hn::MulAdd(b0, s[j], odd0[j]);
        odd1[j] = hn::MulAdd(b1, s[j], odd1[j]);
        delta[j] = hn::NegMulAdd(group.alpha[j], s[j], delta[j]);
        s[j] = hn::Add(s[j], delta[j]);
      }
      const Vec c0 = hn::Set(d, a0[k + 1]), c1 = hn::Set(d, a1[k + 1]);
      for (int j = 0; j < kUnroll; ++j) {
        even0[j] = hn::MulAdd(c0, s[j], even0[j]);
        even1[j] = hn::MulAdd(c1, s[j], even1[j]);
        delta[j] = hn::NegMulAdd(group.alpha[j], s[j], delta[j]);
        s[j] = hn::Add(s[j], delta[j]);
      }
    }
    for (; k < group.audible; ++k) {
      const Vec b0 = hn::Set(d, a0[k]), b1 = hn::Set(d, a1[k]);
      const Vec number = hn::Set(d, static_cast<float>(k + 1)), nyquist = hn::Set(d, pitch.nyquist_hz);
      for (int j = 0; j < kUnroll; ++j) {
        const Vec heard = hn::IfThenElseZero(hn::Lt(hn::Mul(number, group.f0_hz[j]), nyquist), s[j]);
        Vec& sum0 = k % 2 == 0 ? odd0[j] : even0[j];
        Vec& sum1 = k % 2 == 0 ? odd1[j] : even1[j];
        sum0 = hn::MulAdd(b0, heard, sum0);
        sum1 = hn::MulAdd(b1, heard, sum1);
        delta[j] = hn::NegMulAdd(group.alpha[j], s[j], delta[j]);
        s[j] = hn::Add(s[j], delta[j]);
      }
    }
    HWY_ALIGN float audio[kGroup];
    const int count = std::min(kGroup, options.hop - start);
    for (int j = 0; j < kUnroll; ++j) {
      const Vec y0 = hn::MulAdd(group.sign[j], odd0[j], even0[j]), y1 = hn::MulAdd(group.sign[j], odd1[j], even1[j]);
      const Vec r = hn::LoadU(d, ramp + start + j * kLanes);
      const Vec y = hn::MulAdd(hn::Sub(y1, y0), r, y0);
      if (count == kGroup) {
        hn::StoreU(y, d, out + start + j * kLanes);
      } else {
        hn::Store(y, d, audio + j * kLanes);
      }
    }
    if (count < kGroup) std::copy(audio, audio + count, out + start);
  }
}

// Adds the gradients of one hop to sums [harmonics, 2, kLanes]: for `from` and for `to`, spread over lanes.
void HopBackward(const HarmonicBank::Options& options, const HopPitch& pitch, const float* HWY_RESTRICT ramp,
                 const float* HWY_RESTRICT d_audio, float* HWY_RESTRICT sums) {
  const Floats d;
  const Vec zero = hn::Zero(d);
  for (int start = 0; start < options.hop; start += kGroup) {
    Group group;
    MakeGroup(pitch, start, options.harmonics, group);
    HWY_ALIGN float gradient[kGroup] = {};
    std::copy_n(d_audio + start, std::min(kGroup, options.hop - start), gradient);
    Vec from[2][kUnroll], to[2][kUnroll], s[kUnroll], delta[kUnroll];  // weights of even and odd harmonics
    for (int j = 0; j < kUnroll; ++j) {
      const Vec g = hn::Load(d, gradient + j * kLanes);
      to[0][j] = hn::Mul(g, hn::LoadU(d, ramp + start + j * kLanes));
      from[0][j] = hn::Sub(g, to[0][j]);
      to[1][j] = hn::Mul(group.sign[j], to[0][j]);
      from[1][j] = hn::Mul(group.sign[j], from[0][j]);
      s[j] = delta[j] = group.sine[j];
    }
    const Vec nyquist = hn::Set(d, pitch.nyquist_hz);
    const auto accumulate = [&](int k, const Vec* HWY_RESTRICT sine) HWY_ATTR {
      const int odd = (k + 1) % 2;
      float* HWY_RESTRICT sum = sums + k * 2 * kLanes;
      Vec sum_from = hn::Load(d, sum), sum_to = hn::Load(d, sum + kLanes);
      for (int j = 0; j < kUnroll; ++j) {
        sum_from = hn::MulAdd(from[odd][j], sine[j], sum_from);
        sum_to = hn::MulAdd(to[odd][j], sine[j], sum_to);
      }
      hn::Store(sum_from, d, sum);
      hn::Store(sum_to, d, sum + kLanes);
      for (int j = 0; j < kUnroll; ++j) {
        delta[j] = hn::NegMulAdd(group.alpha[j], s[j], delta[j]);
        s[j] = hn::Add(s[j], delta[j]);
      }
    };
    int k = 0;
    for (; k < group.unmasked; ++k) accumulate(k, s);
    for (; k < group.audible; ++k) {
      const Vec number = hn::Set(d, static_cast<float>(k + 1));
      Vec heard[kUnroll];
      for (int j = 0; j < kUnroll; ++j) {
        heard[j] = hn::IfThenElse(hn::Lt(hn::Mul(number, group.f0_hz[j]), nyquist), s[j], zero);
      }
      accumulate(k, heard);
    }
  }
}

// Adds the sums of one hop over lanes to d_from and d_to [harmonics] and clears them.
void ReduceSums(int harmonics, float* HWY_RESTRICT sums, float* HWY_RESTRICT d_from, float* HWY_RESTRICT d_to) {
  const Floats d;
  for (int k = 0; k < harmonics; ++k, sums += 2 * kLanes) {
    d_from[k] += hn::GetLane(hn::SumOfLanes(d, hn::Load(d, sums)));
    d_to[k] += hn::GetLane(hn::SumOfLanes(d, hn::Load(d, sums + kLanes)));
    hn::Store(hn::Zero(d), d, sums);
    hn::Store(hn::Zero(d), d, sums + kLanes);
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(Hop);
HWY_EXPORT(HopBackward);
HWY_EXPORT(ReduceSums);

namespace {

HopPitch MakePitch(const HarmonicBank::Options& options, float from_hz, float to_hz, double phase) {
  const double rate = options.sample_rate_hz;
  return {phase, from_hz / rate, (static_cast<double>(to_hz) - from_hz) / options.hop / rate, rate,
          static_cast<float>(rate / 2)};
}

double PhaseAfterHop(const HopPitch& pitch, int hop) {
  const double phase = pitch.phase + hop * (pitch.f0_from + pitch.f0_slope * 0.5 * (hop - 1));
  return std::isfinite(phase) ? phase - std::floor(phase) : 0;  // one bad frame does not silence a voice for ever
}

}  // namespace

HarmonicBank::HarmonicBank(const Options& options) : options_(options) {
  ramp_.resize(options_.hop + kMaxGroup);
  for (int m = 0; m < options_.hop; ++m) {
    const double linear = static_cast<double>(m) / options_.hop;
    ramp_[m] = options_.ramp == AmplitudeRamp::kLinear ? linear : 0.5 - 0.5 * std::cos(std::numbers::pi * linear);
  }
}

void HarmonicBank::Hop(const HarmonicFrame& from, const HarmonicFrame& to, double& phase_cycles, float* out) const {
  const HopPitch pitch = MakePitch(options_, from.f0_hz, to.f0_hz, phase_cycles);
  HWY_DYNAMIC_DISPATCH(Hop)(options_, from, to, pitch, ramp_.data(), out);
  phase_cycles = PhaseAfterHop(pitch, options_.hop);
}

void HarmonicBank::Render(const float* f0_hz, const float* amplitudes, int64_t frames, double& phase_cycles,
                          float* audio) const {
  for (int64_t t = 0; t < frames; ++t) {
    const int64_t next = std::min(t + 1, frames - 1);
    Hop({f0_hz[t], amplitudes + t * options_.harmonics}, {f0_hz[next], amplitudes + next * options_.harmonics},
        phase_cycles, audio + t * options_.hop);
  }
}

void HarmonicBank::Backward(const float* f0_hz, const float* d_audio, int64_t frames, float* d_amplitudes) const {
  const int64_t harmonics = options_.harmonics;
  const auto sums = hwy::AllocateAligned<float>(harmonics * 2 * kMaxGroup);
  std::fill_n(sums.get(), harmonics * 2 * kMaxGroup, 0.0f);
  std::fill_n(d_amplitudes, frames * harmonics, 0.0f);
  double phase = 0;
  for (int64_t t = 0; t < frames; ++t) {
    const int64_t next = std::min(t + 1, frames - 1);
    const HopPitch pitch = MakePitch(options_, f0_hz[t], f0_hz[next], phase);
    HWY_DYNAMIC_DISPATCH(HopBackward)(options_, pitch, ramp_.data(), d_audio + t * options_.hop, sums.get());
    HWY_DYNAMIC_DISPATCH(ReduceSums)
    (options_.harmonics, sums.get(), d_amplitudes + t * harmonics, d_amplitudes + next * harmonics);
    phase = PhaseAfterHop(pitch, options_.hop);
  }
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
