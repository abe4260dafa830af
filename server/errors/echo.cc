#include "server/errors/echo.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "core/base/utf8.h"

namespace ddsp::server {
namespace {

constexpr int kLongestCharacter = 4;  // in bytes

bool IsInsideACharacter(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

}  // namespace

std::string Echo(std::string_view text, size_t longest) {
  size_t end = std::min(longest, text.size());
  for (int i = 1; i < kLongestCharacter && end > 0 && IsInsideACharacter(text, end); ++i) --end;
  const std::string start(text.substr(0, end));
  return FirstNoText(start).has_value() ? absl::CEscape(start) : absl::Utf8SafeCEscape(start);
}

}  // namespace ddsp::server
