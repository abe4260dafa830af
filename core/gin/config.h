// A gin configuration: which values the parameters of configurables have, by scope, and macros.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/gin/value.h"

namespace ddsp::gin {

// scope/selector.parameter, the selector as it was written: "synths.Harmonic" or "Harmonic".
struct BindingKey {
  std::string scope, selector, parameter;
  auto operator<=>(const BindingKey&) const = default;
};
std::string ToString(const BindingKey& key);

struct Binding {
  Value value;
  Position position;  // of the key; not compared
  bool operator==(const Binding& other) const { return value == other.value; }
};

using Parameters = std::map<std::string, Value>;

// Selectors are told apart by their text; a question about one is answered by all that match it (SelectorsMatch).
class Config {
 public:
  void AddImport(std::string statement) { imports_.push_back(std::move(statement)); }
  // A later value takes the place of an earlier one. Sets it for every selector present that matches.
  void Bind(const BindingKey& key, Value value, const Position& position);
  void SetMacro(const std::string& name, Value value, const Position& position);

  const std::vector<std::string>& imports() const { return imports_; }  // "import ddsp.training as training"
  const std::map<BindingKey, Binding>& bindings() const { return bindings_; }
  const std::map<std::string, Binding>& macros() const { return macros_; }

  // Whether any parameter of the configurable is bound, in whatever scope.
  bool Mentions(absl::string_view selector) const;
  // The parameters bound for a configurable that is used in `scope`: those without a scope, then those of "a", then of
  // "a/b", a later one taking the place of an earlier one. Macros are resolved, references stay.
  // Errors: INVALID_ARGUMENT with the position of a macro that is unknown or defined by itself.
  absl::StatusOr<Parameters> ParametersOf(absl::string_view selector, absl::string_view scope = "") const;
  // The parameters of what a reference names, used where `active_scope` is active: a reference without a scope of its
  // own passes on the one that it is used in.
  absl::StatusOr<Parameters> ParametersOf(const Reference& reference, absl::string_view active_scope = "") const;
  // One parameter. Errors: as above, and NOT_FOUND.
  absl::StatusOr<Value> Get(absl::string_view selector, absl::string_view parameter,
                            absl::string_view scope = "") const;
  absl::StatusOr<Value> GetMacro(absl::string_view name) const;

  // The value with every macro in it replaced by what it stands for.
  absl::StatusOr<Value> Resolve(const Value& value) const;

  // Positions are not compared.
  bool operator==(const Config&) const = default;

 private:
  std::vector<std::string> imports_;
  std::map<std::string, Binding> macros_;
  std::map<BindingKey, Binding> bindings_;
};

// The scope that is active inside what `reference` names.
std::string ScopeOf(const Reference& reference, absl::string_view active_scope);

}  // namespace ddsp::gin
