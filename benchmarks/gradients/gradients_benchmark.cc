// Forward and backward passes of the hot functions at a training batch, 16 x 4 s at 16 kHz, two threads: ours, one node
// of the autograd graph each, against the same in tensor operations. peak_MB is the memory of one pass.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include "benchmark/benchmark.h"
#include "benchmarks/gradients/peak_memory.h"
#include "core/dsp/filter_design.h"
#include "core/dsp/wavetable.h"
#include "core/losses/spectral_loss.h"
#include "core/processors/frame_convolution_function.h"
#include "core/processors/harmonic_bank_function.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr int64_t kBatch = 16, kSamples = 64000, kHop = 64, kFrames = kSamples / kHop, kHarmonics = 100;

template <typename F>
void Run(benchmark::State& state, F pass) {
  at::set_num_threads(2);
  pass();  // libraries load, plans are made
  state.counters["peak_MB"] = static_cast<double>(PeakBytes(pass)) / 1e6;
  for (auto _ : state) pass();
}

Tensor Leaf(const Tensor& x) { return x.requires_grad_(true); }

enum class Pitch { kFixed, kLearned };

// f0 of 60-70 Hz, so that all harmonics sound.
HarmonicControls MakeControls(Pitch pitch) {
  HarmonicControls controls;
  controls.frequencies = 60 + 10 * at::rand({kBatch, kFrames, 1});
  if (pitch == Pitch::kLearned) controls.frequencies.requires_grad_(true);
  controls.amplitudes = Leaf(at::rand({kBatch, kFrames, 1}));
  controls.harmonic_distribution = Leaf(at::rand({kBatch, kFrames, kHarmonics}) / kHarmonics);
  return controls;
}

void HarmonicFused(benchmark::State& state, Pitch pitch) {
  const HarmonicControls controls = MakeControls(pitch);
  const HarmonicSynthesisOptions options = {kSamples, 16000, Interpolation::kWindow, PhaseAccumulation::kExact};
  Run(state, [&] { FusedHarmonicSynthesis(controls, options).square().sum().backward(); });
}
BENCHMARK_CAPTURE(HarmonicFused, FixedPitch, Pitch::kFixed)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(HarmonicFused, LearnedPitch, Pitch::kLearned)->Unit(benchmark::kMillisecond)->UseRealTime();

// As upstream and its ports write it: one phase in float32, its multiples, their sines, the mask, the envelopes.
void HarmonicEager(benchmark::State& state, Pitch pitch) {
  const HarmonicControls controls = MakeControls(pitch);
  const Tensor numbers = at::arange(1, kHarmonics + 1, at::kFloat);
  const Tensor ramp = (0.5 - 0.5 * at::cos(at::arange(kHop) * (M_PI / kHop))).view({1, 1, kHop, 1});
  const auto upsampled = [&](const Tensor& x) {
    const Tensor next = at::cat({x.narrow(1, 1, kFrames - 1), x.narrow(1, kFrames - 1, 1)}, 1);
    return (x.unsqueeze(2) + (next - x).unsqueeze(2) * ramp).flatten(1, 2);
  };
  Run(state, [&] {
    const Tensor f0 = upsampled(controls.frequencies), frequencies = f0 * numbers;
    const Tensor envelopes = upsampled(controls.amplitudes * controls.harmonic_distribution);
    const Tensor audible = at::where(frequencies >= 8000, at::zeros({}), envelopes);
    const Tensor phase = at::cumsum(f0 * (2 * M_PI / 16000), 1);
    (audible * at::sin(phase * numbers)).sum(-1).square().sum().backward();
  });
}
BENCHMARK_CAPTURE(HarmonicEager, FixedPitch, Pitch::kFixed)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(2);
BENCHMARK_CAPTURE(HarmonicEager, LearnedPitch, Pitch::kLearned)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(2);

// Sinusoids whose frequencies are learned, four examples: the eager form of sixteen takes some ten GB.
void SinusoidalPass(benchmark::State& state, Tensor (*synthesize)(const Tensor&, const Tensor&)) {
  const Tensor frequencies = Leaf(60 + 6000 * at::rand({4, kFrames, kHarmonics}));
  const Tensor amplitudes = Leaf(at::rand({4, kFrames, kHarmonics}) / kHarmonics);
  Run(state, [&] { synthesize(frequencies, amplitudes).square().sum().backward(); });
}

void SinusoidalFused(benchmark::State& state) {
  SinusoidalPass(state, [](const Tensor& frequencies, const Tensor& amplitudes) {
    return FusedSinusoids(frequencies, amplitudes,
                          {kSamples, 16000, Interpolation::kWindow, PhaseAccumulation::kExact});
  });
}
BENCHMARK(SinusoidalFused)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2);

void SinusoidalEager(benchmark::State& state) {
  SinusoidalPass(state, [](const Tensor& frequencies, const Tensor& amplitudes) {
    return OscillatorBank(Resample(frequencies, kSamples), Resample(amplitudes, kSamples, Interpolation::kWindow));
  });
}
BENCHMARK(SinusoidalEager)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);

constexpr int64_t kTablePoints = 512;

void WavetablePass(benchmark::State& state, Tensor (*synthesize)(const Tensor&, const Tensor&)) {
  const Tensor f0_hz = Leaf(60 + 10 * at::rand({kBatch, kFrames, 1}));
  const Tensor tables = Leaf(at::randn({kBatch, kFrames, kTablePoints}));
  Run(state, [&] { synthesize(f0_hz, tables).square().sum().backward(); });
}

void WavetableBetweenFrames(benchmark::State& state) {
  WavetablePass(state, [](const Tensor& f0_hz, const Tensor& tables) {
    return WavetableSynthesis(f0_hz, at::ones_like(f0_hz).detach(), tables, {kSamples, 16000});
  });
}
BENCHMARK(WavetableBetweenFrames)->Unit(benchmark::kMillisecond)->UseRealTime();

// A table for every sample, of one example of the batch: sixteen do not fit into memory.
void WavetableEager(benchmark::State& state) {
  WavetablePass(state, [](const Tensor& f0_hz, const Tensor& tables) {
    const Tensor velocity = Resample(f0_hz.narrow(0, 0, 1), kSamples).to(at::kDouble) / 16000;
    const Tensor phase = at::remainder(at::cumsum(velocity, 1) - velocity, 1).to(at::kFloat);
    return LinearLookup(phase, Resample(tables.narrow(0, 0, 1), kSamples));
  });
}
BENCHMARK(WavetableEager)->Unit(benchmark::kMillisecond)->UseRealTime();

void SpectralLossFused(benchmark::State& state) {
  SpectralLossOptions options;
  options.logmag_weight = 1.0;
  const SpectralLoss loss(options);
  const Tensor target = at::randn({kBatch, kSamples}), audio = Leaf(at::randn({kBatch, kSamples}));
  Run(state, [&] { loss(target, audio).backward(); });
}
BENCHMARK(SpectralLossFused)->Unit(benchmark::kMillisecond)->UseRealTime();

// at::stft of the padded signals, magnitudes, their logarithms, means.
void SpectralLossEager(benchmark::State& state) {
  const Tensor target = at::randn({kBatch, kSamples}), audio = Leaf(at::randn({kBatch, kSamples}));
  const auto magnitude = [](const Tensor& x, int64_t size) {
    const Tensor padded = at::constant_pad_nd(x, {0, size - size / 4});
    return at::abs(at::stft(padded, size, size / 4, size, at::hann_window(size), /*center=*/false, "reflect",
                            /*normalized=*/false, /*onesided=*/true, /*return_complex=*/true));
  };
  const auto log = [](const Tensor& x) { return at::log(at::where(x <= 0, at::full({}, 1e-5f), x)); };
  Run(state, [&] {
    Tensor loss = at::zeros({});
    for (const int64_t size : {2048, 1024, 512, 256, 128, 64}) {
      const Tensor t = magnitude(target, size), x = magnitude(audio, size);
      loss = loss + at::abs(t - x).mean() + at::abs(log(t) - log(x)).mean();
    }
    loss.backward();
  });
}
BENCHMARK(SpectralLossEager)->Unit(benchmark::kMillisecond)->UseRealTime();

void FilteredNoisePass(benchmark::State& state, Tensor (*filter)(const Tensor&, const Tensor&)) {
  const Tensor noise = at::rand({kBatch, kSamples}) * 2 - 1, magnitudes = Leaf(at::rand({kBatch, kFrames, 65}));
  Run(state, [&] { filter(noise, magnitudes).square().sum().backward(); });
}

void FilteredNoiseFused(benchmark::State& state) {
  FilteredNoisePass(state, [](const Tensor& x, const Tensor& m) { return FilterFrames(x, m, 0); });
}
BENCHMARK(FilteredNoiseFused)->Unit(benchmark::kMillisecond)->UseRealTime();

void FilteredNoiseEager(benchmark::State& state) {
  FilteredNoisePass(state, [](const Tensor& x, const Tensor& m) { return FrequencyFilter(x, m, 0); });
}
BENCHMARK(FilteredNoiseEager)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace ddsp
