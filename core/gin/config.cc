#include "core/gin/config.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace ddsp::gin {
namespace {

// Replaces macros, and notices those that lead back to themselves or make the value huge.
class Resolver {
 public:
  explicit Resolver(const std::map<std::string, Binding>& macros) : macros_(macros) {}

  absl::StatusOr<Value> Run(const Value& value) {
    if (++size_ > kMaxSize) {
      return ErrorAt(value.position(), absl::StrCat("macros make more than ", kMaxSize, " values of this"));
    }
    if (const Macro* macro = value.As<Macro>()) return Expand(*macro, value.position());
    if (const List* list = value.As<List>()) {
      ASSIGN_OR_RETURN(std::vector<Value> items, RunAll(list->items));
      return Value(List{std::move(items)}, value.position());
    }
    if (const Tuple* tuple = value.As<Tuple>()) {
      ASSIGN_OR_RETURN(std::vector<Value> items, RunAll(tuple->items));
      return Value(Tuple{std::move(items)}, value.position());
    }
    const Dict* dict = value.As<Dict>();
    if (dict == nullptr) return value;
    Dict resolved;
    for (const auto& [key, item] : dict->items) {
      ASSIGN_OR_RETURN(Value new_key, Run(key));
      ASSIGN_OR_RETURN(Value new_item, Run(item));
      resolved.items.emplace_back(std::move(new_key), std::move(new_item));
    }
    return Value(std::move(resolved), value.position());
  }

 private:
  static constexpr int kMaxSize = 100000, kMaxDepth = 100;

  absl::StatusOr<std::vector<Value>> RunAll(const std::vector<Value>& items) {
    std::vector<Value> resolved;
    for (const Value& item : items) {
      ASSIGN_OR_RETURN(Value next, Run(item));
      resolved.push_back(std::move(next));
    }
    return resolved;
  }

  absl::StatusOr<Value> Expand(const Macro& macro, const Position& position) {
    const auto it = macros_.find(macro.name);
    if (it == macros_.end()) return ErrorAt(position, absl::StrCat("no macro %", macro.name));
    if (std::find(open_.begin(), open_.end(), macro.name) != open_.end()) {
      return ErrorAt(position, absl::StrCat("the macro %", macro.name,
                                            " is defined by itself: ", absl::StrJoin(open_, ", "), ", ", macro.name));
    }
    if (open_.size() == kMaxDepth) {
      return ErrorAt(position, absl::StrCat("more than ", kMaxDepth, " macros in a chain"));
    }
    open_.push_back(macro.name);
    absl::StatusOr<Value> value = Run(it->second.value);
    open_.pop_back();
    return value;
  }

  const std::map<std::string, Binding>& macros_;
  std::vector<std::string> open_;
  int size_ = 0;
};

// "" and every leading part of "a/b/c", shortest first.
std::vector<std::string> ScopesOver(absl::string_view scope) {
  std::vector<std::string> scopes = {""};
  if (scope.empty()) return scopes;
  for (size_t slash = scope.find('/'); slash != absl::string_view::npos; slash = scope.find('/', slash + 1)) {
    scopes.emplace_back(scope.substr(0, slash));
  }
  scopes.emplace_back(scope);
  return scopes;
}

}  // namespace

std::string ToString(const BindingKey& key) {
  return absl::StrCat(key.scope, key.scope.empty() ? "" : "/", key.selector, ".", key.parameter);
}

std::string ScopeOf(const Reference& reference, absl::string_view active_scope) {
  return reference.scope.empty() ? std::string(active_scope) : reference.scope;
}

void Config::Bind(const BindingKey& key, Value value, const Position& position) {
  for (auto& [other, binding] : bindings_) {
    if (other.scope == key.scope && other.parameter == key.parameter && SelectorsMatch(other.selector, key.selector)) {
      binding = {value, position};
    }
  }
  bindings_[key] = {std::move(value), position};
}

void Config::SetMacro(const std::string& name, Value value, const Position& position) {
  macros_[name] = {std::move(value), position};
}

bool Config::Mentions(absl::string_view selector) const {
  return std::any_of(bindings_.begin(), bindings_.end(),
                     [&](const auto& entry) { return SelectorsMatch(entry.first.selector, selector); });
}

absl::StatusOr<Parameters> Config::ParametersOf(absl::string_view selector, absl::string_view scope) const {
  std::map<std::string, const Value*> bound;
  for (const std::string& part : ScopesOver(scope)) {
    for (auto it = bindings_.lower_bound({part, "", ""}); it != bindings_.end() && it->first.scope == part; ++it) {
      if (SelectorsMatch(it->first.selector, selector)) bound[it->first.parameter] = &it->second.value;
    }
  }
  Parameters parameters;
  for (const auto& [name, value] : bound) {
    ASSIGN_OR_RETURN(parameters[name], Resolve(*value));
  }
  return parameters;
}

absl::StatusOr<Parameters> Config::ParametersOf(const Reference& reference, absl::string_view active_scope) const {
  return ParametersOf(reference.selector, ScopeOf(reference, active_scope));
}

absl::StatusOr<Value> Config::Get(absl::string_view selector, absl::string_view parameter,
                                  absl::string_view scope) const {
  ASSIGN_OR_RETURN(const Parameters parameters, ParametersOf(selector, scope));
  const auto it = parameters.find(std::string(parameter));
  if (it != parameters.end()) return it->second;
  return absl::NotFoundError(absl::StrCat("the configuration does not bind ", selector, ".", parameter));
}

absl::StatusOr<Value> Config::GetMacro(absl::string_view name) const {
  const auto it = macros_.find(std::string(name));
  if (it == macros_.end()) return absl::NotFoundError(absl::StrCat("the configuration has no macro ", name));
  return Resolve(it->second.value);
}

absl::StatusOr<Value> Config::Resolve(const Value& value) const { return Resolver(macros_).Run(value); }

}  // namespace ddsp::gin
