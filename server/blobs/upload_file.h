#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/blobs/content_hash.h"

namespace ddsp::server {

// A file that grows at its end and knows its hash.
class UploadFile {
 public:
  // Opens what is there, reading it for the hash, or makes an empty one. Errors: the system's, with the path.
  static absl::StatusOr<std::unique_ptr<UploadFile>> Open(const std::string& path);
  ~UploadFile();

  // All of the bytes, or the file is as it was. Errors: RESOURCE_EXHAUSTED when the disk is full.
  absl::Status Append(std::string_view bytes);
  absl::Status Flush();  // to the disk
  int64_t size() const { return size_; }
  std::string Digest() const { return hash_.Digest(); }

 private:
  UploadFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  absl::Status ReadWhatIsThere();

  const std::string path_;
  const int fd_;
  int64_t size_ = 0;
  ContentHash hash_;
};

// Makes a rename in this folder last. Errors: the system's.
absl::Status FlushFolder(const std::string& folder);

}  // namespace ddsp::server
