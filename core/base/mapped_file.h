// A file of any size as bytes in memory, read page by page when they are first looked at.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ddsp {

// Unmapped by the destructor. Whoever replaces the file must do so by rename: cutting it off while it is mapped ends
// the process at the next look (SIGBUS).
class MappedFile {
 public:
  // Errors: NOT_FOUND, PERMISSION_DENIED, or INTERNAL for anything else the system says.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, size_t size) : data_(data), size_(size) {}

  const char* data_;
  size_t size_;
};

}  // namespace ddsp
