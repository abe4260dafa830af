#include "core/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ddsp {

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const auto failure = [&path] { return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path)); };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failure();
  struct stat info;
  void* data = nullptr;
  const bool known = fstat(fd, &info) == 0;
  // Nothing of an empty file can be mapped.
  if (known && info.st_size > 0) data = mmap(nullptr, info.st_size, PROT_READ, MAP_SHARED, fd, 0);
  const absl::Status status = known && data != MAP_FAILED ? absl::OkStatus() : failure();
  close(fd);  // the mapping outlives it
  if (!status.ok()) return status;
  return MappedFile(static_cast<const char*>(data), info.st_size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

}  // namespace ddsp
