// The network's kernels at inference, one thread, against LibTorch; and the whole decoder of the VST recipe from them.
#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"
#include "benchmarks/kernels/random_values.h"
#include "core/kernels/dense.h"
#include "core/kernels/gru.h"
#include "core/kernels/layer_norm.h"

namespace ddsp::kernels {
namespace {

constexpr double kFrameRate = 50;

void CountFlops(benchmark::State& state, double multiply_adds) {
  state.counters["flops"] = benchmark::Counter(2 * multiply_adds, benchmark::Counter::kIsIterationInvariantRate);
}

// Arguments: rows, inputs, outputs.
void BM_Dense(benchmark::State& state) {
  const int64_t rows = state.range(0), inputs = state.range(1), outputs = state.range(2);
  const PackedDense dense(RandomValues(inputs * outputs, -1, 1), RandomValues(outputs, -1, 1), inputs, outputs);
  const std::vector<float> x = RandomValues(rows * inputs, -1, 1);
  std::vector<float> y(rows * outputs);
  for (auto _ : state) {
    dense.Apply(x.data(), inputs, rows, y.data(), outputs);
    benchmark::DoNotOptimize(y.data());
  }
  CountFlops(state, static_cast<double>(rows) * inputs * outputs);
}

void BM_DenseTorchAddmm(benchmark::State& state) {
  at::set_num_threads(1);
  const torch::InferenceMode inference;
  const int64_t rows = state.range(0), inputs = state.range(1), outputs = state.range(2);
  const at::Tensor kernel = at::rand({inputs, outputs}), bias = at::rand({outputs}), x = at::rand({rows, inputs});
  at::Tensor y = at::empty({rows, outputs});
  for (auto _ : state) {
    at::addmm_out(y, bias, x, kernel);
    benchmark::DoNotOptimize(y.data_ptr<float>());
  }
  CountFlops(state, static_cast<double>(rows) * inputs * outputs);
}

void DenseSizes(benchmark::internal::Benchmark* benchmark) {
  for (const int64_t rows : {1, 4, 16, 64, 128}) benchmark->Args({rows, 512, 512});
}
BENCHMARK(BM_Dense)->Apply(DenseSizes);
BENCHMARK(BM_DenseTorchAddmm)->Apply(DenseSizes);

GruCell RandomGru(int64_t inputs, int64_t units) {
  return GruCell(RandomValues(inputs * 3 * units, -0.1f, 0.1f), RandomValues(units * 3 * units, -0.1f, 0.1f),
                 RandomValues(6 * units, -0.1f, 0.1f), inputs, units);
}

// Argument: rows; 512 inputs, 512 units.
void BM_GruStep(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const GruCell gru = RandomGru(512, 512);
  const std::vector<float> x = RandomValues(rows * 512, -1, 1);
  std::vector<float> hidden(rows * 512, 0), scratch(gru.scratch_size(rows));
  for (auto _ : state) {
    gru.Step(x.data(), 512, rows, hidden.data(), scratch.data());
    benchmark::DoNotOptimize(hidden.data());
  }
  CountFlops(state, rows * 2.0 * 512 * 3 * 512);
}
BENCHMARK(BM_GruStep)->Arg(1)->Arg(16)->Arg(64)->Arg(128);

void BM_GruStepTorch(benchmark::State& state) {
  at::set_num_threads(1);
  const torch::InferenceMode inference;
  const int64_t rows = state.range(0);
  torch::nn::GRUCell gru(512, 512);
  const at::Tensor x = at::rand({rows, 512});
  at::Tensor hidden = at::zeros({rows, 512});
  for (auto _ : state) {
    hidden = gru->forward(x, hidden);
    benchmark::DoNotOptimize(hidden.data_ptr<float>());
  }
  CountFlops(state, rows * 2.0 * 512 * 3 * 512);
}
BENCHMARK(BM_GruStepTorch)->Arg(1)->Arg(16)->Arg(64)->Arg(128);

// Dense, layer normalisation, leaky ReLU.
struct FullyConnected {
  PackedDense dense;
  std::vector<float> gamma, beta;

  FullyConnected(int64_t inputs, int64_t outputs)
      : dense(RandomValues(inputs * outputs, -0.1f, 0.1f), RandomValues(outputs, -1, 1), inputs, outputs),
        gamma(outputs, 1),
        beta(outputs, 0) {}

  void Apply(const float* x, int64_t x_stride, int64_t rows, float* products, float* y, int64_t y_stride) const {
    dense.Apply(x, x_stride, rows, products, dense.outputs());
    LayerNormLeakyRelu(products, rows, dense.outputs(), gamma.data(), beta.data(), y, y_stride);
  }
};

// One frame of `rows` streams through the decoder of the VST recipe: two inputs of one number, GRU of 512, 126 outputs.
void BM_VstDecoderFrame(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const FullyConnected power(1, 256), pitch(1, 256), out(1024, 256);
  const GruCell gru = RandomGru(512, 512);
  const PackedDense controls(RandomValues(256 * 126, -0.1f, 0.1f), RandomValues(126, -1, 1), 256, 126);
  const std::vector<float> features = RandomValues(rows * 2, 0, 1);
  std::vector<float> products(rows * 256), joined(rows * 1024), hidden(rows * 512, 0), last(rows * 256), y(rows * 126),
      scratch(gru.scratch_size(rows));
  for (auto _ : state) {
    power.Apply(features.data(), 2, rows, products.data(), joined.data(), 1024);
    pitch.Apply(features.data() + 1, 2, rows, products.data(), joined.data() + 256, 1024);
    gru.Step(joined.data(), 1024, rows, hidden.data(), scratch.data());
    for (int64_t r = 0; r < rows; ++r) std::copy_n(hidden.data() + r * 512, 512, joined.data() + r * 1024 + 512);
    out.Apply(joined.data(), 1024, rows, products.data(), last.data(), 256);
    controls.Apply(last.data(), 256, rows, y.data(), 126);
    benchmark::DoNotOptimize(y.data());
  }
  CountFlops(state, rows * (2.0 * 256 + 2 * 512 * 1536 + 1024 * 256 + 256 * 126));
  state.counters["x_real_time"] = benchmark::Counter(rows / kFrameRate, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_VstDecoderFrame)->Arg(1)->Arg(4)->Arg(16)->Arg(32)->Arg(64)->Arg(128);

}  // namespace
}  // namespace ddsp::kernels
