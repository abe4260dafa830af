#include "core/graph/gin_graph.h"

#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/gin/registry.h"
#include "core/graph/constructor_from_gin.h"

namespace ddsp {
namespace {

using gin::Value;

// Functions whose arguments our processors have fixed, with upstream's defaults.
const std::map<std::string, std::map<std::string, Value::Content>>& FixedArguments() {
  static const auto* const fixed = new std::map<std::string, std::map<std::string, Value::Content>>{
      {"core.exp_sigmoid", {{"exponent", 10.0}, {"max_value", 2.0}, {"threshold", 1e-7}}},
      {"core.sym_exp_sigmoid", {{"width", 8.0}}},
      {"core.frequencies_softmax", {{"depth", int64_t{1}}, {"hz_min", 20.0}, {"hz_max", 8000.0}}},
      {"core.frequencies_sigmoid", {{"depth", int64_t{1}}, {"hz_min", 0.0}, {"hz_max", 8000.0}}},
      {"core.frequencies_critical_bands",
       {{"depth", int64_t{1}},
        {"depth_scale", 10.0},
        {"bandwidth_scale", 1.0},
        {"hz_min", 20.0},
        {"hz_max", 8000.0},
        {"scale", std::string("bark")}}},
      {"core.oscillator_bank", {{"use_angular_cumsum", false}, {"sum_sinusoids", true}}},
      {"core.angular_cumsum", {{"chunk_size", int64_t{1000}}}},
  };
  return *fixed;
}

bool SameNumber(const Value& value, const Value::Content& expected) {
  const Value other(expected);
  const auto number = [](const Value& v) {
    if (const auto* integer = v.As<int64_t>()) return static_cast<double>(*integer);
    const auto* real = v.As<double>();
    return real != nullptr ? *real : std::numeric_limits<double>::quiet_NaN();
  };
  return value == other || number(value) == number(other);
}

class GraphBuilder {
 public:
  GraphBuilder(const gin::Config& config, const GinGraphOwner& owner) : config_(config), owner_(owner) {}

  absl::StatusOr<GraphSpec> Run() {
    Note(gin::CheckKnown(config_, gin::DdspConfigurables()));
    CheckFixed();
    ASSIGN_OR_RETURN(owner_parameters_, config_.ParametersOf(owner_.selector, owner_.scope));
    const auto dag = owner_parameters_.find("dag");
    if (dag == owner_parameters_.end()) {
      return absl::NotFoundError(absl::StrCat("the configuration does not bind ", owner_.selector, ".dag"));
    }
    if (dag->second.items() == nullptr) {
      return gin::ErrorAt(dag->second.position(), absl::StrCat("dag is ", dag->second.Describe(), ", expected a list"));
    }
    for (const Value& entry : *dag->second.items()) AddNode(entry);
    if (!problems_.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
    spec_.inputs = InferInputs(spec_);
    return std::move(spec_);
  }

 private:
  void CheckFixed() {
    for (const auto& [key, binding] : config_.bindings()) {
      for (const auto& [function, arguments] : FixedArguments()) {
        if (!gin::SelectorsMatch(key.selector, function)) continue;
        const auto expected = arguments.find(key.parameter);
        const auto value = config_.Resolve(binding.value);
        if (expected == arguments.end() || !value.ok() || SameNumber(*value, expected->second)) continue;
        Problem(binding.position, absl::StrCat(gin::ToString(key), " is ", value->Describe(), ", which a graph cannot ",
                                               "have: it is ", gin::ToString(Value(expected->second)), " here"));
      }
    }
  }

  // (module, [input keys]) or (module, [input keys], [output keys])
  void AddNode(const Value& entry) {
    const auto* parts = entry.items();
    if (parts == nullptr || parts->size() < 2 || parts->size() > 3) {
      Problem(entry.position(), "a node is (module, [input keys]) or (module, [input keys], [output keys])");
      return;
    }
    GraphNode node;
    node.where = gin::ToString((*parts)[0].position());
    if (const std::string* name = (*parts)[0].As<std::string>()) {
      const auto module = owner_parameters_.find(*name);
      if (module == owner_parameters_.end()) {
        Problem((*parts)[0].position(), absl::StrCat(owner_.selector, " has no module ", gin::Quote(*name)));
        return;
      }
      node.name = *name;
      AddModule(module->second, &node);
    } else {
      AddModule((*parts)[0], &node);
    }
    node.inputs = Keys((*parts)[1]);
    if (parts->size() == 3) node.outputs = Keys((*parts)[2]);
    spec_.nodes.push_back(std::move(node));
  }

  void AddModule(const Value& value, GraphNode* node) {
    const auto* reference = value.As<gin::Reference>();
    if (reference == nullptr || reference->form != gin::Reference::Form::kCalled) {
      Problem(value.position(), absl::StrCat("a module is ", value.Describe(), ", expected @class()"));
      return;
    }
    const auto known = gin::DdspConfigurables().Find(reference->selector);
    if (!known.ok()) return;  // noted already
    node->class_name = ShortClass((*known)->name);
    const auto parameters = config_.ParametersOf(gin::Reference{reference->scope, (*known)->name}, owner_.scope);
    if (!parameters.ok()) return Note(parameters.status());
    const std::string given_name = node->name;
    if (node->name.empty()) node->name = DefaultModuleName(node->class_name);
    const auto own = parameters->find("name");
    const std::string* text = own == parameters->end() ? nullptr : own->second.As<std::string>();
    if (text != nullptr && given_name.empty()) node->name = *text;
    const std::string inside = gin::ScopeOf(*reference, owner_.scope);
    auto arguments = ConstructorFromGin(config_, *parameters, inside);
    if (!arguments.ok()) return Note(arguments.status());
    node->args = *std::move(arguments);
    // Losses alone use a name besides their node's.
    if (text != nullptr && node->class_name.starts_with("losses.")) node->args["name"] = *text;
  }

  std::vector<std::string> Keys(const Value& value) {
    std::vector<std::string> keys;
    if (value.items() == nullptr) {
      Problem(value.position(), absl::StrCat("keys are ", value.Describe(), ", expected a list of texts"));
      return keys;
    }
    for (const Value& item : *value.items()) {
      const std::string* key = item.As<std::string>();
      if (key == nullptr) {
        Problem(item.position(), absl::StrCat("a key is ", item.Describe(), ", expected a text"));
      } else {
        keys.push_back(*key);
      }
    }
    return keys;
  }

  void Problem(const gin::Position& position, const std::string& what) {
    problems_.push_back(absl::StrCat(gin::ToString(position), ": ", what));
  }
  void Note(const absl::Status& status) {
    if (!status.ok()) problems_.emplace_back(status.message());
  }

  const gin::Config& config_;
  const GinGraphOwner& owner_;
  gin::Parameters owner_parameters_;
  GraphSpec spec_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<GinGraphOwner> FindGraph(const gin::Config& config) {
  std::vector<GinGraphOwner> owners;
  std::vector<std::string> names;
  for (const auto& [key, binding] : config.bindings()) {
    if (key.parameter != "dag") continue;
    if (gin::SelectorsMatch(key.selector, "processors.ProcessorGroup")) return GinGraphOwner{key.selector, key.scope};
    owners.push_back({key.selector, key.scope});
    names.push_back(gin::ToString(key));
  }
  if (owners.size() == 1) return owners.front();
  if (owners.empty()) return absl::NotFoundError("the configuration binds no ProcessorGroup.dag");
  return absl::InvalidArgumentError(absl::StrCat("the configuration has several graphs: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<GraphSpec> GraphFromGin(const gin::Config& config, const GinGraphOwner& owner) {
  return GraphBuilder(config, owner).Run();
}

absl::StatusOr<GraphSpec> GraphFromGin(const gin::Config& config) {
  ASSIGN_OR_RETURN(const GinGraphOwner owner, FindGraph(config));
  return GraphFromGin(config, owner);
}

}  // namespace ddsp
