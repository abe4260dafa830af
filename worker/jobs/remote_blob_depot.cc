#include "worker/jobs/remote_blob_depot.h"

#include "core/base/status_macros.h"

namespace ddsp::worker {
namespace {

// Who holds a lease need not give up: when the lease is lost `cancellation` ends the call.
client::CallOptions Patient(client::Cancellation& cancellation) {
  client::CallOptions options;
  options.retry.give_up_after = options.retry.give_up_unmet_after = absl::Hours(1);
  options.cancellation = &cancellation;
  return options;
}

}  // namespace

RemoteBlobDepot::RemoteBlobDepot(const std::shared_ptr<grpc::Channel>& channel, StopToken& stop)
    : down_(channel, Patient(stop.reading())), up_(channel, Patient(stop.saving())) {}

absl::Status RemoteBlobDepot::Fetch(const std::string& sha256, const std::string& target) {
  return down_.Download(sha256, target);
}

absl::StatusOr<v1::JobFile> RemoteBlobDepot::Store(const std::string& source, const std::string& path) {
  ASSIGN_OR_RETURN(const client::Blob blob, up_.UploadFile(source));
  v1::JobFile file;
  file.set_path(path);
  file.set_sha256(blob.sha256);
  file.set_size(blob.size);
  return file;
}

}  // namespace ddsp::worker
