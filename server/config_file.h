// The file of --config: every flag of the program under its own name, in the text format of protocol buffers.
//
//   # What an operator sets once.
//   listen: "0.0.0.0:8001"
//   max_sessions: 64
//   load_model: "violin"        # a flag that may be repeated may be here more than once,
//   load_model: ["flute", "cello/2"]  # or have a list
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::server {

struct ConfigEntry {
  std::string flag;  // "--max-sessions"
  std::string value;
  int line = 0;  // from 1 on
};

// In the order of the file; whether there are such flags is not looked at. Errors: INVALID_ARGUMENT that names the line
// ("server.textproto:3: expected a value").
absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(const std::string& text, const std::string& file);

// One line of such a file.
std::string ConfigLine(const std::string& flag, const std::string& value);

}  // namespace ddsp::server
