#include "core/nn/parameters.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {
namespace {

// Keras's fans: the last two axes are in and out, what is before them is the receptive field of a convolution.
at::Tensor GlorotUniform(const std::vector<int64_t>& shape, std::optional<at::Generator> generator) {
  int64_t receptive = 1;
  for (size_t i = 0; i + 2 < shape.size(); ++i) receptive *= shape[i];
  const int64_t out = shape.back(), in = shape.size() > 1 ? shape[shape.size() - 2] : out;
  const double limit = std::sqrt(6.0 / static_cast<double>(receptive * (in + out)));
  return at::empty(shape, at::kFloat).uniform_(-limit, limit, generator);
}

at::Tensor Orthogonal(const std::vector<int64_t>& shape, std::optional<at::Generator> generator) {
  const int64_t columns = shape.back();
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  const at::Tensor normal =
      at::empty({std::max(rows, columns), std::min(rows, columns)}, at::kFloat).normal_(0, 1, generator);
  auto [q, r] = at::linalg_qr(normal);
  q = q * at::sign(at::diagonal(r));
  if (rows < columns) q = q.t();
  return q.reshape(shape).contiguous();
}

at::Tensor TruncatedNormal(const std::vector<int64_t>& shape, std::optional<at::Generator> generator) {
  at::Tensor x = at::empty(shape, at::kFloat).normal_(0, 1, generator);
  for (at::Tensor far = x.abs() > 2; far.any().item<bool>(); far = x.abs() > 2) {
    x = at::where(far, at::empty(shape, at::kFloat).normal_(0, 1, generator), x);
  }
  return x;
}

at::Tensor Draw(const Parameter& parameter, std::optional<at::Generator> generator) {
  switch (parameter.initializer) {
    case Initializer::kZeros:
      return at::zeros(parameter.shape, at::kFloat);
    case Initializer::kOnes:
      return at::ones(parameter.shape, at::kFloat);
    case Initializer::kGlorotUniform:
      return GlorotUniform(parameter.shape, generator);
    case Initializer::kOrthogonal:
      return Orthogonal(parameter.shape, generator);
    case Initializer::kUnitForgetBias: {
      at::Tensor bias = at::zeros(parameter.shape, at::kFloat);
      const int64_t units = bias.size(0) / 4;
      bias.narrow(0, units, units).fill_(1);
      return bias;
    }
    case Initializer::kNormal:
      return at::empty(parameter.shape, at::kFloat).normal_(parameter.mean, parameter.stddev, generator);
    case Initializer::kTruncatedNormal:
      return TruncatedNormal(parameter.shape, generator) * parameter.stddev + parameter.mean;
  }
  return {};
}

}  // namespace

void InitializeParameters(Layer& layer, std::optional<at::Generator> generator) {
  layer.VisitParameters("", [&](const std::string&, Parameter& parameter) {
    const bool requires_grad = parameter.value.requires_grad();
    parameter.value = Draw(parameter, generator);
    parameter.value.set_requires_grad(requires_grad);
  });
}

NamedTensors CollectParameters(Layer& layer) {
  NamedTensors values;
  layer.VisitParameters("", [&](const std::string& path, Parameter& parameter) { values[path] = parameter.value; });
  return values;
}

absl::Status UseParameters(Layer& layer, const NamedTensors& values) {
  std::vector<std::string> problems;
  NamedTensors unused = values;
  layer.VisitParameters("", [&](const std::string& path, Parameter& parameter) {
    const auto it = values.find(path);
    if (it == values.end()) {
      problems.push_back(absl::StrCat(path, " is missing"));
      return;
    }
    unused.erase(path);
    if (it->second.sizes() == at::IntArrayRef(parameter.shape)) {
      parameter.value = it->second;
    } else {
      problems.push_back(absl::StrCat(path, " has shape [", absl::StrJoin(it->second.sizes(), ","), "], expected [",
                                      absl::StrJoin(parameter.shape, ","), "]"));
    }
  });
  for (const auto& [path, value] : unused) problems.push_back(absl::StrCat(path, " belongs to no layer"));
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("parameters: ", absl::StrJoin(problems, "; ")));
}

void SetRequiresGrad(Layer& layer, bool requires_grad) {
  layer.VisitParameters(
      "", [&](const std::string&, Parameter& parameter) { parameter.value.set_requires_grad(requires_grad); });
}

}  // namespace ddsp
