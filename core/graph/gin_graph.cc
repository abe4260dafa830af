#include "core/graph/gin_graph.h"

#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/gin/registry.h"

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

// "synths.Harmonic" for "ddsp.synths.Harmonic".
std::string ShortClass(const std::string& name) {
  const size_t last = name.rfind('.'), before = last == std::string::npos ? last : name.rfind('.', last - 1);
  return before == std::string::npos ? name : name.substr(before + 1);
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

constexpr int kDeepest = 8;  // layers in layers

// The items of a list if all of them are a T.
template <typename T>
std::optional<std::vector<T>> ItemsOf(const std::vector<Value>& items) {
  std::vector<T> all;
  for (const Value& item : items) {
    const T* one = item.As<T>();
    if (one == nullptr) return std::nullopt;
    all.push_back(*one);
  }
  return all;
}

// (("amps", 1), ...).
std::optional<NamedSizes> SizesOf(const std::vector<Value>& items) {
  NamedSizes sizes;
  for (const Value& item : items) {
    const auto* pair = item.items();
    if (pair == nullptr || pair->size() != 2) return std::nullopt;
    const auto* name = (*pair)[0].As<std::string>();
    const auto* size = (*pair)[1].As<int64_t>();
    if (name == nullptr || size == nullptr) return std::nullopt;
    sizes.emplace_back(*name, *size);
  }
  return sizes;
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
    for (const auto& [name, argument] : *parameters) {
      const std::string* text = argument.As<std::string>();
      if (name == "name" && text != nullptr && given_name.empty()) node->name = *text;
      // Losses alone use a name besides their node's.
      if (name == "name" && !node->class_name.starts_with("losses.")) continue;
      AddArgument(name, argument, /*depth=*/0, node);
    }
  }

  static bool IsSpectrogram(const gin::Reference& reference) {
    const auto known = gin::DdspConfigurables().Find(reference.selector);
    return known.ok() && (*known)->name.starts_with("ddsp.spectral_ops.");
  }

  // The class under `name`, its arguments below it.
  void AddNested(const std::string& name, const gin::Reference& reference, const gin::Position& position, int depth,
                 GraphNode* node) {
    const auto known = gin::DdspConfigurables().Find(reference.selector);
    if (!known.ok()) return;  // noted already
    if (depth >= kDeepest) return Problem(position, absl::StrCat(name, " has more than ", kDeepest, " layers inside"));
    node->args[name] = ShortClass((*known)->name);
    const auto parameters = config_.ParametersOf(gin::Reference{reference.scope, (*known)->name}, owner_.scope);
    if (!parameters.ok()) return Note(parameters.status());
    for (const auto& [parameter, value] : *parameters) {
      if (parameter != "name") AddArgument(absl::StrCat(name, "/", parameter), value, depth + 1, node);
    }
  }

  void AddList(const std::string& name, const Value& value, int depth, GraphNode* node) {
    if (auto layers = ItemsOf<gin::Reference>(*value.items()); layers && !layers->empty()) {
      for (size_t i = 0; i < layers->size(); ++i) {
        AddNested(absl::StrCat(name, "/", i), (*layers)[i], (*value.items())[i].position(), depth, node);
      }
    } else if (auto integers = ItemsOf<int64_t>(*value.items())) {
      node->args[name] = *std::move(integers);
    } else if (auto texts = ItemsOf<std::string>(*value.items())) {
      node->args[name] = *std::move(texts);
    } else if (auto sizes = SizesOf(*value.items())) {
      node->args[name] = *std::move(sizes);
    } else {
      Problem(value.position(), name + " has items that are neither integers, nor texts, nor names with their sizes");
    }
  }

  void AddArgument(const std::string& name, const Value& value, int depth, GraphNode* node) {
    if (value.is_none()) {
      node->args[name] = std::monostate();
    } else if (const auto* flag = value.As<bool>()) {
      node->args[name] = *flag;
    } else if (const auto* integer = value.As<int64_t>()) {
      node->args[name] = *integer;
    } else if (const auto* real = value.As<double>()) {
      node->args[name] = *real;
    } else if (const auto* text = value.As<std::string>()) {
      node->args[name] = *text;
    } else if (const auto* reference = value.As<gin::Reference>()) {
      // Functions have their own bindings; those of scale functions are fixed.
      if (reference->form == gin::Reference::Form::kCalled || IsSpectrogram(*reference)) {
        return AddNested(name, *reference, value.position(), depth, node);
      }
      node->args[name] = reference->selector;
    } else if (value.items() != nullptr) {
      AddList(name, value, depth, node);
    } else {
      Problem(value.position(), absl::StrCat(name, " is ", value.Describe(), ", which no module takes"));
    }
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
