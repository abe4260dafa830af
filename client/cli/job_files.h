// Files of a job on their way to a folder of the user's.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/sdk/blob_transfer.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::client {

// Where `file` belongs below `folder`. Errors: INVALID_ARGUMENT for a path that would lead out of it.
absl::StatusOr<std::string> PathBelow(const std::string& folder, const v1::JobFile& file);

// Fetches it there. Errors: those of BlobTransfer, too.
absl::Status Fetch(BlobTransfer& blobs, const v1::JobFile& file, const std::string& folder,
                   const TransferProgress& progress = {});

}  // namespace ddsp::client
