// training_rate [--json FILE]: a step of each recipe at upstream's batch, 16 examples of 4 s, beside its arithmetic
// floor (what its matrix products alone take at the rate measured in the same run) and beside what it takes to make its
// batch.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numbers>
#include <random>

#include "core/kernels/dense.h"
#include "core/training/tensor_memory.h"
#include "core/training/trainer.h"

namespace ddsp::benchmarks {
namespace {

using namespace ddsp::training;  // NOLINT(google-build-using-namespace)

constexpr int64_t kBatch = 16, kSeconds = 4;

double Seconds(const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// Of a step's matrix products: forward, gradient of the inputs, gradient of the weights. Layers of one input have no
// product worth the name, and the gradient of the first layers' inputs is not asked for.
double StepFlops(const VoiceShape& shape) {
  const double rows = static_cast<double>(kBatch * shape.frames(kSeconds * shape.sample_rate));
  double flops = 0;
  for (const auto& [name, extents] : ParameterShapes(shape)) {
    if (name.find("kernel") == std::string::npos || extents[0] == 1) continue;
    flops += 3 * 2 * rows * static_cast<double>(extents[0] * extents[1]);
  }
  return flops;
}

// The best rate of our own products, FLOP/s, of `threads` threads together, in shapes of the recipe's layers.
double GemmRate(int threads, int rounds) {
  constexpr int64_t kRows = 1000, kSize = 512;
  const at::Tensor weights = at::randn({kSize, kSize}), x = at::randn({threads, kRows, kSize}),
                   y = at::empty({threads, kRows, kSize});
  const kernels::PackedDense dense({weights.data_ptr<float>(), static_cast<size_t>(weights.numel())}, {}, kSize, kSize);
  WorkerPool pool(threads);
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    constexpr int kCalls = 20;
    const double seconds = Seconds([&] {
      pool.Run([&](int thread) {
        for (int call = 0; call < kCalls; ++call) {
          dense.Apply(x[thread].data_ptr<float>(), kSize, kRows, y[thread].data_ptr<float>(), kSize);
        }
      });
    });
    best = std::max(best, 2.0 * kCalls * threads * kRows * kSize * kSize / seconds);
  }
  return best;
}

// A minute of a tone, long enough that batches differ.
Dataset Tone(int sample_rate) {
  std::vector<float> audio(60 * sample_rate);
  for (size_t i = 0; i < audio.size(); ++i) {
    audio[i] = static_cast<float>(0.2 * std::sin(static_cast<double>(i) * 2 * std::numbers::pi * 330 / sample_rate));
  }
  std::vector<FeatureFrame> frames(60 * 50 + 1, FeatureFrame{330, 0.9f, true, -20, -30});
  Dataset dataset;
  dataset.sample_rate = sample_rate;
  dataset.recordings.push_back({"tone", std::move(audio), std::move(frames)});
  return dataset;
}

nlohmann::json Measure(const std::string& recipe, int threads, int steps) {
  StepOptions options;
  options.shape = RecipeShape(recipe).value();
  options.objective = RecipeLoss(options.shape.sample_rate);
  options.shards = threads;
  const int64_t second = options.shape.sample_rate, samples = kSeconds * second;
  const int64_t frames = options.shape.frames(samples);
  TrainStep step(options, InitialParameters(options.shape, 1));
  const Dataset dataset = Tone(static_cast<int>(second));
  std::vector<Segment> windows;
  for (int64_t item = 0; item < kBatch; ++item) windows.push_back({0, item * second, item * second + samples});
  std::vector<double> loading, stepping, rates;
  for (int round = 0; round <= steps; ++round) {
    TrainingBatch batch;
    VoiceNoise noise;
    const double load = Seconds([&] {
      batch = MakeBatch(options.shape, dataset, windows);
      noise = DrawNoise(options.shape, 1, step.step(), 0, kBatch, frames);
    });
    bool made = false;
    const double seconds = Seconds([&] { made = step.Run(batch, noise).ok(); });
    if (!made) std::fprintf(stderr, "the step failed\n");
    rates.push_back(GemmRate(threads, 1));
    if (round == 0) continue;  // gets its memory
    loading.push_back(load);
    stepping.push_back(seconds);
  }
  const double rate = *std::max_element(rates.begin(), rates.end()), floor = StepFlops(options.shape) / rate;
  return {{"recipe", recipe},
          {"threads", threads},
          {"step_s", Median(stepping)},
          {"best_step_s", *std::min_element(stepping.begin(), stepping.end())},
          {"loading_s", Median(loading)},
          {"gflop", StepFlops(options.shape) / 1e9},
          {"gemm_gflops", rate / 1e9},
          {"floor_s", floor}};
}

int Run(int argc, char** argv) {
  CLI::App app("A training step of each recipe beside the floor of its matrix products and beside its batch's making");
  std::string json_file;
  int threads = 2, steps = 9;
  std::vector<std::string> recipes = {"vst", "solo_instrument"};
  app.add_option("--json", json_file, "Write the rows there too");
  app.add_option("--threads", threads)->capture_default_str();
  app.add_option("--steps", steps, "Medians of so many")->capture_default_str();
  app.add_option("--recipe", recipes)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  KeepTensorMemory();  // as a trainer does
  nlohmann::json rows = nlohmann::json::array();
  for (const std::string& recipe : recipes) {
    rows.push_back(Measure(recipe, threads, steps));
    const nlohmann::json& row = rows.back();
    std::printf("%-16s %d threads  step %.3f s (best %.3f)  floor %.3f s: %.0f GFLOP at %.0f GFLOP/s  batch %.4f s\n",
                recipe.c_str(), threads, row["step_s"].get<double>(), row["best_step_s"].get<double>(),
                row["floor_s"].get<double>(), row["gflop"].get<double>(), row["gemm_gflops"].get<double>(),
                row["loading_s"].get<double>());
  }
  if (!json_file.empty()) std::ofstream(json_file) << rows.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace ddsp::benchmarks

int main(int argc, char** argv) { return ddsp::benchmarks::Run(argc, argv); }
