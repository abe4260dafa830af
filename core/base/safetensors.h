// The safetensors format: named little-endian arrays and a string map. Data only: nothing in a file is executed.
// https://github.com/huggingface/safetensors#format
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ddsp {

enum class DType { kF32, kF16, kBF16, kF64, kI32, kI64, kU8 };

int64_t SizeOf(DType dtype);           // bytes of an element
std::string_view NameOf(DType dtype);  // "F32", ...

// One array; `bytes` point into the file that it was read from, which must live as long (a copy of it will do).
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string_view bytes;

  int64_t elements() const;
};

// A file held in memory, validated: every array lies inside the file, none overlap, none leave a hole, names are
// unique. Copies share the bytes.
class Safetensors {
 public:
  // Errors: INVALID_ARGUMENT that names the tensor and what is wrong with it.
  static absl::StatusOr<Safetensors> Parse(std::string bytes);
  static absl::StatusOr<Safetensors> Read(const std::string& path);
  // The same with the arrays left on disk until they are looked at; see MappedFile for what must not happen to the
  // file.
  static absl::StatusOr<Safetensors> Map(const std::string& path);

  // Errors: NOT_FOUND.
  absl::StatusOr<TensorView> Get(std::string_view name) const;
  // Values as float32, whatever floating or integer type they are stored in. Errors: NOT_FOUND.
  absl::StatusOr<std::vector<float>> GetFloats(std::string_view name) const;

  bool Has(std::string_view name) const { return entries_.find(name) != entries_.end(); }
  std::vector<std::string> Names() const;  // sorted
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  struct Entry {
    DType dtype;
    std::vector<int64_t> shape;
    size_t begin, end;  // in bytes_
  };
  Safetensors() = default;
  static absl::StatusOr<Safetensors> Parse(std::shared_ptr<const void> owner, std::string_view bytes);
  absl::Status ParseHeader(std::string_view header, size_t data_begin);
  absl::Status CheckLayout(size_t data_begin) const;

  std::shared_ptr<const void> owner_;
  std::string_view bytes_;  // of owner_
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::string> metadata_;
};

// Collects arrays and formats a file of them.
class SafetensorsWriter {
 public:
  void Add(std::string name, DType dtype, std::vector<int64_t> shape, std::string bytes);
  void AddFloats(std::string name, std::vector<int64_t> shape, const float* values);
  // Stores float32 values rounded to IEEE half precision, nearest even.
  void AddHalves(std::string name, std::vector<int64_t> shape, const float* values);
  void SetMetadata(std::string key, std::string value) { metadata_[std::move(key)] = std::move(value); }

  std::string Format() const;
  absl::Status Write(const std::string& path) const;  // atomically

 private:
  struct Array {
    DType dtype;
    std::vector<int64_t> shape;
    std::string bytes;
  };
  std::map<std::string, Array> arrays_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace ddsp
