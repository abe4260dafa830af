#include "benchmarks/network/gemm_rate.h"

#include <torch/torch.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <optional>

#include "core/kernels/dense_layer.h"

namespace ddsp::benchmarks {
namespace {

// A round of one call takes about so long.
constexpr double kRoundSeconds = 2e-3;

double ThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double SecondsOf(const std::function<void()>& call, int times) {
  const double start = ThreadSeconds();
  for (int i = 0; i < times; ++i) call();
  return (ThreadSeconds() - start) / times;
}

// oneDNN's linear with weights in the order that it likes best, as LibTorch's compiler calls it.
GemmWay OneDnn(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  auto& dispatcher = c10::Dispatcher::singleton();
  const auto reorder = dispatcher.findSchemaOrThrow("mkldnn::_reorder_linear_weight", "");
  const auto linear = dispatcher.findSchemaOrThrow("mkldnn::_linear_pointwise", "");
  torch::jit::Stack stack{weight, x.size(0)};
  reorder.callBoxed(stack);
  const at::Tensor packed = stack[0].toTensor();
  return {"oneDNN", [=] {
            torch::jit::Stack arguments{x, packed, bias, "none", c10::List<std::optional<at::Scalar>>(), ""};
            linear.callBoxed(arguments);
          }};
}

}  // namespace

std::vector<GemmWay> GemmWays(const GemmShape& shape, const std::string& arithmetic) {
  at::set_num_threads(1);
  const bool whole = arithmetic == "int16";
  const at::Tensor x = at::randn({shape.rows, shape.inputs}), weight = at::randn({shape.outputs, shape.inputs}),
                   bias = at::randn({shape.outputs});
  const at::Tensor kernel = weight.t().contiguous(), y = at::empty({shape.rows, shape.outputs});
  const auto span = [](const at::Tensor& tensor) {
    return absl::MakeConstSpan(tensor.data_ptr<float>(), tensor.numel());
  };
  const auto ours =
      std::make_shared<const kernels::DenseLayer>(whole ? kernels::Arithmetic::kInt16 : kernels::Arithmetic::kFloat32,
                                                  span(kernel), span(bias), shape.inputs, shape.outputs);
  const auto scratch = std::make_shared<std::vector<float>>(ours->scratch_size(shape.rows));
  const auto type = whole ? at::kBFloat16 : at::kFloat;
  const at::Tensor x_typed = x.to(type), weight_typed = weight.to(type), bias_typed = bias.to(type);
  GemmWay direct = OneDnn(x_typed, weight_typed, bias_typed);
  if (whole) direct.name += " bf16";
  return {{whole ? "at::linear bf16" : "at::linear",
           [=] {
             const c10::InferenceMode inference;
             at::linear(x_typed, weight_typed, bias_typed);
           }},
          std::move(direct),
          {"ours", [=] {
             ours->Apply(x.data_ptr<float>(), shape.inputs, shape.rows, y.data_ptr<float>(), shape.outputs,
                         scratch->data());
           }}};
}

std::vector<double> BestSeconds(const std::vector<std::function<void()>>& calls, int rounds) {
  std::vector<int> times;
  for (const auto& call : calls) {
    call();
    times.push_back(std::max(1, static_cast<int>(kRoundSeconds / std::max(1e-9, SecondsOf(call, 1)))));
  }
  std::vector<double> best(calls.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < calls.size(); ++i) best[i] = std::min(best[i], SecondsOf(calls[i], times[i]));
  }
  return best;
}

}  // namespace ddsp::benchmarks
