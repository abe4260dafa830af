#include "core/gin/literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ddsp::gin {
namespace {

constexpr uint32_t kLastCodePoint = 0x10ffff;

// Removes the underscores between digits ("1_000"); false for one that stands elsewhere.
bool RemoveUnderscores(absl::string_view text, std::string* digits) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits->push_back(text[i]);
    } else if (i == 0 || i + 1 == text.size() || !absl::ascii_isalnum(text[i - 1]) ||
               !absl::ascii_isalnum(text[i + 1])) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<Value::Content> ParseInteger(absl::string_view text, absl::string_view digits, int base) {
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (result.ec == std::errc::result_out_of_range) {
    return absl::InvalidArgumentError(absl::StrCat("the number ", text, " does not fit 64 bits"));
  }
  if (result.ec != std::errc() || result.ptr != digits.data() + digits.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no number"));
  }
  return value;
}

void AppendUtf8(uint32_t code, std::string* text) {
  const auto tail = [&](int shift) { text->push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f))); };
  if (code < 0x80) {
    text->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    text->push_back(static_cast<char>(0xc0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    text->push_back(static_cast<char>(0xe0 | (code >> 12)));
    tail(6), tail(0);
  } else {
    text->push_back(static_cast<char>(0xf0 | (code >> 18)));
    tail(12), tail(6), tail(0);
  }
}

enum class Digits { kAllOf, kUpTo };

// The character of a code of `digits` digits at text[*at], which moves behind it.
absl::Status AppendCode(absl::string_view text, int base, Digits rule, size_t digits, size_t* at, std::string* out) {
  const size_t end = std::min(text.size(), *at + digits);
  uint32_t code = 0;
  const auto result = std::from_chars(text.data() + *at, text.data() + end, code, base);
  const size_t used = result.ptr - (text.data() + *at);
  if (result.ec != std::errc() || (rule == Digits::kAllOf && used != digits)) {
    return absl::InvalidArgumentError(absl::StrCat("an escape needs ", digits, " digits"));
  }
  if (code > kLastCodePoint || (code >= 0xd800 && code < 0xe000)) {
    return absl::InvalidArgumentError("an escape stands for no character");
  }
  *at += used;
  AppendUtf8(code, out);
  return absl::OkStatus();
}

// What a letter after a backslash stands for; 0 for one that needs more.
char SimpleEscape(char c) {
  constexpr absl::string_view kLetters = "ntrabfv\\'\"", kMeanings = "\n\t\r\a\b\f\v\\'\"";
  const size_t i = kLetters.find(c);
  return i == absl::string_view::npos ? '\0' : kMeanings[i];
}

// Bytes of the character that starts at `i`, 0 if it is none.
size_t CharacterLength(absl::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char lead = byte(i);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = length > 1 ? byte(i + 1) : 0;
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool beyond = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
  return overlong || beyond ? 0 : length;
}

}  // namespace

absl::StatusOr<Value::Content> ParseNumber(absl::string_view text) {
  std::string digits;
  if (!RemoveUnderscores(text, &digits)) return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no number"));
  if (digits.size() > 1 && digits[0] == '0' && absl::ascii_isalpha(digits[1]) && digits[1] != 'e' && digits[1] != 'E') {
    const char kind = absl::ascii_tolower(digits[1]);
    const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    if (base == 0 || digits.size() == 2) return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no number"));
    return ParseInteger(text, absl::string_view(digits).substr(2), base);
  }
  if (std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) {
    if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("the number ", text, " starts with 0"));
    }
    return ParseInteger(text, digits, 10);
  }
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::result_out_of_range || !std::isfinite(value)) {
    return absl::InvalidArgumentError(absl::StrCat("the number ", text, " is out of range"));
  }
  if (result.ec != std::errc() || result.ptr != digits.data() + digits.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no number"));
  }
  return value;
}

absl::StatusOr<std::string> Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i++];
      continue;
    }
    const char c = text[i + 1];
    i += 2;
    absl::Status status;
    if (c == '\n') continue;  // the line goes on
    if (const char simple = SimpleEscape(c)) {
      out += simple;
    } else if (c == 'x') {
      status = AppendCode(text, 16, Digits::kAllOf, 2, &i, &out);
    } else if (c == 'u') {
      status = AppendCode(text, 16, Digits::kAllOf, 4, &i, &out);
    } else if (c == 'U') {
      status = AppendCode(text, 16, Digits::kAllOf, 8, &i, &out);
    } else if (c >= '0' && c < '8') {
      status = AppendCode(text, 8, Digits::kUpTo, 3, &--i, &out);
    } else if (c == 'N') {
      status = absl::InvalidArgumentError("characters by name (\\N) are not supported");
    } else {  // as in Python, an escape that is none stays
      out += '\\';
      out += c;
    }
    if (!status.ok()) return status;
  }
  return out;
}

size_t FindInvalidUtf8(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const size_t length = CharacterLength(text, i);
    if (length == 0) return i;
    i += length;
  }
  return i;
}

}  // namespace ddsp::gin
