#include "core/importer/tensor_bundle.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/importer/sorted_table.h"
#include "tensorflow/tensor_bundle.pb.h"

namespace ddsp::importer {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored in little-endian order");

constexpr int kVersion = 1;  // of the format, as TensorFlow writes it
constexpr int kMaxShards = 99999;
constexpr int64_t kMaxElements = int64_t{1} << 31;
constexpr uintmax_t kMaxIndexBytes = uintmax_t{64} << 20;

TensorType TypeOf(int dtype) {
  switch (dtype) {
    case 1:
      return TensorType::kFloat32;
    case 2:
      return TensorType::kFloat64;
    case 3:
      return TensorType::kInt32;
    case 7:
      return TensorType::kText;
    case 9:
      return TensorType::kInt64;
    default:
      return TensorType::kOther;
  }
}

// Bytes of an element; 0 where a tensor's shape does not say how many it has.
uint64_t WidthOf(TensorType type) {
  switch (type) {
    case TensorType::kFloat32:
    case TensorType::kInt32:
      return 4;
    case TensorType::kFloat64:
    case TensorType::kInt64:
      return 8;
    default:
      return 0;
  }
}

template <class T>
std::vector<T> Cast(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

template <class T>
std::vector<float> AsFloats(const std::string& bytes) {
  const std::vector<T> values = Cast<T>(bytes);
  return std::vector<float>(values.begin(), values.end());
}

// -1 for a shape that no tensor of ours has.
int64_t CheckedElements(const tensorflow::TensorShape& shape) {
  if (shape.unknown_rank() || shape.dim_size() > 8) return -1;
  int64_t elements = 1;
  for (const auto& dim : shape.dim()) {
    if (dim.size() < 0 || dim.size() > kMaxElements || (elements *= dim.size()) > kMaxElements) return -1;
  }
  return elements;
}

}  // namespace

int64_t BundleEntry::elements() const {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

absl::StatusOr<TensorBundle> TensorBundle::Open(const std::string& prefix) {
  TensorBundle bundle;
  bundle.prefix_ = prefix;
  const std::string index = prefix + ".index";
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(index, error);
  if (!error && size > kMaxIndexBytes)
    return absl::ResourceExhaustedError(absl::StrCat(index, ": ", size, " bytes, at most ", kMaxIndexBytes));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(index));
  ASSIGN_OR_RETURN(const std::vector<TableEntry> entries, ReadSortedTable(bytes, index));
  tensorflow::BundleHeader header;
  if (entries.empty() || !entries[0].key.empty() || !header.ParseFromString(entries[0].value))
    return absl::DataLossError(absl::StrCat(index, ": its first entry is no header of a checkpoint"));
  if (header.endianness() != tensorflow::BundleHeader::LITTLE || header.version().min_consumer() > kVersion)
    return absl::UnimplementedError(absl::StrCat(index, ": ", header.ShortDebugString(), " is not read here"));
  if (header.num_shards() < 1 || header.num_shards() > kMaxShards)
    return absl::DataLossError(absl::StrCat(index, ": ", header.num_shards(), " shards"));
  bundle.shards_ = header.num_shards();
  for (size_t i = 1; i < entries.size(); ++i) RETURN_IF_ERROR(bundle.AddEntry(entries[i].key, entries[i].value));
  RETURN_IF_ERROR(bundle.CheckOverlaps());
  return bundle;
}

absl::Status TensorBundle::AddEntry(const std::string& name, const std::string& bytes) {
  const auto damaged = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat(prefix_, ".index: tensor '", absl::CHexEscape(name), "': ", why));
  };
  tensorflow::BundleEntry stored;
  if (!stored.ParseFromString(bytes)) return damaged("its entry is damaged");
  if (stored.slices_size() > 0)
    return absl::UnimplementedError(absl::StrCat(prefix_, ".index: tensor '", name, "' is stored in pieces"));
  BundleEntry entry;
  entry.type = TypeOf(stored.dtype());
  const int64_t elements = CheckedElements(stored.shape());
  if (elements < 0) return damaged(absl::StrCat("its shape is ", stored.shape().ShortDebugString()));
  for (const auto& dim : stored.shape().dim()) entry.shape.push_back(dim.size());
  if (stored.shard_id() < 0 || stored.shard_id() >= shards_)
    return damaged(absl::StrCat("shard ", stored.shard_id(), " of ", shards_));
  if (stored.offset() < 0 || stored.size() < 0 || stored.offset() > INT64_MAX - stored.size())
    return damaged(absl::StrCat(stored.size(), " bytes at offset ", stored.offset()));
  entry.shard = stored.shard_id();
  entry.offset = static_cast<uint64_t>(stored.offset());
  entry.size = static_cast<uint64_t>(stored.size());
  entry.masked_crc32c = stored.crc32c();
  const uint64_t width = WidthOf(entry.type);
  if (width > 0 && static_cast<uint64_t>(elements) * width != entry.size) {
    return damaged(
        absl::StrCat(entry.size, " bytes, shape [", absl::StrJoin(entry.shape, ","), "] needs ", elements * width));
  }
  entries_.emplace(name, std::move(entry));
  return absl::OkStatus();
}

absl::Status TensorBundle::CheckOverlaps() const {
  std::map<std::tuple<int, uint64_t>, std::pair<uint64_t, absl::string_view>> places;  // begin to end
  for (const auto& [name, entry] : entries_) {
    if (entry.size == 0) continue;
    if (!places.emplace(std::tuple(entry.shard, entry.offset), std::pair(entry.offset + entry.size, name)).second)
      return absl::DataLossError(absl::StrCat(prefix_, ".index: two tensors begin at offset ", entry.offset));
  }
  int shard = -1;
  uint64_t end = 0;
  for (const auto& [begin, place] : places) {
    if (std::get<0>(begin) == shard && std::get<1>(begin) < end)
      return absl::DataLossError(absl::StrCat(prefix_, ".index: tensor '", place.second, "' overlaps another"));
    std::tie(shard, end) = std::tuple(std::get<0>(begin), place.first);
  }
  return absl::OkStatus();
}

std::string TensorBundle::ShardPath(int shard) const {
  return absl::StrFormat("%s.data-%05d-of-%05d", prefix_, shard, shards_);
}

absl::StatusOr<std::string> TensorBundle::ReadBytes(const std::string& name, const BundleEntry& entry) const {
  const std::string path = ShardPath(entry.shard);
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return absl::NotFoundError(absl::StrCat(path, ": the shard of tensor '", name, "' is missing"));
  if (entry.offset + entry.size > size) {
    return absl::DataLossError(absl::StrCat(path, ": offset ", entry.offset, ": tensor '", name, "' has ", entry.size,
                                            " bytes, the file ends at ", size));
  }
  std::string bytes(entry.size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.seekg(static_cast<std::streamoff>(entry.offset)) ||
      !file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    return absl::DataLossError(absl::StrCat(path, ": offset ", entry.offset, ": cannot be read"));
  if (MaskedCrc32c(bytes) != entry.masked_crc32c) {
    return absl::DataLossError(absl::StrCat(path, ": offset ", entry.offset, ": the checksum of tensor '", name,
                                            "' differs: the file is damaged"));
  }
  return bytes;
}

absl::StatusOr<std::vector<float>> TensorBundle::ReadFloats(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return absl::NotFoundError(absl::StrCat(prefix_, ".index: no tensor '", name, "'"));
  const BundleEntry& entry = it->second;
  if (WidthOf(entry.type) == 0)
    return absl::InvalidArgumentError(absl::StrCat(prefix_, ".index: tensor '", name, "' has no numbers"));
  ASSIGN_OR_RETURN(const std::string bytes, ReadBytes(name, entry));
  std::vector<float> values;
  if (entry.type == TensorType::kFloat32) values = Cast<float>(bytes);
  if (entry.type == TensorType::kFloat64) values = AsFloats<double>(bytes);
  if (entry.type == TensorType::kInt32) values = AsFloats<int32_t>(bytes);
  if (entry.type == TensorType::kInt64) values = AsFloats<int64_t>(bytes);
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const uint64_t offset = entry.offset + i * WidthOf(entry.type);
    return absl::InvalidArgumentError(absl::StrCat(ShardPath(entry.shard), ": offset ", offset, ": value ", i,
                                                   " of tensor '", name, "' is ", values[i],
                                                   ", not a number that a model can use"));
  }
  return values;
}

absl::StatusOr<int64_t> TensorBundle::ReadInteger(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return absl::NotFoundError(absl::StrCat(prefix_, ".index: no tensor '", name, "'"));
  const BundleEntry& entry = it->second;
  const bool narrow = entry.type == TensorType::kInt32;
  if ((!narrow && entry.type != TensorType::kInt64) || entry.elements() != 1)
    return absl::InvalidArgumentError(absl::StrCat(prefix_, ".index: tensor '", name, "' is no integer"));
  ASSIGN_OR_RETURN(const std::string bytes, ReadBytes(name, entry));
  return narrow ? Cast<int32_t>(bytes)[0] : Cast<int64_t>(bytes)[0];
}

}  // namespace ddsp::importer
