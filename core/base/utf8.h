// Text, or bytes that are none.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ddsp {

// The first byte that begins no UTF-8 character (surrogates and overlong forms are none) or is NUL, which ends C's
// strings and which PostgreSQL does not store.
std::optional<size_t> FirstNoText(std::string_view text);

}  // namespace ddsp
