#pragma once

#include <cstdint>
#include <string_view>

namespace ddsp {

// CRC-32C (Castagnoli) of some bytes, and of those that `crc` is of followed by more.
uint32_t Crc32c(std::string_view bytes);
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);

// The form in which TensorFlow's files store it, so that a checksum of bytes that hold checksums stays one.
constexpr uint32_t MaskCrc32c(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }
inline uint32_t MaskedCrc32c(std::string_view bytes) { return MaskCrc32c(Crc32c(bytes)); }

}  // namespace ddsp
