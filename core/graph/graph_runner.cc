#include "core/graph/graph_runner.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/graph/dag_layer.h"
#include "core/graph/graph_printer.h"

namespace ddsp {
namespace {

// More than any layer takes, fewer than ATen's kernels do.
constexpr size_t kMostDimensions = 16;

absl::StatusOr<at::Tensor> ToTensor(const std::string& name, const FloatArray& array) {
  const auto has_shape = [&] { return absl::StrCat(name, " has shape [", absl::StrJoin(array.shape, ", "), "]"); };
  if (array.shape.size() > kMostDimensions) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " has ", array.shape.size(), " dimensions, expected at most ", kMostDimensions));
  }
  // ATen multiplies extents for its strides even where there is no element.
  int64_t elements = 1, extent = 1;
  for (const int64_t size : array.shape) {
    const int64_t at_least_one = std::max<int64_t>(size, 1);
    if (size < 0 || extent > std::numeric_limits<int64_t>::max() / at_least_one) {
      return absl::InvalidArgumentError(has_shape());
    }
    extent *= at_least_one;
    elements *= size;
  }
  if (elements != static_cast<int64_t>(array.values.size())) {
    return absl::InvalidArgumentError(absl::StrCat(name, " has ", array.values.size(), " values, expected ", elements,
                                                   " for shape [", absl::StrJoin(array.shape, ", "), "]"));
  }
  return CatchTorch([&] { return at::tensor(array.values).reshape(array.shape); });
}

// Those of the request, all of which must belong to a node, or fresh ones. A layer draws its own.
absl::StatusOr<NamedTensors> ParametersFrom(const FloatArrays& given, const DagLayer& graph, at::Generator generator) {
  if (given.empty()) return InitialParameters(graph, generator);
  NamedTensors parameters;
  for (const auto& [name, array] : given) {
    const auto owner =
        std::find_if(graph.graph().nodes().begin(), graph.graph().nodes().end(),
                     [&, node = name.substr(0, name.find('/'))](const auto& other) { return other.spec.name == node; });
    if (owner == graph.graph().nodes().end()) {
      return absl::InvalidArgumentError(absl::StrCat("parameter ", name, " belongs to no node"));
    }
    ASSIGN_OR_RETURN(parameters[name], ToTensor(absl::StrCat("parameter ", name), array));
  }
  for (const ParameterSpec& spec : graph.parameters()) {
    const auto it = parameters.find(spec.name);
    if (it == parameters.end()) return absl::NotFoundError(absl::StrCat("parameter ", spec.name, " is not given"));
    if (it->second.sizes() != at::IntArrayRef(spec.shape)) {
      return absl::InvalidArgumentError(absl::StrCat("parameter ", spec.name, " has shape [",
                                                     absl::StrJoin(it->second.sizes(), ", "), "], expected [",
                                                     absl::StrJoin(spec.shape, ", "), "]"));
    }
  }
  return parameters;
}

FloatArray ToArray(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kFloat).contiguous();
  const float* data = values.const_data_ptr<float>();
  return {values.sizes().vec(), {data, data + values.numel()}};
}

}  // namespace

struct GraphRunner::Parts {
  DagLayer graph;
  GraphLimits limits;
  int64_t largest_argument = 1, largest_of_layers = 0;
};

GraphRunner::GraphRunner(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
GraphRunner::~GraphRunner() = default;

absl::StatusOr<std::unique_ptr<GraphRunner>> GraphRunner::Create(const GraphSpec& spec, const GraphLimits& limits) {
  ASSIGN_OR_RETURN(ValidatedGraph graph, ValidateGraphSpec(spec, limits));
  auto parts = std::make_unique<Parts>(Parts{DagLayer(std::move(graph)), limits});
  for (const auto& node : parts->graph.graph().nodes()) {
    for (const auto& [name, value] : node.spec.args) {
      for (const int64_t integer : IntegersOf(value)) {
        parts->largest_argument = std::max(parts->largest_argument, integer);
        if (node.module->kind() == ModuleKind::kLayer) {
          parts->largest_of_layers = std::max(parts->largest_of_layers, integer);
        }
      }
    }
    for (const ParameterSpec& parameter : node.module->parameters()) {
      for (const int64_t size : parameter.shape) parts->largest_argument = std::max(parts->largest_argument, size);
    }
  }
  return std::unique_ptr<GraphRunner>(new GraphRunner(std::move(parts)));
}

std::string GraphRunner::Print() const { return PrintGraph(parts_->graph.graph()); }
std::string GraphRunner::Draw() const { return DrawGraph(parts_->graph.graph()); }

absl::Status GraphRunner::CheckSize(const Request& request) const {
  double batch = 1, channels = 1;
  for (const std::string& name : parts_->graph.graph().inputs()) {
    const auto input = request.inputs.find(name);
    if (input == request.inputs.end() || input->second.shape.empty()) continue;
    batch = std::max(batch, static_cast<double>(input->second.shape.front()));
    if (input->second.shape.size() > 2) channels = std::max(channels, static_cast<double>(input->second.shape.back()));
  }
  const auto of_layers = static_cast<double>(parts_->largest_of_layers);
  if (of_layers * of_layers > static_cast<double>(parts_->limits.max_elements)) {
    return absl::ResourceExhaustedError(absl::StrCat("a layer may have ", of_layers, " by ", of_layers,
                                                     " values, expected at most ", parts_->limits.max_elements));
  }
  const double elements = batch * channels * static_cast<double>(parts_->largest_argument);
  if (elements <= static_cast<double>(parts_->limits.max_elements)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("a batch of ", batch, " with up to ", channels, " channels and ",
                                                   parts_->largest_argument, " samples makes ", elements,
                                                   " values, expected at most ", parts_->limits.max_elements));
}

absl::StatusOr<FloatArrays> GraphRunner::Run(const Request& request) const {
  const at::NoGradGuard no_grad;
  NamedTensors inputs;
  for (const std::string& name : parts_->graph.graph().inputs()) {
    const auto input = request.inputs.find(name);
    if (input == request.inputs.end()) {
      return absl::NotFoundError(absl::StrCat("graph input ", name, " is not given; the graph needs ",
                                              absl::StrJoin(parts_->graph.graph().inputs(), ", ")));
    }
    ASSIGN_OR_RETURN(inputs[name], ToTensor(absl::StrCat("input ", name), input->second));
  }
  RETURN_IF_ERROR(CheckSize(request));
  GroupContext context;
  context.seed = request.seed;
  context.generator = at::detail::createCPUGenerator(request.seed);
  ASSIGN_OR_RETURN(context.parameters, ParametersFrom(request.parameters, parts_->graph, *context.generator));
  ASSIGN_OR_RETURN(const NamedTensors results, parts_->graph.Run(inputs, context));
  FloatArrays arrays;
  for (const auto& [name, tensor] : results) {
    if (request.results == GraphResults::kAll || name.starts_with("out/")) arrays[name] = ToArray(tensor);
  }
  return arrays;
}

}  // namespace ddsp
