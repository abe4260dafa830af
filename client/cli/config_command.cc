#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "client/cli/command.h"
#include "core/base/status_macros.h"
#include "server/flags.h"

namespace ddsp::client {
namespace {

absl::Status Check(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string resolved, server::ResolveConfig(file));
  std::cout << resolved;
  return absl::OkStatus();
}

}  // namespace

Action DeclareConfigCheck(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.add_option("FILE", *file, "What ddsp-server --config would read; printed with every default as a comment")
      ->required();
  app.footer("Exit codes: 0 a server would start with it as far as can be told without one, 1 it would not, 2 usage.");
  return [file] { return Check(*file); };
}

}  // namespace ddsp::client
