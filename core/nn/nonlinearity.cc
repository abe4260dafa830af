#include "core/nn/nonlinearity.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {
namespace {

constexpr std::pair<const char*, Nonlinearity> kNames[] = {
    {"linear", Nonlinearity::kLinear},
    {"relu", Nonlinearity::kRelu},
    {"leaky_relu", Nonlinearity::kLeakyRelu},
    {"sigmoid", Nonlinearity::kSigmoid},
    {"tanh", Nonlinearity::kTanh},
    {"elu", Nonlinearity::kElu},
    {"selu", Nonlinearity::kSelu},
    {"softplus", Nonlinearity::kSoftplus},
    {"softsign", Nonlinearity::kSoftsign},
    {"swish", Nonlinearity::kSwish},
    {"silu", Nonlinearity::kSwish},
    {"gelu", Nonlinearity::kGelu},
    {"exponential", Nonlinearity::kExponential},
    {"hard_sigmoid", Nonlinearity::kHardSigmoid},
    {"softmax", Nonlinearity::kSoftmax},
};

}  // namespace

at::Tensor Activate(Nonlinearity nonlinearity, const at::Tensor& x) {
  switch (nonlinearity) {
    case Nonlinearity::kLinear:
      return x;
    case Nonlinearity::kRelu:
      return at::relu(x);
    case Nonlinearity::kLeakyRelu:
      return at::leaky_relu(x, 0.2);
    case Nonlinearity::kSigmoid:
      return at::sigmoid(x);
    case Nonlinearity::kTanh:
      return at::tanh(x);
    case Nonlinearity::kElu:
      return at::elu(x);
    case Nonlinearity::kSelu:
      return at::selu(x);
    case Nonlinearity::kSoftplus:
      return at::softplus(x);
    case Nonlinearity::kSoftsign:
      return x / (1 + x.abs());
    case Nonlinearity::kSwish:
      return at::silu(x);
    case Nonlinearity::kGelu:
      return at::gelu(x);
    case Nonlinearity::kExponential:
      return at::exp(x);
    case Nonlinearity::kHardSigmoid:
      return at::clamp(0.2 * x + 0.5, 0, 1);
    case Nonlinearity::kSoftmax:
      return at::softmax(x, -1);
  }
  return x;
}

absl::StatusOr<Nonlinearity> ParseNonlinearity(const std::string& name) {
  if (name.empty()) return Nonlinearity::kLinear;
  for (const auto& [known, nonlinearity] : kNames) {
    if (name == known) return nonlinearity;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("nonlinearity is '", name, "', expected one of ",
                   absl::StrJoin(kNames, ", ", [](std::string* out, const auto& known) { out->append(known.first); })));
}

}  // namespace ddsp
