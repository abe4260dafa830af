// A processor group whose parameters are a layer's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/graph/processor_group.h"
#include "core/models/trainable/gin_arguments.h"
#include "core/models/trainable/model.h"

namespace ddsp {

class TrainableGroup : public Layer {
 public:
  explicit TrainableGroup(ProcessorGroup group);

  const ValidatedGraph& graph() const { return group_.graph(); }
  // As ProcessorGroup::Run().
  absl::StatusOr<NamedTensors> Run(const NamedTensors& inputs, const ModelContext& context) const;
  // "reverb/ir", ...
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  ProcessorGroup group_;
  std::map<std::string, Parameter> parameters_;
};

// The processors.ProcessorGroup that the parameter `processor_group` of a model refers to. Null if there is a problem.
std::unique_ptr<TrainableGroup> TrainableGroupFromGin(GinArguments& args);

// The group of a model that brings its own: a dag in gin, and what the model fixes of its processors
// ("Sinusoidal.amp_scale_fn = None"); the rest is up to the configuration. Null if there is a problem.
struct FixedGroup {
  std::string dag;
  std::vector<std::string> bindings;
};
std::unique_ptr<TrainableGroup> TrainableGroupFromGin(GinArguments& args, const FixedGroup& fixed);

}  // namespace ddsp
