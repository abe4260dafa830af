#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/jobs/api/jobs_api.h"

namespace ddsp::server {
namespace {

constexpr int64_t kMaxChunkBytes = 1 << 20;

absl::Status CheckChunk(const std::string& field, int64_t bytes) {
  if (bytes >= 0 && bytes <= kMaxChunkBytes) return absl::OkStatus();
  const std::string problem = absl::StrCat(bytes, " bytes is not in [0, ", kMaxChunkBytes, "]");
  return MakeFieldError(Reason::kInvalidBlobRequest, absl::StrCat(field, ": ", problem), {{field, problem}});
}

void Fill(const UploadStatus& status, v1::UploadStatus* response) {
  response->set_offset(status.offset);
  response->set_complete(status.complete);
}

}  // namespace

absl::Status BlobsApi::BeginUpload(const v1::BeginUploadRequest& request, v1::UploadStatus* response) {
  ASSIGN_OR_RETURN(const UploadStatus status, blobs_.BeginUpload(request.sha256(), request.size()));
  Fill(status, response);
  return absl::OkStatus();
}

absl::Status BlobsApi::UploadChunk(const v1::UploadChunkRequest& request, v1::UploadStatus* response) {
  RETURN_IF_ERROR(CheckChunk("data", static_cast<int64_t>(request.data().size())));
  ASSIGN_OR_RETURN(const UploadStatus status,
                   blobs_.Append(request.sha256(), request.offset(), request.data(), request.crc32c()));
  Fill(status, response);
  return absl::OkStatus();
}

absl::Status BlobsApi::CancelUpload(const v1::CancelUploadRequest& request, v1::UploadStatus* response) {
  const auto size = blobs_.SizeOf(request.sha256());
  if (size.ok()) Fill({*size, true}, response);
  return blobs_.CancelUpload(request.sha256());
}

absl::Status BlobsApi::DownloadChunk(const v1::DownloadChunkRequest& request, v1::DownloadChunkResponse* response) {
  RETURN_IF_ERROR(CheckChunk("max_bytes", request.max_bytes()));
  const int64_t max_bytes = request.max_bytes() != 0 ? request.max_bytes() : kMaxChunkBytes;
  ASSIGN_OR_RETURN(*response->mutable_data(), blobs_.Read(request.sha256(), request.offset(), max_bytes));
  ASSIGN_OR_RETURN(const int64_t size, blobs_.SizeOf(request.sha256()));
  response->set_size(size);
  response->set_crc32c(Crc32c(response->data()));
  return absl::OkStatus();
}

}  // namespace ddsp::server
