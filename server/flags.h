#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/server_options.h"

namespace ddsp::server {

// Exit codes of the program.
inline constexpr int kExitOk = 0, kExitFailure = 1, kExitUsage = 2;

struct ParsedFlags {
  ServerOptions options;
  std::optional<int> exit_code;  // set when the program should stop now: help was asked for, or a flag is wrong
};

// Reads the command line, and the file of --config for what is not on it; prints help or what is wrong.
ParsedFlags ParseFlags(int argc, const char* const* argv);

// What a server started with `--config FILE` alone would do: every flag with its value, in the form of such a file,
// those that it does not set as comments; of passwords in addresses nothing is told. Errors: those of reading,
// INVALID_ARGUMENT that names the line or the flag.
absl::StatusOr<std::string> ResolveConfig(const std::string& file);

}  // namespace ddsp::server
