#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/models/voice.h"

namespace ddsp::client {

// One voice for people.
void PrintVoice(const Voice& voice);

// Prints what lies in a repository, a directory or s3://BUCKET/PREFIX, without a server.
absl::Status ListRepository(const std::string& repository, bool json);

}  // namespace ddsp::client
