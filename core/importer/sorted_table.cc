#include "core/importer/sorted_table.h"

#include <cstdint>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/status_macros.h"
#include "core/importer/snappy_block.h"

namespace ddsp::importer {
namespace {

constexpr uint64_t kMagic = 0xdb4775248b80fb57u;
constexpr size_t kHandlesBytes = 40, kFooterBytes = 48;
constexpr size_t kTrailerBytes = 5;  // of a block: compression, masked checksum
constexpr size_t kMaxUnpackedBytes = size_t{256} << 20;
enum Compression : char { kNone = 0, kSnappy = 1 };

uint32_t Fixed32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Takes a number of at most 64 bits, seven at a time, from the front of `bytes`.
std::optional<uint64_t> TakeVarint(std::string_view* bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

struct BlockHandle {
  uint64_t offset = 0, size = 0;
};

std::optional<BlockHandle> TakeHandle(std::string_view* bytes) {
  const std::optional<uint64_t> offset = TakeVarint(bytes);
  const std::optional<uint64_t> size = offset ? TakeVarint(bytes) : std::nullopt;
  if (!size) return std::nullopt;
  return BlockHandle{*offset, *size};
}

class TableReader {
 public:
  TableReader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  absl::StatusOr<std::vector<TableEntry>> Entries() {
    ASSIGN_OR_RETURN(const BlockHandle index_handle, IndexHandle());
    ASSIGN_OR_RETURN(const std::string index, Block(index_handle));
    ASSIGN_OR_RETURN(const std::vector<TableEntry> blocks, BlockEntries(index, index_handle.offset));
    std::vector<TableEntry> all;
    for (const TableEntry& block : blocks) {
      std::string_view value = block.value;
      const std::optional<BlockHandle> handle = TakeHandle(&value);
      if (!handle || !value.empty()) return Damaged(index_handle.offset, "the index names no block");
      ASSIGN_OR_RETURN(const std::string content, Block(*handle));
      ASSIGN_OR_RETURN(std::vector<TableEntry> entries, BlockEntries(content, handle->offset));
      for (TableEntry& entry : entries) {
        if (!all.empty() && entry.key <= all.back().key)
          return Damaged(handle->offset, absl::StrCat("key '", absl::CHexEscape(entry.key), "' is out of order"));
        all.push_back(std::move(entry));
      }
    }
    return all;
  }

 private:
  absl::Status At(uint64_t offset, const absl::Status& error) const {
    return absl::Status(error.code(), absl::StrCat(file_, ": offset ", offset, ": ", error.message()));
  }
  absl::Status Damaged(uint64_t offset, absl::string_view why) const { return At(offset, absl::DataLossError(why)); }

  absl::Status Count(size_t bytes) {
    if (bytes > kMaxUnpackedBytes - unpacked_)
      return absl::ResourceExhaustedError(absl::StrCat(file_, ": unpacks to more than ", kMaxUnpackedBytes, " bytes"));
    unpacked_ += bytes;
    return absl::OkStatus();
  }

  absl::StatusOr<BlockHandle> IndexHandle() const {
    if (bytes_.size() < kFooterBytes)
      return Damaged(0, absl::StrCat(bytes_.size(), " bytes are no table: its footer has ", kFooterBytes));
    const size_t footer = bytes_.size() - kFooterBytes;
    const uint64_t magic = Fixed32(bytes_, footer + kHandlesBytes) |
                           static_cast<uint64_t>(Fixed32(bytes_, footer + kHandlesBytes + 4)) << 32;
    if (magic != kMagic) return Damaged(footer + kHandlesBytes, "another magic number than a table's");
    std::string_view handles = bytes_.substr(footer, kHandlesBytes);
    const std::optional<BlockHandle> meta = TakeHandle(&handles);
    const std::optional<BlockHandle> index = meta ? TakeHandle(&handles) : std::nullopt;
    if (!index) return Damaged(footer, "the footer names no index");
    return *index;
  }

  // A block's content, unpacked.
  absl::StatusOr<std::string> Block(const BlockHandle& handle) {
    const size_t room = bytes_.size() - kFooterBytes;
    if (handle.offset > room || handle.size > room - handle.offset ||
        room - handle.offset - handle.size < kTrailerBytes)
      return Damaged(handle.offset, absl::StrCat("a block of ", handle.size, " bytes leaves the file"));
    const std::string_view content = bytes_.substr(handle.offset, handle.size);
    const uint32_t stored = Fixed32(bytes_, handle.offset + handle.size + 1);
    if (stored != MaskedCrc32c(bytes_.substr(handle.offset, handle.size + 1)))
      return Damaged(handle.offset, "the block's checksum differs: the file is damaged");
    const char compression = bytes_[handle.offset + handle.size];
    std::string block(content);
    if (compression == kSnappy) {
      absl::StatusOr<std::string> unpacked = UnpackSnappy(content, kMaxUnpackedBytes - unpacked_);
      if (!unpacked.ok()) return At(handle.offset, unpacked.status());
      block = *std::move(unpacked);
    } else if (compression != kNone) {
      return Damaged(handle.offset, absl::StrCat("the block has the unknown compression ", int{compression}));
    }
    RETURN_IF_ERROR(Count(block.size()));
    return block;
  }

  // Entries of an unpacked block: each shares the first bytes of its key with the one before.
  absl::StatusOr<std::vector<TableEntry>> BlockEntries(std::string_view block, uint64_t offset) {
    if (block.size() < 4) return Damaged(offset, "a block without its number of restarts");
    const uint64_t restarts = Fixed32(block, block.size() - 4);
    if (restarts > (block.size() - 4) / 4) return Damaged(offset, absl::StrCat("a block with ", restarts, " restarts"));
    std::string_view rest = block.substr(0, block.size() - 4 - 4 * restarts);
    std::vector<TableEntry> entries;
    std::string key;
    while (!rest.empty()) {
      const std::optional<uint64_t> shared = TakeVarint(&rest), added = TakeVarint(&rest), size = TakeVarint(&rest);
      if (!shared || !added || !size || *shared > key.size() || *added > rest.size() || *size > rest.size() - *added)
        return Damaged(offset, absl::StrCat("entry ", entries.size(), " leaves its block"));
      key.resize(*shared);
      key.append(rest.substr(0, *added));
      if (!entries.empty() && key <= entries.back().key)
        return Damaged(offset, absl::StrCat("key '", absl::CHexEscape(key), "' is out of order"));
      // A few bytes can repeat a long key.
      RETURN_IF_ERROR(Count(key.size() + *size));
      entries.push_back({key, std::string(rest.substr(*added, *size))});
      rest.remove_prefix(*added + *size);
    }
    return entries;
  }

  const std::string_view bytes_;
  const std::string& file_;
  size_t unpacked_ = 0;  // bytes made so far, at most kMaxUnpackedBytes
};

}  // namespace

absl::StatusOr<std::vector<TableEntry>> ReadSortedTable(std::string_view bytes, const std::string& file) {
  return TableReader(bytes, file).Entries();
}

}  // namespace ddsp::importer
