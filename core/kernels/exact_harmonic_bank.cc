#include "core/kernels/exact_harmonic_bank.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/exact_harmonic_bank.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

// What the loops over harmonics see of a group of samples; shared by the targets.
#ifndef DDSP_CORE_KERNELS_EXACT_HARMONIC_BANK_GROUP_
#define DDSP_CORE_KERNELS_EXACT_HARMONIC_BANK_GROUP_
namespace ddsp::kernels {
constexpr int kExactGroup = 16;  // samples that go through the harmonics together: whole vectors on any machine

struct ExactGroup {
  alignas(64) double cycles[kExactGroup];   // phase
  alignas(64) double ramp[kExactGroup];     // from the frame before to the frame after
  alignas(64) double audible[kExactGroup];  // harmonics below Nyquist
  int most_audible;
};

// sum_k a_k sin(k theta), and its derivative with respect to theta.
enum class Wave : int { kSines, kSlopes };
}  // namespace ddsp::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, kExactGroup>;
using Vec = hn::Vec<Doubles>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Doubles()));
constexpr int kVectors = kExactGroup / kLanes;

// sin(k theta) or cos(k theta), k = 1, 2, ...: f_{k+1} = 2 cos(theta) f_k - f_{k-1}. In double its error, which grows
// like k / theta, stays below 1e-11 for any pitch of a signal.
struct Recurrence {
  Vec now[kVectors], before[kVectors], twice_cos[kVectors];

  HWY_INLINE void Next() {
    for (int v = 0; v < kVectors; ++v) {
      const Vec next = hn::MulSub(twice_cos[v], now[v], before[v]);
      before[v] = now[v];
      now[v] = next;
    }
  }
};

HWY_INLINE void Begin(const ExactGroup& group, Wave wave, Recurrence& r) {
  const Doubles d;
  alignas(64) double sine[kExactGroup], cosine[kExactGroup];
  for (int i = 0; i < kExactGroup; ++i) {
    const double angle = 2 * std::numbers::pi * group.cycles[i];
    sine[i] = std::sin(angle);
    cosine[i] = std::cos(angle);
  }
  for (int v = 0; v < kVectors; ++v) {
    const Vec c = hn::Load(d, cosine + v * kLanes);
    r.now[v] = wave == Wave::kSines ? hn::Load(d, sine + v * kLanes) : c;
    r.before[v] = wave == Wave::kSines ? hn::Zero(d) : hn::Set(d, 1.0);
    r.twice_cos[v] = hn::Add(c, c);
  }
}

// sum [kExactGroup] of the harmonics whose amplitudes go from `from` to `to`.
void SumHarmonics(const ExactGroup& group, Wave wave, const double* HWY_RESTRICT from, const double* HWY_RESTRICT to,
                  double* HWY_RESTRICT sum) {
  const Doubles d;
  Recurrence r;
  Begin(group, wave, r);
  Vec total[kVectors];
  for (int v = 0; v < kVectors; ++v) total[v] = hn::Zero(d);
  for (int k = 0; k < group.most_audible; ++k) {
    const double weight = wave == Wave::kSines ? 1 : k + 1;
    const Vec a = hn::Set(d, weight * from[k]), step = hn::Set(d, weight * (to[k] - from[k]));
    const Vec number = hn::Set(d, static_cast<double>(k));
    for (int v = 0; v < kVectors; ++v) {
      const Vec amplitude = hn::MulAdd(step, hn::Load(d, group.ramp + v * kLanes), a);
      const auto heard = hn::Lt(number, hn::Load(d, group.audible + v * kLanes));
      total[v] = hn::MulAdd(amplitude, hn::IfThenElseZero(heard, r.now[v]), total[v]);
    }
    r.Next();
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(total[v], d, sum + v * kLanes);
}

// Adds the gradients of the amplitudes at both ends, given that of the audio [kExactGroup].
void AddAmplitudeGradients(const ExactGroup& group, const double* HWY_RESTRICT d_audio, double* HWY_RESTRICT d_from,
                           double* HWY_RESTRICT d_to) {
  const Doubles d;
  Recurrence r;
  Begin(group, Wave::kSines, r);
  for (int k = 0; k < group.most_audible; ++k) {
    const Vec number = hn::Set(d, static_cast<double>(k));
    Vec all = hn::Zero(d), late = hn::Zero(d);
    for (int v = 0; v < kVectors; ++v) {
      const auto heard = hn::Lt(number, hn::Load(d, group.audible + v * kLanes));
      const Vec product = hn::IfThenElseZero(heard, hn::Mul(hn::LoadU(d, d_audio + v * kLanes), r.now[v]));
      all = hn::Add(all, product);
      late = hn::MulAdd(product, hn::Load(d, group.ramp + v * kLanes), late);
    }
    const double to = hn::GetLane(hn::SumOfLanes(d, late));
    d_to[k] += to;
    d_from[k] += hn::GetLane(hn::SumOfLanes(d, all)) - to;
    r.Next();
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(SumHarmonics);
HWY_EXPORT(AddAmplitudeGradients);

template <typename T>
struct ExactHarmonicBank<T>::Group : ExactGroup {
  int64_t frame, next_frame;  // at both ends of the hop
  int begin, count;           // samples of the hop
};

template <typename T>
ExactHarmonicBank<T>::ExactHarmonicBank(const HarmonicBank::Options& options) : options_(options) {
  for (int m = 0; m < options.hop; ++m) {
    const double linear = static_cast<double>(m) / options.hop;
    ramp_.push_back(options.ramp == AmplitudeRamp::kLinear ? linear : 0.5 - 0.5 * std::cos(std::numbers::pi * linear));
  }
}

template <typename T>
template <typename Visit>
void ExactHarmonicBank<T>::ForEachGroup(const T* f0_hz, int64_t frames, Visit visit) const {
  double phase = 0;
  for (int64_t t = 0; t < frames; ++t) {
    const int64_t next = std::min(t + 1, frames - 1);
    const double from = f0_hz[t], slope = (static_cast<double>(f0_hz[next]) - from) / options_.hop;
    for (int begin = 0; begin < options_.hop; begin += kExactGroup) {
      Group group = {};
      group.frame = t;
      group.next_frame = next;
      group.begin = begin;
      group.count = std::min(kExactGroup, options_.hop - begin);
      for (int i = 0; i < group.count; ++i) {
        const double hz = from + slope * (begin + i);
        phase += hz / options_.sample_rate_hz;
        phase -= std::floor(phase);
        group.cycles[i] = phase;
        group.ramp[i] = ramp_[begin + i];
        const double below = std::ceil(options_.sample_rate_hz / 2 / hz) - 1;  // k hz < nyquist
        group.audible[i] = hz > 0 ? std::clamp<double>(below, 0, options_.harmonics) : options_.harmonics;
        group.most_audible = std::max(group.most_audible, static_cast<int>(group.audible[i]));
      }
      visit(group);
    }
  }
}

// Calls use(group, sums of the harmonics) for all groups.
template <typename T>
template <typename Use>
void ExactHarmonicBank<T>::ForEachSum(const T* f0_hz, const T* amplitudes, int64_t frames, Wave wave, Use use) const {
  std::vector<double> from(options_.harmonics), to(options_.harmonics);
  ForEachGroup(f0_hz, frames, [&](const Group& group) {
    if (group.begin == 0) {
      std::copy_n(amplitudes + group.frame * options_.harmonics, options_.harmonics, from.begin());
      std::copy_n(amplitudes + group.next_frame * options_.harmonics, options_.harmonics, to.begin());
    }
    double sum[kExactGroup];
    HWY_DYNAMIC_DISPATCH(SumHarmonics)(group, wave, from.data(), to.data(), sum);
    use(group, sum);
  });
}

template <typename T>
void ExactHarmonicBank<T>::Render(const T* f0_hz, const T* amplitudes, int64_t frames, T* audio) const {
  ForEachSum(f0_hz, amplitudes, frames, Wave::kSines, [&](const Group& group, const double* sum) {
    std::copy_n(sum, group.count, audio + group.frame * options_.hop + group.begin);
  });
}

template <typename T>
void ExactHarmonicBank<T>::AmplitudeGradient(const T* f0_hz, const T* d_audio, int64_t frames, T* d_amplitudes) const {
  const int64_t harmonics = options_.harmonics;
  std::vector<double> from(harmonics), to(harmonics);  // sums for the frames around the hop
  std::fill_n(d_amplitudes, frames * harmonics, T{0});
  ForEachGroup(f0_hz, frames, [&](const Group& group) {
    double d[kExactGroup] = {};
    std::copy_n(d_audio + group.frame * options_.hop + group.begin, group.count, d);
    HWY_DYNAMIC_DISPATCH(AddAmplitudeGradients)(group, d, from.data(), to.data());
    if (group.begin + group.count < options_.hop) return;
    for (int64_t k = 0; k < harmonics; ++k) {
      d_amplitudes[group.frame * harmonics + k] += static_cast<T>(from[k]);
      d_amplitudes[group.next_frame * harmonics + k] += static_cast<T>(to[k]);
      from[k] = to[k] = 0;
    }
  });
}

// A sample's frequency moves the phase of all samples from there on, so the gradient of the phase is summed from the
// end.
template <typename T>
void ExactHarmonicBank<T>::PitchGradient(const T* f0_hz, const T* amplitudes, const T* d_audio, int64_t frames,
                                         T* d_f0_hz) const {
  const int hop = options_.hop;
  std::vector<double> d_phase(frames * hop);  // radians
  ForEachSum(f0_hz, amplitudes, frames, Wave::kSlopes, [&](const Group& group, const double* sum) {
    const int64_t at = group.frame * hop + group.begin;
    for (int i = 0; i < group.count; ++i) d_phase[at + i] = sum[i] * d_audio[at + i];
  });
  std::vector<double> gradient(frames);
  double later = 0;  // of the samples from here on
  for (int64_t n = frames * hop - 1; n >= 0; --n) {
    later += d_phase[n];
    const double along = static_cast<double>(n % hop) / hop;
    gradient[n / hop] += later * (1 - along);
    gradient[std::min(n / hop + 1, frames - 1)] += later * along;
  }
  for (int64_t t = 0; t < frames; ++t) {
    d_f0_hz[t] = static_cast<T>(gradient[t] * 2 * std::numbers::pi / options_.sample_rate_hz);
  }
}

template class ExactHarmonicBank<float>;
template class ExactHarmonicBank<double>;

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
