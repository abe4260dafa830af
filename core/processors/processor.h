// Synths and effects (upstream: processors.py).
//
// A processor has a fixed configuration and is immutable, hence safe to share; what else a call needs (trainable
// parameters, noise) is passed in. Two steps, as upstream: inputs, which may be raw network outputs, become controls,
// controls become a signal. What can also run block by block is a StreamingProcessor.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

// How often an input has a value.
enum class PortRate {
  kSamples,  // for every sample: [batch, samples], or [batch, samples, channels]
  kFrames,   // for every frame: [batch, frames, channels]
  kFixed,    // once for a stream: [batch, channels], or what else the processor says
};

// Port::channels of an input without an axis for them, and of one where the number is the caller's choice.
inline constexpr int64_t kNoChannelAxis = 0;
inline constexpr int64_t kAnyChannels = -1;

struct Port {
  std::string name;
  PortRate rate = PortRate::kSamples;
  int64_t channels = kNoChannelAxis;
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

enum class Randomness { kNone, kDrawsNoise };

// What a processor takes.
struct Signature {
  std::vector<Port> inputs;           // in the order in which a graph lists them; optional ones are last
  std::vector<std::string> controls;  // the arguments of GetSignal()
  std::vector<ParameterSpec> parameters = {};
  Randomness randomness = Randomness::kNone;
};

// Which items of a batch a call has, where workers share one.
struct BatchPart {
  int64_t begin = 0;
  int64_t whole = 0;  // items of all parts; 0: there are no others
};

struct ProcessorContext {
  NamedTensors parameters;                 // those of parameters(), by name
  at::Tensor noise;                        // uniform in [-1, 1), used instead of a draw; undefined: drawn
  std::optional<uint64_t> seed;            // of CounterNoise(), which is then the draw
  std::optional<at::Generator> generator;  // to draw from without a seed; none: LibTorch's default generator
  BatchPart part;                          // a draw for each item is the part of one for the whole batch
};

struct ProcessorOutput {
  at::Tensor signal;
  NamedTensors controls;
};

class Processor {
 public:
  virtual ~Processor() = default;

  const std::string& name() const { return name_; }
  const std::vector<Port>& inputs() const { return signature_.inputs; }
  const std::vector<std::string>& controls() const { return signature_.controls; }
  const std::vector<ParameterSpec>& parameters() const { return signature_.parameters; }
  Randomness randomness() const { return signature_.randomness; }

  // Errors: NOT_FOUND for an input that is missing, INVALID_ARGUMENT for values and shapes, naming the processor.
  absl::StatusOr<NamedTensors> GetControls(const NamedTensors& inputs, const ProcessorContext& context = {}) const;
  absl::StatusOr<at::Tensor> GetSignal(const NamedTensors& controls, const ProcessorContext& context = {}) const;
  // Both steps. Upstream: __call__ with return_outputs_dict.
  absl::StatusOr<ProcessorOutput> Run(const NamedTensors& inputs, const ProcessorContext& context = {}) const;

 protected:
  Processor(std::string name, Signature signature) : name_(std::move(name)), signature_(std::move(signature)) {}

  // Called with all required entries present; may throw what ATen throws. Unless overridden, controls are the inputs of
  // the same names.
  virtual NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const;
  virtual at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const = 0;

 private:
  const std::string name_;
  const Signature signature_;
};

// `status` with "name: " before its message.
absl::Status WithName(const std::string& name, const absl::Status& status);
// NOT_FOUND, naming `owner`, unless there is a defined tensor `name`.
absl::Status CheckPresent(const NamedTensors& tensors, const std::string& name, const std::string& owner);

// The entry `name`, undefined if there is none: for optional inputs.
at::Tensor Optional(const NamedTensors& tensors, const std::string& name);

}  // namespace ddsp
