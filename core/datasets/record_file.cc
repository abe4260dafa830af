#include "core/datasets/record_file.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/status_macros.h"
#include "core/datasets/gzip.h"

namespace ddsp {
namespace {

constexpr size_t kLengthBytes = 8, kChecksumBytes = 4, kHeaderBytes = kLengthBytes + kChecksumBytes;
constexpr size_t kMaxUnpacked = size_t{8} << 30;

uint64_t Load(std::string_view bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

}  // namespace

std::string RecordReader::position() const { return absl::StrCat(file_, ": record ", record_, " at byte ", start_); }

absl::Status RecordReader::Damaged(std::string_view what) const {
  return absl::DataLossError(absl::StrCat(position(), ": ", std::string(what)));
}

absl::StatusOr<std::optional<std::string_view>> RecordReader::Next() {
  if (next_ == bytes_.size()) return std::nullopt;
  ++record_;
  start_ = next_;
  const std::string_view rest = bytes_.substr(start_);
  if (rest.size() < kHeaderBytes)
    return Damaged(absl::StrCat("cut off, ", rest.size(), " of the ", kHeaderBytes, " bytes of its header are there"));
  const std::string_view length_bytes = rest.substr(0, kLengthBytes);
  if (Load(rest.substr(kLengthBytes, kChecksumBytes)) != MaskedCrc32c(length_bytes))
    return Damaged(record_ == 0 ? "the checksum of its length differs; this is no TFRecord file, or it is damaged"
                                : "the checksum of its length differs");
  const uint64_t length = Load(length_bytes), available = rest.size() - kHeaderBytes;
  if (available < kChecksumBytes || length > available - kChecksumBytes)
    return Damaged(absl::StrCat("cut off, it has ", length, " bytes of content, the file ends ", available,
                                " bytes after their start"));
  const std::string_view content = rest.substr(kHeaderBytes, length);
  if (Load(rest.substr(kHeaderBytes + length, kChecksumBytes)) != MaskedCrc32c(content))
    return Damaged("the checksum of its content differs");
  next_ = start_ + kHeaderBytes + length + kChecksumBytes;
  return content;
}

absl::StatusOr<RecordFile> RecordFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  RecordFile file(path, std::move(mapped));
  if (!IsGzip(file.mapped_.bytes())) return file;
  absl::StatusOr<std::string> unpacked = UnpackGzip(file.mapped_.bytes(), kMaxUnpacked);
  if (!unpacked.ok())
    return absl::Status(unpacked.status().code(), absl::StrCat(path, ": ", unpacked.status().message()));
  file.unpacked_ = *std::move(unpacked);
  return file;
}

}  // namespace ddsp
