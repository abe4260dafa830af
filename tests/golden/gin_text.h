// Bindings of a gin configuration as flat as the golden files have it: `Class.parameter = value`, macros, references.
// No scopes.
#pragma once

#include <map>
#include <string>

#include "nlohmann/json.hpp"

namespace ddsp::golden {

class GinText {
 public:
  // Throws std::runtime_error for text of another form.
  static GinText Parse(const std::string& text);

  // All parameters of a class, with or without its module ("synths.Harmonic"), macros replaced. A reference @x or @x()
  // is the text "x".
  nlohmann::json ParametersOf(const std::string& class_name) const;

 private:
  nlohmann::json Resolve(nlohmann::json value) const;

  std::map<std::string, nlohmann::json> macros_;
  std::map<std::string, std::map<std::string, nlohmann::json>> bindings_;  // by class without module
};

}  // namespace ddsp::golden
