// The parts of a training step of the VST recipe in plain autograd: batch 16, 4 s, two threads.
//   vst_step_benchmark --benchmark_min_time=1
#include <ATen/Parallel.h>

#include "benchmark/benchmark.h"
#include "core/graph/processor_group.h"
#include "core/losses/spectral_loss.h"
#include "core/nn/rnn_fc_decoder.h"

namespace ddsp {
namespace {

constexpr int64_t kBatch = 16, kFrames = 201, kHop = 320, kSamples = kFrames * kHop;

GraphSpec VstGraph(const std::string& phase) {
  GraphSpec spec;
  spec.inputs = {"amps", "harmonic_distribution", "noise_magnitudes", "f0_hz"};
  spec.nodes = {
      {"harmonic",
       "synths.Harmonic",
       {{"n_samples", kSamples}, {"amp_resample_method", "linear"}, {"phase", phase}},
       {"amps", "harmonic_distribution", "f0_hz"}},
      {"filtered_noise",
       "synths.FilteredNoise",
       {{"n_samples", kSamples}, {"window_size", int64_t{0}}},
       {"noise_magnitudes"}},
      {"add", "processors.Add", {}, {"filtered_noise/signal", "harmonic/signal"}},
      {"reverb",
       "effects.FilteredNoiseReverb",
       {{"trainable", true},
        {"reverb_length", int64_t{24000}},
        {"n_frames", int64_t{500}},
        {"n_filter_banks", int64_t{32}}},
       {"add/signal"}},
      {"crop", "processors.Crop", {{"frame_size", kHop}}, {"reverb/signal"}},
  };
  return spec;
}

void GraphForwardBackward(benchmark::State& state, const std::string& phase) {
  at::set_num_threads(2);
  const ProcessorGroup group(*ValidateGraphSpec(VstGraph(phase)));
  GroupContext context;
  context.parameters = InitialParameters(group);
  context.parameters.at("reverb/magnitudes").requires_grad_(true);
  const NamedTensors inputs = {{"amps", at::randn({kBatch, kFrames, 1}).requires_grad_(true)},
                               {"harmonic_distribution", at::randn({kBatch, kFrames, 60}).requires_grad_(true)},
                               {"noise_magnitudes", at::randn({kBatch, kFrames, 65}).requires_grad_(true)},
                               {"f0_hz", 200 + 400 * at::rand({kBatch, kFrames, 1})}};
  for (auto _ : state) group.GetSignal(inputs, context)->square().sum().backward();
}
BENCHMARK_CAPTURE(GraphForwardBackward, Fused, std::string("exact"))->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(GraphForwardBackward, Eager, std::string("cumsum"))->Unit(benchmark::kMillisecond)->UseRealTime();

void LossForwardBackward(benchmark::State& state) {
  at::set_num_threads(2);
  SpectralLossOptions options;
  options.logmag_weight = 1.0;
  const SpectralLoss loss(options);
  const at::Tensor target = at::randn({kBatch, kSamples - kHop}),
                   audio = at::randn({kBatch, kSamples - kHop}).requires_grad_(true);
  for (auto _ : state) loss(target, audio).backward();
}
BENCHMARK(LossForwardBackward)->Unit(benchmark::kMillisecond)->UseRealTime();

void DecoderForwardBackward(benchmark::State& state) {
  at::set_num_threads(2);
  RnnFcDecoder::Options options;
  options.ch = 256;
  options.layers_per_stack = 1;
  options.inputs = {{"pw_scaled"}, {"f0_scaled"}};
  options.output_splits = {{"amps", 1}, {"harmonic_distribution", 60}, {"noise_magnitudes", 65}};
  const auto decoder = *RnnFcDecoder::Create(options);
  InitializeParameters(*decoder);
  SetRequiresGrad(*decoder, true);
  const NamedTensors inputs = {{"pw_scaled", at::rand({kBatch, kFrames, 1})},
                               {"f0_scaled", at::rand({kBatch, kFrames, 1})}};
  for (auto _ : state) {
    at::Tensor sum = at::zeros({});
    const auto output = decoder->Forward(inputs);
    for (const auto& [name, control] : output->controls) sum = sum + control.square().sum();
    sum.backward();
  }
}
BENCHMARK(DecoderForwardBackward)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace ddsp
