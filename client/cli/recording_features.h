// Features of a recording on disk.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/sdk/server_address.h"
#include "core/features/feature_extractor.h"

namespace ddsp::client {

// Reads `path`, brings it to the extractor's rate and extracts `frame_rate` frames a second.
absl::StatusOr<std::vector<FeatureFrame>> ExtractFromFile(const std::string& path, int frame_rate);

// The same by a server at HOST:PORT.
absl::StatusOr<std::vector<FeatureFrame>> ExtractRemotely(const std::string& path, int frame_rate,
                                                          const ServerAddress& server);

}  // namespace ddsp::client
