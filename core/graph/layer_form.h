// Layers as nodes of a graph: what goes in and comes out by name, and how one is made that fits what arrives.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
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

struct LayerForm {
  std::vector<Port> inputs = {{.name = "x"}};
  std::vector<std::string> results = {"out"};
  Naming naming = Naming::kByGraph;
  // As many inputs as ports; optional ones may be undefined. Throws ValueError.
  std::function<BuiltLayer(const std::vector<at::Tensor>& inputs)> build;
};

// A class under its upstream name; problems with its arguments go to `args`.
struct LayerClass {
  const char* name;  // "nn.FcStack"
  LayerForm (*form)(ArgReader& args);
};

absl::Span<const LayerClass> PlainLayers();  // upstream: training/nn.py, and Keras's own
absl::Span<const LayerClass> CoderLayers();  // upstream: training/encoders.py, decoders.py

// The class that `name` means, with or without its modules; null if there is none.
const LayerClass* FindLayer(absl::Span<const LayerClass> classes, const std::string& name);

// Size of the last axis, 0 for an undefined tensor. Throws ValueError, naming the port, for fewer than two axes.
int64_t ChannelsOf(const at::Tensor& x, const std::string& port);

// How many of something are made one by one: an argument from `minimum` to 1024.
int64_t ReadCount(ArgReader& args, const std::string& name, int64_t fallback, int64_t minimum);
// An integer of at least 1 that has no default.
int64_t ReadRequired(ArgReader& args, const std::string& name);

}  // namespace ddsp
