// The servers that a target names.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ddsp::client {

// Splits "a:8001,b:8001" and "ipv4:10.0.0.1:8001,10.0.0.2:8001" into one address each; anything else is one. Errors:
// INVALID_ARGUMENT where there is none, or an empty one.
absl::StatusOr<std::vector<std::string>> SplitServers(const std::string& target);

// The addresses behind `servers` now: "dns:///name:port" becomes each that the name has, so that a server can be left
// for another one of its name; a name that does not resolve stays as it is, to be tried. Blocks while it asks.
std::vector<std::string> ResolveServers(absl::Span<const std::string> servers);

}  // namespace ddsp::client
