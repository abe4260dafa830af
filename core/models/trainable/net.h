// Networks over sequences that models are given as a part: any layer of a graph that takes x, or x and z.
#pragma once

#include <memory>
#include <string>

#include "core/models/trainable/gin_layer.h"
#include "core/nn/dilated_conv_stack.h"

namespace ddsp {

class Net : public Layer {
 public:
  explicit Net(std::unique_ptr<GinLayer> layer) : layer_(std::move(layer)) {}
  int64_t out_channels() const { return layer_->channels(); }
  // x [batch, time, channels] to [batch, time, out_channels()]. z: undefined, or [batch, time or 1, channels], which
  // conditions a conditional net. Throws ValueError for shapes.
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& z) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    layer_->VisitParameters(prefix, visit);
  }

 private:
  const std::unique_ptr<GinLayer> layer_;
};

struct NetInputs {
  int64_t channels = 1;
  int64_t z_channels = 0;  // 0: there is no z
};

// The net that the parameter `name` of `args` refers to. Problems: none there, a class that is no net, a net that is
// conditional where there is no z, or the other way round. Null if there is a problem.
std::unique_ptr<Net> NetFromGin(GinArguments& args, const std::string& name, const NetInputs& inputs);

// The same for a net that has to be an nn.DilatedConvStack. Errors, noted as problems: INVALID_ARGUMENT.
absl::StatusOr<DilatedConvStack::Options> DilatedConvStackFromGin(GinArguments& args, const std::string& name,
                                                                  const NetInputs& inputs);

}  // namespace ddsp
