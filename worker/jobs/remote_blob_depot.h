#pragma once

#include <memory>
#include <string>

#include "client/sdk/blob_transfer.h"
#include "worker/jobs/blob_depot.h"
#include "worker/jobs/stop_token.h"

namespace ddsp::worker {

// The blobs of a server behind a channel, for one job: `stop`, which outlives this, ends its transfers.
class RemoteBlobDepot : public BlobDepot {
 public:
  RemoteBlobDepot(const std::shared_ptr<grpc::Channel>& channel, StopToken& stop);
  absl::Status Fetch(const std::string& sha256, const std::string& target) override;
  absl::StatusOr<v1::JobFile> Store(const std::string& source, const std::string& path) override;

 private:
  client::BlobTransfer down_, up_;
};

}  // namespace ddsp::worker
