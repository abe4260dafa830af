// What sub-commands that read gin have in common.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/gin/config.h"

namespace ddsp::client {

struct GinOptions {
  std::vector<std::string> search_paths;  // for includes
  std::vector<std::string> params;        // bindings over those of the file
};

// Upstream's --gin_search_path and --gin_param, also with dashes.
void AddGinOptions(CLI::App& app, GinOptions* options);

// Errors name file, line and column.
absl::StatusOr<gin::Config> ReadGin(const std::string& file, const GinOptions& options);

}  // namespace ddsp::client
