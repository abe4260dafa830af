// Static keys. A key is 32 random bytes, so its plain SHA-256 gives nothing away: there is no dictionary to try, and a
// slow hash would only slow the server down.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ddsp::server {

// "ddsp_" and 43 letters that may stand in URLs and in headers.
std::string NewApiKey();

// 32 bytes.
std::string HashOfKey(std::string_view key);
// From 64 hexadecimal digits.
std::optional<std::string> HashFromHex(std::string_view hex);
std::string HexOf(std::string_view hash);

// Takes the same time wherever they differ.
bool SameHash(std::string_view a, std::string_view b);

}  // namespace ddsp::server
