#include "core/gin/registry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp::gin {
namespace {

absl::string_view LastName(absl::string_view selector) {
  const size_t dot = selector.rfind('.');
  return dot == absl::string_view::npos ? selector : selector.substr(dot + 1);
}

class Checker {
 public:
  Checker(const Config& config, const Registry& registry) : config_(config), registry_(registry) {}

  absl::Status Run() {
    for (const auto& [name, macro] : config_.macros()) CheckValue(macro.value);
    for (const auto& [key, binding] : config_.bindings()) {
      CheckBinding(key, binding.position);
      CheckValue(binding.value);
    }
    if (problems_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(problems_, "\n"));
  }

 private:
  void CheckBinding(const BindingKey& key, const Position& position) {
    const auto configurable = registry_.Find(key.selector);
    if (!configurable.ok()) {
      Problem(position, configurable.status().message());
    } else if (!(*configurable)->Takes(key.parameter)) {
      Problem(position, absl::StrCat(key.selector, " has no parameter '", key.parameter, "'; it has ",
                                     absl::StrJoin((*configurable)->parameters, ", ")));
    }
  }

  void CheckValue(const Value& value) {
    if (const Reference* reference = value.As<Reference>()) {
      const auto configurable = registry_.Find(reference->selector);
      if (!configurable.ok()) Problem(value.position(), configurable.status().message());
    }
    if (const std::vector<Value>* items = value.items()) {
      for (const Value& item : *items) CheckValue(item);
    }
    if (const Dict* dict = value.As<Dict>()) {
      for (const auto& [key, item] : dict->items) {
        CheckValue(key);
        CheckValue(item);
      }
    }
    if (const Macro* macro = value.As<Macro>(); macro != nullptr && !config_.macros().contains(macro->name)) {
      Problem(value.position(), absl::StrCat("no macro %", macro->name));
    }
  }

  void Problem(const Position& position, absl::string_view what) {
    problems_.push_back(absl::StrCat(ToString(position), ": ", what));
  }

  const Config& config_;
  const Registry& registry_;
  std::vector<std::string> problems_;
};

}  // namespace

bool Configurable::Takes(absl::string_view parameter) const {
  return extra == Extra::kAccepted || std::find(parameters.begin(), parameters.end(), parameter) != parameters.end();
}

Registry::Registry(std::vector<Configurable> configurables) : configurables_(std::move(configurables)) {
  for (size_t i = 0; i < configurables_.size(); ++i) {
    by_last_name_.emplace(std::string(LastName(configurables_[i].name)), i);
  }
}

absl::StatusOr<const Configurable*> Registry::Find(absl::string_view selector) const {
  std::vector<const Configurable*> found;
  const auto [begin, end] = by_last_name_.equal_range(LastName(selector));
  for (auto it = begin; it != end; ++it) {
    const Configurable& candidate = configurables_[it->second];
    if (candidate.name == selector) return &candidate;
    if (candidate.name.size() > selector.size() && SelectorsMatch(candidate.name, selector)) {
      found.push_back(&candidate);
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return absl::NotFoundError(absl::StrCat("unknown configurable '", selector, "'"));
  const auto name = [](std::string* out, const Configurable* c) { out->append(c->name); };
  return absl::InvalidArgumentError(
      absl::StrCat("'", selector, "' can mean ", absl::StrJoin(found, " or ", name), "; give more of its module"));
}

absl::Status CheckKnown(const Config& config, const Registry& registry) { return Checker(config, registry).Run(); }

}  // namespace ddsp::gin
