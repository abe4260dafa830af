#include "core/artifacts/url_escape.h"

#include "absl/strings/ascii.h"

namespace ddsp {
namespace {

std::string Escape(std::string_view text, std::string_view kept) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || kept.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return escaped;
}

}  // namespace

std::string EscapePath(std::string_view path) { return Escape(path, "-._~/"); }
std::string EscapeQuery(std::string_view value) { return Escape(value, "-._~"); }

}  // namespace ddsp
