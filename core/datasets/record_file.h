// TFRecord, the container of TensorFlow's data sets, without TensorFlow: a sequence of byte strings with checksums.
//   8 bytes  length, little-endian
//   4        masked CRC-32C of the length
//   length   content
//   4        masked CRC-32C of the content
// Compressed by gzip as a whole, or not. Data only; safe on any input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/mapped_file.h"

namespace ddsp {

class RecordReader {
 public:
  // `bytes` are not copied; `file` is what errors call them.
  RecordReader(std::string_view bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  // The content of the next record; nothing at the end.
  // Errors: DATA_LOSS naming file, record (from 0) and offset: a record that is cut off, a checksum that differs.
  absl::StatusOr<std::optional<std::string_view>> Next();

  // "FILE: record 3 at byte 1234" for the record that Next() gave last, or failed at.
  std::string position() const;
  size_t bytes_read() const { return next_; }

 private:
  absl::Status Damaged(std::string_view what) const;

  std::string_view bytes_;
  std::string file_;
  int64_t record_ = -1;
  size_t start_ = 0, next_ = 0;  // offsets of this record and of the next
};

class RecordFile {
 public:
  // Errors: those of MappedFile; DATA_LOSS for broken compression; RESOURCE_EXHAUSTED for more than 8 GiB unpacked;
  // UNIMPLEMENTED for compression in a build without zlib. Each names the file.
  static absl::StatusOr<RecordFile> Open(const std::string& path);

  std::string_view bytes() const { return unpacked_ ? std::string_view(*unpacked_) : mapped_.bytes(); }
  RecordReader records() const { return RecordReader(bytes(), path_); }

 private:
  RecordFile(std::string path, MappedFile mapped) : path_(std::move(path)), mapped_(std::move(mapped)) {}

  std::string path_;
  MappedFile mapped_;
  std::optional<std::string> unpacked_;
};

}  // namespace ddsp
