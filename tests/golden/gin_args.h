// What a gin configuration binds, in the form of the arguments of golden cases.
#pragma once

#include <string>

#include "core/gin/config.h"
#include "nlohmann/json.hpp"

namespace ddsp::golden {

class GinArgs {
 public:
  // Throws std::runtime_error that names line and column.
  static GinArgs Parse(const std::string& text);

  const gin::Config& config() const { return config_; }
  // All parameters of a class, with or without its module ("synths.Harmonic"), macros replaced; tuples are lists, a
  // reference @x or @x() is the text "x".
  nlohmann::json ParametersOf(const std::string& class_name) const;

 private:
  gin::Config config_;
};

}  // namespace ddsp::golden
