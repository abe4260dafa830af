// A training step of the VST recipe at upstream's batch: 16 examples of 4 s. Upstream's own trainer takes 1.66 s on 2
// cores.
#include <benchmark/benchmark.h>

#include "core/training/train_step.h"

namespace ddsp::training {
namespace {

// Argument: threads.
void BM_TrainStep(benchmark::State& state) {
  constexpr int64_t kBatch = 16, kFrames = 201;
  StepOptions options;
  options.shards = static_cast<int>(state.range(0));
  TrainStep step(options, InitialParameters(options.shape, 1));
  const TrainingBatch batch = {at::randn({kBatch, (kFrames - 1) * options.shape.hop}) * 0.1,
                               {at::rand({kBatch, kFrames}) * 40 - 60, at::rand({kBatch, kFrames}) * 500 + 200}};
  for (auto _ : state) {
    const VoiceNoise noise = DrawNoise(options.shape, 1, step.step(), 0, kBatch, kFrames);
    if (!step.Run(batch, noise).ok()) state.SkipWithError("the step failed");
  }
  state.counters["x_real_time"] =
      benchmark::Counter(kBatch * 4.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_TrainStep)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(3);

}  // namespace
}  // namespace ddsp::training
