#pragma once

#include <string>
#include <string_view>

namespace ddsp {

// Returns the SHA-256 of `data` as 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view data);

// Returns the 32 bytes of HMAC-SHA256 (RFC 2104) of `data` under `key`.
std::string HmacSha256(std::string_view key, std::string_view data);

}  // namespace ddsp
