#include "core/losses/mean_difference.h"

#include <string>

#include "absl/strings/ascii.h"
#include "core/dsp/argument.h"

namespace ddsp {

LossType ParseLossType(std::string_view name) {
  const std::string upper = absl::AsciiStrToUpper(std::string(name));
  if (upper == "L1") return LossType::kL1;
  if (upper == "L2") return LossType::kL2;
  if (upper == "COSINE") return LossType::kCosine;
  DDSP_CHECK_ARGUMENT(false, "loss_type is '", std::string(name), "', expected L1, L2 or COSINE");
}

at::Tensor MeanDifference(const at::Tensor& target, const at::Tensor& value, LossType type, const at::Tensor& weights) {
  switch (type) {
    case LossType::kL1: {
      const at::Tensor difference = target - value;
      return at::abs(weights.defined() ? difference * weights : difference).mean();
    }
    case LossType::kL2: {
      const at::Tensor squared = (target - value).square();
      return (weights.defined() ? squared * weights : squared).mean();
    }
    case LossType::kCosine: {
      const at::Tensor distance = 1 - at::cosine_similarity(target, value, -1);
      return (weights.defined() ? distance * weights.squeeze(-1) : distance).mean();
    }
  }
  return {};
}

}  // namespace ddsp
