#include "client/sdk/blob_transfer.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sdk/jobs_caller.h"
#include "client/sdk/open_file.h"
#include "core/base/crc32c.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;
using Stub = v1::Jobs::StubInterface;

constexpr int64_t kMaxChunk = 1 << 20;  // of the protocol
// How often damaged bytes are sent again: cables do it once, broken memory always.
constexpr int kMaxMismatches = 5;

// How many bytes to move with one call: many on a fast line, and so few on a slow one that a call ends in time.
class ChunkSize {
 public:
  int64_t bytes() const { return bytes_; }
  void Moved(absl::Duration took) {
    if (took < absl::Seconds(1)) bytes_ = std::min(2 * bytes_, kMaxChunk);
  }
  void Failed() { bytes_ = std::max(bytes_ / 2, kMin); }

 private:
  static constexpr int64_t kMin = 16 << 10;
  int64_t bytes_ = 256 << 10;
};

absl::Status Changed(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(path, " changed while it was uploaded"));
}

// One upload, from the server's "go on from here" to the next.
class Upload {
 public:
  Upload(JobsCaller& caller, const std::string& path, const OpenFile& file, const Blob& blob,
         const TransferProgress& progress)
      : caller_(caller), path_(path), file_(file), blob_(blob), progress_(progress), backoff_(caller.NewBackoff()) {}

  absl::Status Run() {
    while (true) {
      const absl::Status sent = SendRest();
      if (sent.ok()) return sent;
      if (ReasonOf(sent) == "BLOB_CHECKSUM_MISMATCH") {
        RETURN_IF_ERROR(CheckUnchanged(sent));
      } else if (!IsPassing(sent) && !WasForgotten(sent)) {
        return sent;
      }
      chunk_.Failed();
      RETURN_IF_ERROR(caller_.Pause(sent, &backoff_));
    }
  }

 private:
  // Its position or existence is another than we believed: after a restart, or because somebody else sends it too.
  static bool WasForgotten(const absl::Status& error) {
    const std::string reason = ReasonOf(error);
    return reason == "UPLOAD_OFFSET_MISMATCH" || reason == "BLOB_NOT_FOUND";
  }

  absl::Status CheckUnchanged(const absl::Status& mismatch) {
    const absl::StatusOr<Blob> now = HashFile(path_, caller_.options().cancellation);
    RETURN_IF_ERROR(now.status());
    if (*now != blob_) return Changed(path_);
    return ++mismatches_ < kMaxMismatches ? absl::OkStatus() : mismatch;
  }

  absl::Status SendRest() {
    v1::BeginUploadRequest begin;
    begin.set_sha256(blob_.sha256);
    begin.set_size(blob_.size);
    ASSIGN_OR_RETURN(v1::UploadStatus status, caller_.Try(&Stub::BeginUpload, begin));
    v1::UploadChunkRequest chunk;
    chunk.set_sha256(blob_.sha256);
    while (!status.complete()) {
      if (progress_) progress_(status.offset(), blob_.size);
      chunk.set_offset(status.offset());
      RETURN_IF_ERROR(
          file_.Read(status.offset(), std::min(chunk_.bytes(), blob_.size - status.offset()), chunk.mutable_data()));
      if (chunk.data().empty()) return Changed(path_);
      chunk.set_crc32c(Crc32c(chunk.data()));
      const absl::Time begun = caller_.options().clock->Now();
      ASSIGN_OR_RETURN(status, caller_.Try(&Stub::UploadChunk, chunk));
      chunk_.Moved(caller_.options().clock->Now() - begun);
      backoff_.Reset();
    }
    if (progress_) progress_(blob_.size, blob_.size);
    return absl::OkStatus();
  }

  JobsCaller& caller_;
  const std::string& path_;
  const OpenFile& file_;
  const Blob& blob_;
  const TransferProgress& progress_;
  Backoff backoff_;
  ChunkSize chunk_;
  int mismatches_ = 0;
};

// One blob into a file that may hold the beginning of it.
class Fetch {
 public:
  Fetch(JobsCaller& caller, const std::string& sha256, const OpenFile& file, const TransferProgress& progress)
      : caller_(caller), file_(file), progress_(progress), backoff_(caller.NewBackoff()) {
    request_.set_sha256(sha256);
  }

  absl::Status Run() {
    ASSIGN_OR_RETURN(int64_t offset, file_.size());
    for (int64_t size = -1; offset != size;) {
      absl::StatusOr<v1::DownloadChunkResponse> chunk = Next(offset);
      if (!chunk.ok()) {
        if (!IsPassing(chunk.status())) return chunk.status();
        chunk_.Failed();
        RETURN_IF_ERROR(caller_.Pause(chunk.status(), &backoff_));
        continue;
      }
      backoff_.Reset();
      size = chunk->size();
      RETURN_IF_ERROR(file_.Write(offset, chunk->data()));
      offset += static_cast<int64_t>(chunk->data().size());
      // More than the blob has: of another time, or not by us.
      if (offset > size) RETURN_IF_ERROR(file_.Truncate(offset = 0));
      if (progress_) progress_(offset, size);
    }
    return file_.Flush();
  }

 private:
  absl::StatusOr<v1::DownloadChunkResponse> Next(int64_t offset) {
    request_.set_offset(offset);
    request_.set_max_bytes(static_cast<int32_t>(chunk_.bytes()));
    const absl::Time begun = caller_.options().clock->Now();
    ASSIGN_OR_RETURN(v1::DownloadChunkResponse chunk, caller_.Try(&Stub::DownloadChunk, request_));
    chunk_.Moved(caller_.options().clock->Now() - begun);
    if (Crc32c(chunk.data()) != chunk.crc32c()) return absl::UnavailableError("bytes were damaged on their way");
    if (chunk.data().empty() && offset < chunk.size()) return absl::UnavailableError("the server sent no bytes");
    return chunk;
  }

  JobsCaller& caller_;
  const OpenFile& file_;
  const TransferProgress& progress_;
  v1::DownloadChunkRequest request_;
  Backoff backoff_;
  ChunkSize chunk_;
};

absl::Status MakeParent(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  return error ? absl::ErrnoToStatus(error.value(), folder.string()) : absl::OkStatus();
}

absl::Status CheckDigest(const std::string& sha256) {
  if (sha256.size() == 64 && sha256.find_first_not_of("0123456789abcdef") == sha256.npos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("'", sha256, "' is not 64 lower-case hex digits"));
}

}  // namespace

BlobTransfer::BlobTransfer(const std::shared_ptr<grpc::Channel>& channel, CallOptions options)
    : BlobTransfer(v1::Jobs::NewStub(channel), std::move(options)) {}
BlobTransfer::BlobTransfer(std::shared_ptr<Stub> stub, CallOptions options)
    : BlobTransfer(std::make_shared<JobsCaller>(std::move(stub), std::move(options))) {}
BlobTransfer::BlobTransfer(std::shared_ptr<JobsCaller> caller) : caller_(std::move(caller)) {}
BlobTransfer::~BlobTransfer() = default;

absl::StatusOr<Blob> BlobTransfer::UploadFile(const std::string& path, const TransferProgress& progress) {
  ASSIGN_OR_RETURN(const Blob blob, HashFile(path, caller_->options().cancellation));
  ASSIGN_OR_RETURN(const OpenFile file, OpenFile::Open(path, O_RDONLY));
  RETURN_IF_ERROR(Upload(*caller_, path, file, blob, progress).Run());
  return blob;
}

absl::Status BlobTransfer::CancelUpload(const std::string& sha256) {
  v1::CancelUploadRequest request;
  request.set_sha256(sha256);
  return caller_->Call(&Stub::CancelUpload, request).status();
}

absl::Status BlobTransfer::Download(const std::string& sha256, const std::string& path,
                                    const TransferProgress& progress) {
  RETURN_IF_ERROR(CheckDigest(sha256));
  const Cancellation* const cancellation = caller_->options().cancellation;
  if (const auto there = HashFile(path, cancellation); there.ok() && there->sha256 == sha256) {
    if (progress) progress(there->size, there->size);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(MakeParent(path));
  const std::string part = absl::StrCat(path, ".", sha256.substr(0, 16), ".part");
  ASSIGN_OR_RETURN(const OpenFile file, OpenFile::Open(part, O_RDWR | O_CREAT));
  // What lay there already may be damaged; what has just come may not.
  for (int attempt = 0; attempt < 2; ++attempt) {
    RETURN_IF_ERROR(Fetch(*caller_, sha256, file, progress).Run());
    ASSIGN_OR_RETURN(const Blob got, HashFile(part, cancellation));
    if (got.sha256 == sha256) {
      if (std::rename(part.c_str(), path.c_str()) != 0) return absl::ErrnoToStatus(errno, path);
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(file.Truncate(0));
  }
  std::remove(part.c_str());
  return absl::DataLossError(absl::StrCat(path, ": what the server sends has not SHA-256 ", sha256));
}

}  // namespace ddsp::client
