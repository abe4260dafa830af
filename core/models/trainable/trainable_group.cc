#include "core/models/trainable/trainable_group.h"

#include "absl/strings/str_cat.h"
#include "core/gin/reader.h"
#include "core/graph/gin_graph.h"

namespace ddsp {
namespace {

std::unique_ptr<TrainableGroup> Build(const gin::Config& config, const std::string& scope, GinProblems* problems) {
  const absl::StatusOr<GraphSpec> spec = GraphFromGin(config, {"processors.ProcessorGroup", scope});
  problems->Add(spec.status());
  if (!spec.ok()) return nullptr;
  absl::StatusOr<ValidatedGraph> graph = ValidateGraphSpec(*spec);
  problems->Add(graph.status());
  if (!graph.ok()) return nullptr;
  return std::make_unique<TrainableGroup>(ProcessorGroup(*std::move(graph)));
}

}  // namespace

TrainableGroup::TrainableGroup(ProcessorGroup group) : group_(std::move(group)) {
  for (const ParameterSpec& spec : group_.parameters()) {
    parameters_[spec.name] = Parameter(spec.shape, spec.initial_mean, spec.initial_stddev);
  }
}

absl::StatusOr<NamedTensors> TrainableGroup::Run(const NamedTensors& inputs, const ModelContext& context) const {
  GroupContext group_context;
  for (const auto& [name, parameter] : parameters_) group_context.parameters[name] = parameter.value;
  group_context.noise = context.noise;
  group_context.generator = context.generator;
  group_context.part = context.part;
  return group_.Run(inputs, group_context);
}

void TrainableGroup::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  for (auto& [name, parameter] : parameters_) visit(prefix + name, parameter);
}

std::unique_ptr<TrainableGroup> TrainableGroupFromGin(GinArguments& args) {
  std::optional<GinArguments> group = args.Child("processor_group");
  if (group) return Build(args.config(), group->scope(), &args.problems());
  args.Reject("processor_group", "is missing");
  return nullptr;
}

std::unique_ptr<TrainableGroup> TrainableGroupFromGin(GinArguments& args, const FixedGroup& fixed) {
  // In a scope of its own, whose bindings win over those that the configuration has without one.
  constexpr absl::string_view kScope = "fixed_by_the_model";
  gin::Config config = args.config();
  std::vector<std::string> bindings = {absl::StrCat(kScope, "/processors.ProcessorGroup.dag = ", fixed.dag)};
  for (const std::string& binding : fixed.bindings) bindings.push_back(absl::StrCat(kScope, "/", binding));
  const absl::Status bound = gin::Override(bindings, &config);
  args.problems().Add(bound);
  return bound.ok() ? Build(config, std::string(kScope), &args.problems()) : nullptr;
}

}  // namespace ddsp
