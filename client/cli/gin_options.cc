#include "client/cli/gin_options.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/base/status_macros.h"
#include "core/gin/reader.h"

namespace ddsp::client {

void AddGinOptions(CLI::App& app, GinOptions* options) {
  app.add_option("--gin_search_path,--gin-search-path", options->search_paths, "Directory of included files")
      ->allow_extra_args(false);
  app.add_option("--gin_param,--gin-param", options->params,
                 "Binding over those of the file: 'Harmonic.n_samples=1600'")
      ->allow_extra_args(false);
}

absl::StatusOr<gin::Config> ReadGin(const std::string& file, const GinOptions& options) {
  ASSIGN_OR_RETURN(gin::Config config, gin::ReadConfig(file, gin::DiskFiles(options.search_paths)));
  RETURN_IF_ERROR(gin::Override(options.params, &config));
  return config;
}

}  // namespace ddsp::client
