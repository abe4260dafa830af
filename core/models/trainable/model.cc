#include "core/models/trainable/model.h"

namespace ddsp {

at::Tensor ModelOutputs::TotalLoss() const {
  at::Tensor total;
  for (const auto& [name, loss] : losses) total = total.defined() ? total + loss : loss;
  return total;
}

int64_t CountParameters(Layer& layer) {
  int64_t count = 0;
  layer.VisitParameters("", [&](const std::string&, Parameter& parameter) { count += parameter.value.numel(); });
  return count;
}

}  // namespace ddsp
