#include "core/kernels/exact_harmonic_bank.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ddsp::kernels {
namespace {

constexpr int kGroup = 16;  // samples that go through the harmonics together: whole vectors on any machine

// f(k theta), k = 1, 2, ..., for f = sin or cos, in the samples of a group: f_{k+1} = 2 cos(theta) f_k - f_{k-1}. In
// double its error, which grows like k / theta, stays below 1e-11 for any pitch of a signal.
struct Recurrence {
  double now[kGroup], before[kGroup], twice_cos[kGroup];

  static Recurrence Sines(const double* cycles) {
    Recurrence r;
    for (int i = 0; i < kGroup; ++i) {
      const double angle = 2 * std::numbers::pi * cycles[i];
      r.now[i] = std::sin(angle);
      r.before[i] = 0;
      r.twice_cos[i] = 2 * std::cos(angle);
    }
    return r;
  }
  static Recurrence Cosines(const double* cycles) {
    Recurrence r = Sines(cycles);
    for (int i = 0; i < kGroup; ++i) {
      r.now[i] = r.twice_cos[i] / 2;
      r.before[i] = 1;
    }
    return r;
  }
  void Next() {
    for (int i = 0; i < kGroup; ++i) {
      const double next = twice_cos[i] * now[i] - before[i];
      before[i] = now[i];
      now[i] = next;
    }
  }
};

}  // namespace

template <typename T>
struct ExactHarmonicBank<T>::Group {
  int64_t frame, next_frame;  // at both ends of the hop
  int begin, count;           // samples of the hop
  double cycles[kGroup];      // phase
  double ramp[kGroup];
  double audible[kGroup];  // harmonics below Nyquist; 0 beyond count
  int most_audible;
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
    for (int begin = 0; begin < options_.hop; begin += kGroup) {
      Group group{t, next, begin, std::min(kGroup, options_.hop - begin), {}, {}, {}, 0};
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

template <typename T>
void ExactHarmonicBank<T>::Render(const T* f0_hz, const T* amplitudes, int64_t frames, T* audio) const {
  ForEachGroup(f0_hz, frames, [&](const Group& group) {
    const T* from = amplitudes + group.frame * options_.harmonics;
    const T* to = amplitudes + group.next_frame * options_.harmonics;
    Recurrence sine = Recurrence::Sines(group.cycles);
    double sum[kGroup] = {};
    for (int k = 0; k < group.most_audible; ++k, sine.Next()) {
      const double a = from[k], step = static_cast<double>(to[k]) - a;
      for (int i = 0; i < kGroup; ++i) sum[i] += k < group.audible[i] ? (a + step * group.ramp[i]) * sine.now[i] : 0;
    }
    std::copy_n(sum, group.count, audio + group.frame * options_.hop + group.begin);
  });
}

template <typename T>
void ExactHarmonicBank<T>::AmplitudeGradient(const T* f0_hz, const T* d_audio, int64_t frames, T* d_amplitudes) const {
  std::vector<double> now(options_.harmonics), next(options_.harmonics);  // sums for the frames around the hop
  std::fill_n(d_amplitudes, frames * options_.harmonics, T{0});
  ForEachGroup(f0_hz, frames, [&](const Group& group) {
    const T* d = d_audio + group.frame * options_.hop + group.begin;
    double d_from[kGroup] = {}, d_to[kGroup] = {};
    for (int i = 0; i < group.count; ++i) {
      d_to[i] = d[i] * group.ramp[i];
      d_from[i] = d[i] - d_to[i];
    }
    Recurrence sine = Recurrence::Sines(group.cycles);
    for (int k = 0; k < group.most_audible; ++k, sine.Next()) {
      double from = 0, to = 0;
      for (int i = 0; i < kGroup; ++i) {
        const double heard = k < group.audible[i] ? sine.now[i] : 0;
        from += d_from[i] * heard;
        to += d_to[i] * heard;
      }
      now[k] += from;
      next[k] += to;
    }
    if (group.begin + group.count < options_.hop) return;
    for (int k = 0; k < options_.harmonics; ++k) {
      d_amplitudes[group.frame * options_.harmonics + k] += static_cast<T>(now[k]);
      d_amplitudes[group.next_frame * options_.harmonics + k] += static_cast<T>(next[k]);
      now[k] = next[k] = 0;
    }
  });
}

// A sample's frequency moves the phase of all samples from there on, so the gradient of the phase is summed from the end.
template <typename T>
void ExactHarmonicBank<T>::PitchGradient(const T* f0_hz, const T* amplitudes, const T* d_audio, int64_t frames,
                                         T* d_f0_hz) const {
  const int hop = options_.hop;
  std::vector<double> d_phase(frames * hop);  // radians
  ForEachGroup(f0_hz, frames, [&](const Group& group) {
    const T* from = amplitudes + group.frame * options_.harmonics;
    const T* to = amplitudes + group.next_frame * options_.harmonics;
    Recurrence cosine = Recurrence::Cosines(group.cycles);
    double sum[kGroup] = {};
    for (int k = 0; k < group.most_audible; ++k, cosine.Next()) {
      const double a = from[k], step = static_cast<double>(to[k]) - a;
      for (int i = 0; i < kGroup; ++i) {
        sum[i] += k < group.audible[i] ? (k + 1) * (a + step * group.ramp[i]) * cosine.now[i] : 0;
      }
    }
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
