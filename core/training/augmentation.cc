#include "core/training/augmentation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/kernels/noise.h"
#include "core/streaming/frame_between.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

constexpr float kFloorDb = -80;  // of the extractor's levels: silence, which no gain lifts
// Band-limited interpolation by a windowed sinc, tabulated for so many places between two samples: aliases and errors
// are 60 dB down, the top 6 % of the band is given up.
constexpr int64_t kPlaces = 256;
constexpr int64_t kZeroCrossings = 32;  // on each side
constexpr int64_t kLanes = 8;           // sums that do not wait for each other
constexpr double kPassed = 0.94, kKaiserBeta = 6;

// Weights [kPlaces + 1, 2 half] of the samples around each place. Cut-off as a share of Nyquist's frequency.
std::vector<float> InterpolationTable(double cutoff, int64_t half) {
  std::vector<float> table((kPlaces + 1) * 2 * half);
  for (int64_t place = 0; place <= kPlaces; ++place) {
    float* row = &table[place * 2 * half];
    double sum = 0;
    for (int64_t tap = 0; tap < 2 * half; ++tap) {
      const double t = static_cast<double>(tap - half + 1) - static_cast<double>(place) / kPlaces;
      const double u = t / static_cast<double>(half), x = std::numbers::pi * kPassed * cutoff * t;
      const double window = std::cyl_bessel_i(0, kKaiserBeta * std::sqrt(std::max(0.0, 1 - u * u)));
      row[tap] = static_cast<float>((x == 0 ? 1 : std::sin(x) / x) * window);
      sum += row[tap];
    }
    for (int64_t tap = 0; tap < 2 * half; ++tap) row[tap] = static_cast<float>(row[tap] / sum);
  }
  return table;
}

float Dot(const float* a, const float* b, int64_t size) {
  float sums[kLanes] = {};
  for (int64_t i = 0; i < size; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

// `count` samples from `begin` on, read at `speed` times the pace.
std::vector<float> Play(const SharedArray<float>& from, int64_t begin, int64_t count, double speed) {
  const double cutoff = std::min(1.0, 1 / speed);
  int64_t half = std::llround(std::ceil(kZeroCrossings / cutoff));
  half += (kLanes - half % kLanes) % kLanes;
  // What is read, silence around the recording.
  const int64_t first = begin - half + 1, size = std::llround(std::ceil(static_cast<double>(count) * speed)) + 2 * half;
  std::vector<float> source(size, 0.0f);
  const int64_t inside_begin = std::max<int64_t>(first, 0);
  const int64_t inside_end = std::min<int64_t>(first + size, static_cast<int64_t>(from.size()));
  if (inside_begin < inside_end) {
    std::copy(from.begin() + inside_begin, from.begin() + inside_end, source.begin() + (inside_begin - first));
  }
  const std::vector<float> table = InterpolationTable(cutoff, half);
  std::vector<float> audio(count);
  for (int64_t n = 0; n < count; ++n) {
    const double at = static_cast<double>(n) * speed;
    const int64_t sample = static_cast<int64_t>(at);
    const double place = (at - static_cast<double>(sample)) * kPlaces;
    const int64_t row = static_cast<int64_t>(place);
    const float before = Dot(&table[row * 2 * half], &source[sample], 2 * half);
    const float after = Dot(&table[(row + 1) * 2 * half], &source[sample], 2 * half);
    audio[n] = before + static_cast<float>(place - static_cast<double>(row)) * (after - before);
  }
  return audio;
}

}  // namespace

Variation DrawVariation(const AugmentationOptions& options, uint64_t seed, int64_t step, int64_t item) {
  float draws[2];
  kernels::UniformNoise(DeriveSeed(seed, "augmentation", step), 2 * item, absl::MakeSpan(draws));
  return {options.pitch_semitones * draws[0], options.gain_db * draws[1]};
}

WindowSound VaryWindow(const Dataset& dataset, const Segment& window, const Variation& variation) {
  const int64_t samples = window.end - window.begin, hop = dataset.hop();
  WindowSound sound;
  if (variation.pitch_semitones == 0) {
    sound.audio.resize(samples);
    CopyAudio(dataset, window, sound.audio.data());
    sound.frames = CopyFrames(dataset, window);
  } else {
    const double speed = std::exp2(variation.pitch_semitones / 12);
    sound.audio = Play(dataset.recordings[window.recording].audio, window.begin, samples, speed);
    const int64_t count = samples / hop + 1;
    Segment read = window;
    read.end = window.begin + (static_cast<int64_t>(static_cast<double>(count - 1) * speed) + 1) * hop;
    const std::vector<FeatureFrame> frames = CopyFrames(dataset, read);
    for (int64_t t = 0; t < count; ++t) {
      const double at = static_cast<double>(t) * speed;
      const int64_t frame = static_cast<int64_t>(at);
      sound.frames.push_back(FrameBetween(frames[frame], frames[frame + 1], at - static_cast<double>(frame)));
      sound.frames.back().f0_hz = static_cast<float>(sound.frames.back().f0_hz * speed);
    }
  }
  if (variation.gain_db != 0) {
    const float gain = static_cast<float>(std::pow(10, variation.gain_db / 20));
    for (float& sample : sound.audio) sample *= gain;
    for (FeatureFrame& frame : sound.frames) {
      for (float* level : {&frame.power_db, &frame.loudness_db}) {
        if (*level > kFloorDb) *level = std::max(kFloorDb, *level + static_cast<float>(variation.gain_db));
      }
    }
  }
  return sound;
}

}  // namespace ddsp::training
