// Synths and effects (upstream: processors.py).
//
// A processor has a fixed configuration and is immutable, hence safe to share; what else a call needs (trainable
// parameters, noise) is passed in. Two steps, as upstream: inputs, which may be raw network outputs, become controls,
// controls become a signal.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

struct Port {
  std::string name;
  bool required = true;
};

// A trainable parameter: what it is called in upstream's checkpoints below the processor, and how it starts (normally
// distributed).
struct ParameterSpec {
  std::string name;
  std::vector<int64_t> shape;
  double initial_mean = 0.0;
  double initial_stddev = 0.0;
};

struct ProcessorContext {
  NamedTensors parameters;                 // those of parameters(), by name
  at::Tensor noise;                        // uniform in [-1, 1), used instead of a draw; undefined: drawn
  std::optional<at::Generator> generator;  // to draw from; none: LibTorch's default generator
};

struct ProcessorOutput {
  at::Tensor signal;
  NamedTensors controls;
};

class Processor {
 public:
  virtual ~Processor() = default;

  const std::string& name() const { return name_; }
  // Inputs in the order in which a graph lists them; optional ones are last.
  virtual const std::vector<Port>& inputs() const = 0;
  // Names of the controls, which are the arguments of GetSignal().
  virtual const std::vector<std::string>& controls() const = 0;
  virtual std::vector<ParameterSpec> parameters() const { return {}; }

  // Errors: NOT_FOUND for an input that is missing, INVALID_ARGUMENT for values and shapes, naming the processor.
  absl::StatusOr<NamedTensors> GetControls(const NamedTensors& inputs, const ProcessorContext& context = {}) const;
  absl::StatusOr<at::Tensor> GetSignal(const NamedTensors& controls, const ProcessorContext& context = {}) const;
  // Both steps. Upstream: __call__ with return_outputs_dict.
  absl::StatusOr<ProcessorOutput> Run(const NamedTensors& inputs, const ProcessorContext& context = {}) const;

 protected:
  explicit Processor(std::string name) : name_(std::move(name)) {}

  // Called with all required entries present; may throw what ATen throws.
  virtual NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const = 0;
  virtual at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const = 0;

 private:
  const std::string name_;
};

// The entry `name`, undefined if there is none: for optional inputs.
at::Tensor Optional(const NamedTensors& tensors, const std::string& name);

// Noise for a call: the context's if it has some (its shape is checked), else a draw of that shape.
at::Tensor UniformNoise(const ProcessorContext& context, at::IntArrayRef shape, const at::TensorOptions& options);

}  // namespace ddsp
