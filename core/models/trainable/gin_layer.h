// Layers of graphs as parts of models: the same classes, arguments and messages.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/graph/layer_form.h"
#include "core/models/trainable/gin_arguments.h"

namespace ddsp {

// How many channels a feature has, by name; what is not listed has one.
using FeatureChannels = std::map<std::string, int64_t>;

// A layer that fits features of known channels.
class GinLayer : public Layer {
 public:
  GinLayer(LayerForm form, BuiltLayer built) : form_(std::move(form)), built_(std::move(built)) {}

  const LayerForm& form() const { return form_; }
  int64_t channels() const { return built_.channels; }  // of its first result; 0: not known
  // Inputs in the order of the ports, results in theirs. Throws ValueError for shapes.
  std::vector<at::Tensor> Forward(const std::vector<at::Tensor>& inputs) const { return built_.forward(inputs); }
  // The same by name. Errors: NOT_FOUND for a missing feature, INVALID_ARGUMENT for shapes.
  absl::StatusOr<NamedTensors> Forward(const NamedTensors& features) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  const LayerForm form_;
  const BuiltLayer built_;
};

// A sequence of zeros [1, a few steps, channels], to build and measure layers with.
at::Tensor ZeroSequence(int64_t channels);

// The layer of a class for features with `channels`. Null if there is a problem, which is noted where the parameter is;
// layers that act in training are one, for models train.
std::unique_ptr<GinLayer> LayerFromGin(GinArguments& args, const LayerClass& layer, const FeatureChannels& channels);

// What `read` makes of the arguments as a graph has them. Problems are noted where the parameters are; OK tells that
// there are none.
bool ReadAsGraph(GinArguments& args, const std::function<void(ArgReader&)>& read);

}  // namespace ddsp
