// A training step of each recipe at upstream's batch: 16 examples of 4 s. Upstream's own trainer takes 1.66 s (VST) and
// 6.4 s (solo_instrument) on 2 cores.
#include <benchmark/benchmark.h>

#include "core/training/tensor_memory.h"
#include "core/training/train_step.h"

namespace ddsp::training {
namespace {

// Arguments: recipe, threads.
void BM_TrainStep(benchmark::State& state) {
  constexpr int64_t kBatch = 16, kSamples = 64000;
  KeepTensorMemory();  // as a trainer does
  StepOptions options;
  options.shape = RecipeShape(NameOf(static_cast<Recipe>(state.range(0)))).value();
  options.shards = static_cast<int>(state.range(1));
  const int64_t frames = options.shape.frames(kSamples);
  TrainStep step(options, InitialParameters(options.shape, 1));
  const TrainingBatch batch = {at::randn({kBatch, kSamples}) * 0.1,
                               {at::rand({kBatch, frames}) * 40 - 60, at::rand({kBatch, frames}) * 500 + 200}};
  for (auto _ : state) {
    const VoiceNoise noise = DrawNoise(options.shape, 1, step.step(), 0, kBatch, frames);
    if (!step.Run(batch, noise).ok()) state.SkipWithError("the step failed");
  }
  state.counters["x_real_time"] =
      benchmark::Counter(kBatch * 4.0 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.SetLabel(NameOf(options.shape.recipe));
}
BENCHMARK(BM_TrainStep)
    ->ArgsProduct({{static_cast<int>(Recipe::kVst), static_cast<int>(Recipe::kSoloInstrument)}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MinTime(3);

}  // namespace
}  // namespace ddsp::training
