// A file that closes itself; errors name the path.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace ddsp::client {

class OpenFile {
 public:
  // `flags` as open(2) has them; a file that is made can be read by all.
  static absl::StatusOr<OpenFile> Open(const std::string& path, int flags) {
    const int fd = open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (fd < 0) return absl::ErrnoToStatus(errno, path);
    return OpenFile(path, fd);
  }
  OpenFile(OpenFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }

  // At most `max_bytes` from `offset` into `bytes`: fewer only at the end of the file.
  absl::Status Read(int64_t offset, int64_t max_bytes, std::string* bytes) const {
    bytes->resize(max_bytes);
    int64_t done = 0;
    while (done < max_bytes) {
      const ssize_t part = pread(fd_, bytes->data() + done, max_bytes - done, offset + done);
      if (part < 0 && errno == EINTR) continue;
      if (part < 0) return Error();
      if (part == 0) break;
      done += part;
    }
    bytes->resize(done);
    return absl::OkStatus();
  }

  absl::Status Write(int64_t offset, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t part = pwrite(fd_, bytes.data(), bytes.size(), offset);
      if (part < 0 && errno == EINTR) continue;
      if (part < 0) return Error();
      bytes.remove_prefix(part);
      offset += part;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> size() const {
    const off_t end = lseek(fd_, 0, SEEK_END);
    if (end < 0) return Error();
    return end;
  }
  absl::Status Truncate(int64_t size) const { return ftruncate(fd_, size) == 0 ? absl::OkStatus() : Error(); }
  absl::Status Flush() const { return fsync(fd_) == 0 ? absl::OkStatus() : Error(); }

 private:
  OpenFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  absl::Status Error() const {
    // "Is a directory" and "No space left" are what people have to see; the codes are Abseil's.
    return absl::ErrnoToStatus(errno, path_);
  }

  std::string path_;
  int fd_;
};

}  // namespace ddsp::client
