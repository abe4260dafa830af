#include "server/blobs/upload_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

absl::Status ErrnoStatus(std::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", std::string(what), " ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<UploadFile>> UploadFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus("open", path);
  std::unique_ptr<UploadFile> file(new UploadFile(path, fd));
  RETURN_IF_ERROR(file->ReadWhatIsThere());
  return file;
}

UploadFile::~UploadFile() { close(fd_); }

absl::Status UploadFile::ReadWhatIsThere() {
  std::string part(1 << 20, '\0');
  for (;;) {
    const ssize_t got = pread(fd_, part.data(), part.size(), size_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read", path_);
    if (got == 0) return absl::OkStatus();
    hash_.Add(std::string_view(part).substr(0, got));
    size_ += got;
  }
}

absl::Status UploadFile::Append(std::string_view bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = pwrite(fd_, bytes.data() + done, bytes.size() - done, size_ + static_cast<int64_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const absl::Status error = ErrnoStatus("write", path_);
      // What was written of them would be taken for theirs after a restart.
      if (ftruncate(fd_, size_) != 0) return ErrnoStatus("cut", path_);
      return error;
    }
    done += written;
  }
  hash_.Add(bytes);
  size_ += static_cast<int64_t>(bytes.size());
  return absl::OkStatus();
}

absl::Status UploadFile::Flush() { return fsync(fd_) == 0 ? absl::OkStatus() : ErrnoStatus("flush", path_); }

absl::Status FlushFolder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("open", folder);
  const absl::Status status = fsync(fd) == 0 ? absl::OkStatus() : ErrnoStatus("flush", folder);
  close(fd);
  return status;
}

}  // namespace ddsp::server
