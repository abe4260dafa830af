// Percent-encoding as AWS signatures and URLs agree on it (RFC 3986: all but unreserved characters).
#pragma once

#include <string>
#include <string_view>

namespace ddsp {

// Slashes stay.
std::string EscapePath(std::string_view path);
std::string EscapeQuery(std::string_view value);

}  // namespace ddsp
