// TensorFlow's checkpoint format (tensor bundle) without TensorFlow: PREFIX.index says which tensors there are and
// where their bytes lie in the shards PREFIX.data-00000-of-00001, ... Data only; safe on any input.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::importer {

enum class TensorType { kFloat32, kFloat64, kInt32, kInt64, kText, kOther };

struct BundleEntry {
  TensorType type = TensorType::kOther;
  std::vector<int64_t> shape;
  int shard = 0;
  uint64_t offset = 0, size = 0;  // bytes in the shard
  uint32_t masked_crc32c = 0;

  int64_t elements() const;
};

class TensorBundle {
 public:
  // Reads and checks the index of the checkpoint PREFIX. Shards are opened when a tensor of theirs is read.
  // Errors: NOT_FOUND (no such index), DATA_LOSS and RESOURCE_EXHAUSTED (ReadSortedTable; an entry that is no
  // description of a tensor, overlaps another or has not the bytes that its shape needs), UNIMPLEMENTED (a big-endian
  // bundle, a newer version, tensors in pieces), each naming the file and the tensor.
  static absl::StatusOr<TensorBundle> Open(const std::string& prefix);

  const std::map<std::string, BundleEntry, std::less<>>& entries() const { return entries_; }

  // The values of a tensor as float32, row by row. Errors: NOT_FOUND (no such tensor; a shard is missing), DATA_LOSS (a
  // shard that is too short, a checksum that differs), INVALID_ARGUMENT (text, or a value that is not finite), each
  // naming the file, the offset and the tensor.
  absl::StatusOr<std::vector<float>> ReadFloats(const std::string& name) const;
  // A tensor of one integer. Errors: the same.
  absl::StatusOr<int64_t> ReadInteger(const std::string& name) const;

 private:
  TensorBundle() = default;
  absl::Status AddEntry(const std::string& name, const std::string& bytes);
  absl::Status CheckOverlaps() const;
  std::string ShardPath(int shard) const;
  // The tensor's bytes, checked.
  absl::StatusOr<std::string> ReadBytes(const std::string& name, const BundleEntry& entry) const;

  std::string prefix_;
  int shards_ = 0;
  std::map<std::string, BundleEntry, std::less<>> entries_;
};

}  // namespace ddsp::importer
