// absl::Status (with the payloads of server/errors) to grpc::Status with google.rpc.Status as its details, and
// trailers.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace ddsp::server {

grpc::Status ToGrpc(const absl::Status& status);

// Trailing metadata that goes with a status: grpc-retry-pushback-ms where a retry is worthwhile, or (-1)
// where it is known not to be.
std::map<std::string, std::string> TrailersOf(const absl::Status& status);

}  // namespace ddsp::server
