// Pointwise functions of networks, by the names that upstream's get_nonlinearity takes from Keras.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "absl/status/statusor.h"

namespace ddsp {

enum class Nonlinearity {
  kLinear,
  kRelu,
  kLeakyRelu,  // slope 0.2, as in TensorFlow; Keras's layer of that name has 0.3
  kSigmoid,
  kTanh,
  kElu,
  kSelu,
  kSoftplus,
  kSoftsign,
  kSwish,
  kGelu,  // exact
  kExponential,
  kHardSigmoid,  // clip(0.2 x + 0.5, 0, 1)
  kSoftmax,      // over the last axis
};
at::Tensor Activate(Nonlinearity nonlinearity, const at::Tensor& x);

// "relu", "leaky_relu", "swish" or "silu", ...; "" is linear. Errors: INVALID_ARGUMENT listing the names.
absl::StatusOr<Nonlinearity> ParseNonlinearity(const std::string& name);

}  // namespace ddsp
