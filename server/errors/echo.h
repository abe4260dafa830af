// A caller's own words, repeated to it in an error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ddsp::server {

inline constexpr size_t kMostEcho = 80;

// At most so many bytes of `text`, and no half of a character: details of errors are Protocol Buffers, whose readers
// refuse what is not UTF-8. Quotes and control characters are escaped as in C, and all bytes beyond ASCII where they
// are no text.
std::string Echo(std::string_view text, size_t longest = kMostEcho);

}  // namespace ddsp::server
