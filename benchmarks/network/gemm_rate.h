// How fast this machine multiplies matrices of a network's shapes: the bound that a network step is measured against.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ddsp::benchmarks {

// y [rows, outputs] = x [rows, inputs] W + b, one thread.
struct GemmShape {
  int64_t rows, inputs, outputs;
  double flops() const { return 2.0 * static_cast<double>(rows) * inputs * outputs; }
};

// One way to compute it, weights packed beforehand where the way has that.
struct GemmWay {
  std::string name;  // "at::linear", "oneDNN", "ours"; "... bf16"
  std::function<void()> run;
};

// LibTorch as it comes, oneDNN itself through LibTorch, and core/kernels. `arithmetic` is that of a decoder's spec:
// beside our "int16", which they do not have, they are asked for bfloat16, the nearest that they have.
std::vector<GemmWay> GemmWays(const GemmShape& shape, const std::string& arithmetic);

// Processor seconds of one call of each, the best of `rounds` in which all take turns, so that a busy machine slows all
// alike.
std::vector<double> BestSeconds(const std::vector<std::function<void()>>& calls, int rounds);

}  // namespace ddsp::benchmarks
