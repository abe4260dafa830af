// Noise, its filter, reverberation, FFT: one stream, one thread, at 16 kHz in hops of 320.
#include <vector>

#include "benchmark/benchmark.h"
#include "benchmarks/kernels/random_values.h"
#include "core/kernels/activations.h"
#include "core/kernels/fft.h"
#include "core/kernels/harmonic_controls.h"
#include "core/kernels/noise.h"
#include "core/kernels/noise_filter.h"
#include "core/kernels/partitioned_convolver.h"

namespace ddsp::kernels {
namespace {

constexpr int kHop = 320;

void CountRealTime(benchmark::State& state) {
  state.counters["x_real_time"] = benchmark::Counter(kHop / 16000.0, benchmark::Counter::kIsIterationInvariantRate);
}

void BM_UniformNoise(benchmark::State& state) {
  std::vector<float> noise(kHop);
  int64_t index = 0;
  for (auto _ : state) {
    UniformNoise(1, index += kHop, absl::MakeSpan(noise));
    benchmark::DoNotOptimize(noise.data());
  }
  CountRealTime(state);
}
BENCHMARK(BM_UniformNoise);

void BM_NoiseFilter(benchmark::State& state) {
  const NoiseFilter filter(65, kHop);
  const std::vector<float> magnitudes = RandomValues(65, 0, 1), noise = RandomValues(kHop, -1, 1);
  std::vector<float> filter_state(filter.state_size(), 0), scratch(filter.scratch_size()), out(kHop);
  for (auto _ : state) {
    filter.Step(magnitudes.data(), noise.data(), filter_state.data(), out.data(), scratch.data());
    benchmark::DoNotOptimize(out.data());
  }
  CountRealTime(state);
}
BENCHMARK(BM_NoiseFilter);

// Argument: streams in turn, so that their states leave the caches.
void BM_PartitionedConvolver(benchmark::State& state) {
  const PartitionedConvolver convolver(RandomValues(24000, -1, 1), kHop, ConvolverOutput::kDryPlusWet);
  const std::vector<float> x = RandomValues(kHop, -1, 1);
  const int64_t streams = state.range(0);
  std::vector<float> states(streams * convolver.state_size(), 0), scratch(convolver.scratch_size()), out(kHop);
  int64_t stream = 0;
  for (auto _ : state) {
    convolver.Step(x.data(), states.data() + stream * convolver.state_size(), out.data(), scratch.data());
    benchmark::DoNotOptimize(out.data());
    stream = (stream + 1) % streams;
  }
  CountRealTime(state);
}
BENCHMARK(BM_PartitionedConvolver)->Arg(1)->Arg(64)->Arg(512);

void BM_RealFftForward(benchmark::State& state) {
  const RealFft fft(static_cast<int>(state.range(0)));
  const std::vector<float> x = RandomValues(fft.size(), -1, 1);
  std::vector<float> re(fft.bins()), im(fft.bins()), scratch(fft.scratch_size());
  for (auto _ : state) {
    fft.Forward(x.data(), re.data(), im.data(), scratch.data());
    benchmark::DoNotOptimize(re.data());
  }
}
BENCHMARK(BM_RealFftForward)->Arg(256)->Arg(512)->Arg(640)->Arg(1024)->Arg(2048)->Arg(8192);

// From the network's 126 outputs to the controls of the synthesisers.
void BM_Controls(benchmark::State& state) {
  const std::vector<float> outputs = RandomValues(126, -3, 3);
  std::vector<float> amplitudes(60), magnitudes(65);
  for (auto _ : state) {
    HarmonicControls(outputs[0], outputs.data() + 1, 60, 220, 16000, amplitudes.data());
    BiasedExpSigmoid(outputs.data() + 61, -5, 65, magnitudes.data());
    benchmark::DoNotOptimize(amplitudes.data());
    benchmark::DoNotOptimize(magnitudes.data());
  }
  CountRealTime(state);
}
BENCHMARK(BM_Controls);

}  // namespace
}  // namespace ddsp::kernels
