// A client that plays until it is killed.
#pragma once

#include <string>

namespace ddsp::soak {

// Returns only when the server ends its session.
int RunCrashDummy(const std::string& server, const std::string& voice);

}  // namespace ddsp::soak
