// Where a server's voices come from.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "server/registry/curator.h"
#include "server/server_options.h"

namespace ddsp::server {

// The repository that the server was given, a directory or a store in S3; then that of its trained voices, if it keeps
// jobs. Errors: a store that cannot be opened.
absl::StatusOr<std::vector<Curator::Repository>> RepositoriesOf(const ServerOptions& options);

}  // namespace ddsp::server
