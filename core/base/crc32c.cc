#include "core/base/crc32c.h"

#include <array>
#include <cstddef>

namespace ddsp {
namespace {

// kTables[k][b] is the checksum of byte b followed by k zero bytes: eight look-ups take eight bytes.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82f63b78u : 0);
    tables[0][i] = value;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (uint32_t i = 0; i < 256; ++i) {
      const uint32_t before = tables[k - 1][i];
      tables[k][i] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr Tables kTables = MakeTables();

uint32_t Byte(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

uint32_t Word(std::string_view bytes, size_t i) {
  return Byte(bytes, i) | Byte(bytes, i + 1) << 8 | Byte(bytes, i + 2) << 16 | Byte(bytes, i + 3) << 24;
}

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) {
  crc = ~crc;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const uint32_t low = crc ^ Word(bytes, i), high = Word(bytes, i + 4);
    crc = 0;
    for (int k = 0; k < 4; ++k) crc ^= kTables[7 - k][low >> 8 * k & 0xff] ^ kTables[3 - k][high >> 8 * k & 0xff];
  }
  for (; i < bytes.size(); ++i) crc = kTables[0][(crc ^ Byte(bytes, i)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

uint32_t Crc32c(std::string_view bytes) { return ExtendCrc32c(0, bytes); }

}  // namespace ddsp
