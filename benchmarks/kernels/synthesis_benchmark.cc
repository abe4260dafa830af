// Harmonic synthesis, one thread: our bank against the eager form in LibTorch, and its gradient.
#include <torch/torch.h>

#include <cstdint>
#include <numbers>
#include <vector>

#include "benchmark/benchmark.h"
#include "benchmarks/kernels/bank_ceiling.h"
#include "benchmarks/kernels/random_values.h"
#include "core/kernels/harmonic_bank.h"

namespace ddsp::kernels {
namespace {

constexpr int64_t kSamples = 64000;
constexpr double kSampleRate = 16000;

void CountRealTime(benchmark::State& state) {
  state.counters["x_real_time"] =
      benchmark::Counter(kSamples / kSampleRate, benchmark::Counter::kIsIterationInvariantRate);
}

// Arguments: harmonics, hop. f0 of 60-70 Hz, so that all of up to 114 harmonics sound.
struct Controls {
  HarmonicBank bank;
  int64_t frames;
  std::vector<float> f0_hz, amplitudes;

  explicit Controls(const benchmark::State& state)
      : bank({.hop = static_cast<int>(state.range(1)), .harmonics = static_cast<int>(state.range(0))}),
        frames(kSamples / state.range(1)),
        f0_hz(RandomValues(frames, 60, 70)),
        amplitudes(RandomValues(frames * state.range(0), 0, 1.0f / state.range(0))) {}
};

void BM_HarmonicBank(benchmark::State& state) {
  const Controls controls(state);
  std::vector<float> audio(kSamples);
  for (auto _ : state) {
    double phase = 0;
    controls.bank.Render(controls.f0_hz.data(), controls.amplitudes.data(), controls.frames, phase, audio.data());
    benchmark::DoNotOptimize(audio.data());
  }
  CountRealTime(state);
}
BENCHMARK(BM_HarmonicBank)->Args({60, 64})->Args({60, 320})->Args({100, 64})->Args({100, 320});

// Arguments: harmonics, vectors side by side. Which of the latter is fastest depends on the machine.
void BM_HarmonicBankCeiling(benchmark::State& state) {
  const int harmonics = static_cast<int>(state.range(0));
  const int64_t frames = kSamples / kCeilingHop;
  const std::vector<float> f0_hz = RandomValues(frames + 1, 60, 70),
                           amplitudes = RandomValues((frames + 1) * harmonics, 0, 1.0f / harmonics);
  std::vector<float> audio(kSamples);
  for (auto _ : state) {
    BankCeiling(f0_hz.data(), amplitudes.data(), frames, harmonics, static_cast<int>(state.range(1)), audio.data());
    benchmark::DoNotOptimize(audio.data());
  }
  CountRealTime(state);
}
BENCHMARK(BM_HarmonicBankCeiling)->ArgsProduct({{60, 100}, {1, 2, 4}});

void BM_HarmonicBankBackward(benchmark::State& state) {
  const Controls controls(state);
  const std::vector<float> d_audio = RandomValues(kSamples, -1, 1);
  std::vector<float> gradient(controls.amplitudes.size());
  for (auto _ : state) {
    controls.bank.Backward(controls.f0_hz.data(), d_audio.data(), controls.frames, gradient.data());
    benchmark::DoNotOptimize(gradient.data());
  }
  CountRealTime(state);
}
BENCHMARK(BM_HarmonicBankBackward)->Args({60, 320})->Args({100, 64});

// One phase for all harmonics, its multiples, sine, times amplitudes, sum. The controls are at audio rate already and
// no harmonic is silenced above Nyquist, which is less work than ours.
void BM_HarmonicBankEagerTorch(benchmark::State& state) {
  at::set_num_threads(1);
  const torch::InferenceMode inference;
  const int64_t harmonics = state.range(0);
  const at::Tensor f0_hz = at::rand({1, kSamples}) * 10 + 60,
                   amplitudes = at::rand({1, kSamples, harmonics}) / harmonics;
  const at::Tensor numbers = at::arange(1, harmonics + 1, at::kFloat);
  for (auto _ : state) {
    const at::Tensor phase = at::cumsum(f0_hz * (2 * std::numbers::pi / kSampleRate), 1);
    const at::Tensor audio = (at::sin(phase.unsqueeze(-1) * numbers) * amplitudes).sum(-1);
    benchmark::DoNotOptimize(audio.data_ptr<float>());
  }
  CountRealTime(state);
}
BENCHMARK(BM_HarmonicBankEagerTorch)->Arg(60)->Arg(100);

}  // namespace
}  // namespace ddsp::kernels
