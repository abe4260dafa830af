// Layers as nodes of a graph: what goes in and comes out by name, and how one is made that fits what arrives.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "core/nn/dilated_conv_stack.h"
#include "core/nn/encoders.h"
#include "core/nn/nonlinearity.h"
#include "core/nn/parameters.h"
#include "core/processors/constructor_args.h"
#include "core/processors/processor.h"

namespace ddsp {

struct BuiltLayer {
  std::shared_ptr<Layer> layer;  // null: it has no parameters
  // From inputs by port to results in the order of LayerForm::results. Throws ValueError for wrong shapes.
  std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>& inputs)> forward;
  int64_t channels = 0;  // of its first result; 0: not known, so that it can be no part of another layer
};

// Who calls the results by name: a graph where a layer returns tensors, the layer where it returns a dictionary.
enum class Naming { kByGraph, kByLayer };

// Whether constructor arguments give the keys of inputs and outputs other names. Upstream: DictLayer, where the classes
// that decide their outputs themselves leave the caller the inputs alone.
enum class KeyArguments { kNone, kInputs, kInputsAndOutputs };

struct LayerForm {
  std::vector<Port> inputs = {{.name = "x"}};
  std::vector<std::string> results = {"out"};
  Naming naming = Naming::kByGraph;
  KeyArguments keys = KeyArguments::kNone;
  size_t kept_inputs = 0;  // the last ones, whose keys stay: what tells an encoder of a z the number of time steps
  // As many inputs as ports; optional ones may be undefined. Throws ValueError.
  std::function<BuiltLayer(const std::vector<at::Tensor>& inputs)> build;
};

// A class under its upstream name; problems with its arguments go to `args`.
struct LayerClass {
  const char* name;  // "nn.FcStack"
  LayerForm (*form)(ArgReader& args);
};

absl::Span<const LayerClass> PlainLayers();      // upstream: training/nn.py
absl::Span<const LayerClass> CoderLayers();      // upstream: training/encoders.py, decoders.py
absl::Span<const LayerClass> KerasLayers();      // Keras's own
absl::Span<const LayerClass> KerasContainers();  // those of Keras that hold other layers

// Whether a class of Keras does something in training that it does not do otherwise: dropout, moving averages.
bool ActsInTraining(const std::string& name);
// Why there is no layer of Keras's class `name`; "" for what is no such class, or is one that there is.
std::string WhyKerasHasNoPlace(const std::string& name);

// The class that `name` means, with or without its modules; null if there is none.
const LayerClass* FindLayer(absl::Span<const LayerClass> classes, const std::string& name);
// The same among all that can be a part of another: all but encoders and decoders.
const LayerClass* FindNetLayer(const std::string& name);
// What every layer takes, and nothing here depends on: name, trainable, dtype.
void ReadCommon(ArgReader& args);
// With what every layer takes, and its keys as its arguments name them.
LayerForm FormOf(const LayerClass& layer, ArgReader& args);
// The form of the layer that the argument `name` is, as part of another; without a function where there is a problem.
LayerForm ReadInnerLayer(ArgReader& args, const std::string& name);

// One tensor in, one out, from the channels of what comes in.
LayerForm OneToOne(std::function<BuiltLayer(int64_t channels)> build);
// The same without parameters, for each value, or with other channels than come in.
LayerForm Pointwise(std::function<at::Tensor(const at::Tensor&)> function);
LayerForm Rearranging(std::function<at::Tensor(const at::Tensor&)> function);

template <typename L, typename... Args>
BuiltLayer Built(int64_t out_channels, Args&&... args) {
  auto layer = std::make_shared<L>(std::forward<Args>(args)...);
  return {layer, [layer](const std::vector<at::Tensor>& inputs) { return std::vector{layer->Forward(inputs[0])}; },
          out_channels};
}

// Size of the last axis, 0 for an undefined tensor. Throws ValueError, naming the port, for fewer than two axes.
int64_t ChannelsOf(const at::Tensor& x, const std::string& port);

// How many of something are made one by one: an argument from `minimum` to 1024.
int64_t ReadCount(ArgReader& args, const std::string& name, int64_t fallback, int64_t minimum);
// An integer of at least 1 that has no default.
int64_t ReadRequired(ArgReader& args, const std::string& name);
// What nn.DilatedConvStack and decoders.DilatedConvDecoder have in common; `norm_type` is the default.
DilatedConvStack::Options ReadStack(ArgReader& args, const std::string& norm_type);
// nn.DilatedConvStack; `in` is open, and so is z_channels, which is above 0 where the stack is conditional.
DilatedConvStack::Options ReadDilatedConvStack(ArgReader& args);
// encoders.SinusoidalToHarmonicEncoder, with its net; what comes into that is open.
SinusoidalToHarmonicEncoder::Options ReadSinusoidalToHarmonic(ArgReader& args);
Nonlinearity ReadNonlinearity(ArgReader& args, const std::string& name, const std::string& fallback);
// A problem unless the argument has the one value that is possible here, with or without its modules.
void ExpectText(ArgReader& args, const std::string& name, const std::string& only);

}  // namespace ddsp
