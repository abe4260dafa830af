#pragma once

#include <optional>
#include <string>

#include "server/server_options.h"

namespace ddsp::server {

// Exit codes of the program.
inline constexpr int kExitOk = 0, kExitFailure = 1, kExitUsage = 2;

struct ParsedFlags {
  ServerOptions options;
  std::optional<int> exit_code;  // set when the program should stop now: help was asked for, or a flag is wrong
};

// Reads the command line; prints help or what is wrong.
ParsedFlags ParseFlags(int argc, const char* const* argv);

}  // namespace ddsp::server
