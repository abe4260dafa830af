#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/gin_options.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/gin/printer.h"
#include "core/gin/registry.h"
#include "core/gin/update.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;

struct UpdateOptions {
  std::vector<std::string> files;
  std::string output;
  bool overwrite = false;
};

// Upstream's place for the result: updated_NAME beside the file.
std::string TargetOf(const std::string& file, const UpdateOptions& options) {
  if (!options.output.empty()) return options.output;
  if (options.overwrite) return file;
  const fs::path path(file);
  return (path.parent_path() / ("updated_" + path.filename().string())).string();
}

absl::Status UpdateAll(const UpdateOptions& options) {
  for (const std::string& file : options.files) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
    ASSIGN_OR_RETURN(const gin::Update update, gin::UpdateConfig(text, file));
    const std::string target = TargetOf(file, options);
    RETURN_IF_ERROR(WriteFileAtomically(target, update.text));
    std::cout << file << " -> " << target << ": " << update.changes.size() << " changes\n";
    for (const std::string& change : update.changes) std::cout << "  " << change << "\n";
  }
  return absl::OkStatus();
}

struct ShowOptions {
  std::string file;
  GinOptions gin;
};

absl::Status Show(const ShowOptions& options) {
  ASSIGN_OR_RETURN(const gin::Config config, ReadGin(options.file, options.gin));
  RETURN_IF_ERROR(gin::CheckKnown(config, gin::DdspConfigurables()));
  std::cout << gin::Print(config);
  return absl::OkStatus();
}

}  // namespace

Action DeclareGinUpdate(CLI::App& app) {
  auto options = std::make_shared<UpdateOptions>();
  app.add_option("FILE", options->files, "Configurations that an older release wrote")->required();
  CLI::Option* out = app.add_option("--out", options->output, "Result; updated_FILE beside the file by default");
  app.add_flag("--overwrite", options->overwrite, "Write over the file")->excludes(out);
  app.final_callback([options] {
    if (!options->output.empty() && options->files.size() > 1) throw CLI::ValidationError("--out", "takes one FILE");
  });
  return [options] { return UpdateAll(*options); };
}

Action DeclareGinShow(CLI::App& app) {
  auto options = std::make_shared<ShowOptions>();
  app.add_option("FILE", options->file, "Configuration")->required();
  AddGinOptions(app, &options->gin);
  return [options] { return Show(*options); };
}

}  // namespace ddsp::client
