// Trainable parameters: where layers keep them, what they are called, how they start.
//
// A layer owns handles to its tensors. Names are the object paths of upstream's checkpoints, e.g.
// "input_stacks/0/layer_with_weights-1/layer_with_weights-0/kernel"; the layouts are those of Keras.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

// Initial values, as Keras draws them.
enum class Initializer {
  kZeros,
  kOnes,
  kGlorotUniform,    // uniform in +- sqrt(6 / (fan in + fan out))
  kOrthogonal,       // orthonormal rows or columns, whichever are fewer
  kUnitForgetBias,   // an LSTM's bias: ones for the forget gate, else zeros
  kNormal,           // normal with the parameter's mean and standard deviation
  kTruncatedNormal,  // the same, what is beyond two deviations drawn anew
};

struct SpectralNormalization;

struct Parameter {
  Parameter() = default;
  Parameter(std::vector<int64_t> s, Initializer i)
      : shape(std::move(s)), initializer(i), value(at::zeros(shape, at::kFloat)) {}
  Parameter(std::vector<int64_t> s, double m, double d) : Parameter(std::move(s), Initializer::kNormal) {
    mean = m;
    stddev = d;
  }

  std::vector<int64_t> shape;
  Initializer initializer = Initializer::kZeros;
  double mean = 0, stddev = 0;  // of kNormal and kTruncatedNormal
  at::Tensor value;
  std::shared_ptr<SpectralNormalization> spectral;  // of a kernel that is normalised; null: it is not
};

// Called with the path of every parameter of a layer.
using ParameterVisitor = std::function<void(const std::string& path, Parameter& parameter)>;

// Whatever has parameters. `prefix` is empty or ends in '/'.
class Layer {
 public:
  virtual ~Layer() = default;
  virtual void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) = 0;
};

// Draws fresh values. Parameters that require gradients keep doing so. Without a generator LibTorch's default one is
// used.
void InitializeParameters(Layer& layer, std::optional<at::Generator> generator = std::nullopt);

// Handles (not copies) of all parameters by path.
NamedTensors CollectParameters(Layer& layer);

// Makes the layer use `values` (handles, not copies). Errors: INVALID_ARGUMENT listing every missing, superfluous or
// wrongly shaped parameter.
absl::Status UseParameters(Layer& layer, const NamedTensors& values);

// Marks all parameters as wanting gradients, or not.
void SetRequiresGrad(Layer& layer, bool requires_grad);

}  // namespace ddsp
