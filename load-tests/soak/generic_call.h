// Any method of a server with any bytes, by its name alone.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace ddsp::soak {

// Sends all messages, ends the input, and reads up to the end, for `deadline_seconds` at most. Answers go unread.
absl::Status CallAnything(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                          const std::vector<std::string>& messages, double deadline_seconds);

}  // namespace ddsp::soak
