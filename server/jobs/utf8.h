#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ddsp::server {

// The first byte that begins no UTF-8 character (surrogates and overlong forms are none) or is NUL, which PostgreSQL
// does not store.
std::optional<size_t> FirstUnstorable(std::string_view text);

}  // namespace ddsp::server
