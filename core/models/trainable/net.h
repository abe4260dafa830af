// Networks over sequences that models are given as a part: nn.DilatedConvStack, RnnSandwich, FcStack, FcStackOut,
// SingleGru, Identity.
#pragma once

#include <memory>
#include <string>

#include "core/models/trainable/gin_arguments.h"
#include "core/nn/dilated_conv_stack.h"

namespace ddsp {

class Net : public Layer {
 public:
  // x [batch, time, channels] to [batch, time, out_channels()]. z: undefined, or [batch, time or 1, channels], which
  // conditions a conditional DilatedConvStack.
  virtual at::Tensor Forward(const at::Tensor& x, const at::Tensor& z) const = 0;
  int64_t out_channels() const { return out_channels_; }

 protected:
  explicit Net(int64_t out_channels) : out_channels_(out_channels) {}

 private:
  const int64_t out_channels_;
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
