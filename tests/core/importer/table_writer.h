// Writes sorted tables, so that the reader meets forms that TensorFlow's files do not have: compressed blocks, a right
// checksum over wrong content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/crc32c.h"

namespace ddsp::importer {

inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

inline std::string Fixed32(uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(value >> 8 * i));
  return bytes;
}

// `shared` bytes of the key before, `added` ones, `value`.
inline std::string TableItem(size_t shared, std::string_view added, std::string_view value) {
  return Varint(shared) + Varint(added.size()) + Varint(value.size()) + std::string(added) + std::string(value);
}

// A block of such items with one restart.
inline std::string TableBlock(const std::string& items) { return items + Fixed32(0) + Fixed32(1); }

// A table whose only data block has this content, stored with this compression, checksums right.
inline std::string Table(const std::string& block, char compression) {
  const auto sealed = [](const std::string& content, char type) {
    return content + type + Fixed32(MaskedCrc32c(content + type));
  };
  const std::string index = TableBlock(TableItem(0, "\xff", Varint(0) + Varint(block.size())));
  std::string table = sealed(block, compression);
  const size_t index_at = table.size();
  table += sealed(index, 0);
  std::string footer = Varint(0) + Varint(0) + Varint(index_at) + Varint(index.size());
  footer.resize(40);
  return table + footer + Fixed32(0x8b80fb57u) + Fixed32(0xdb477524u);
}

}  // namespace ddsp::importer
