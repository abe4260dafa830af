// Literals of Python: numbers and quoted texts.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/gin/value.h"

namespace ddsp::gin {

// "12", "1_000", "0x1F", "1e-3", ".5"; no sign. Errors: INVALID_ARGUMENT that says what is wrong, without a position;
// among them whole numbers beyond 64 bits.
absl::StatusOr<Value::Content> ParseNumber(absl::string_view text);

// The content of a quoted text without its quotes, escapes replaced. Errors: INVALID_ARGUMENT.
absl::StatusOr<std::string> Unescape(absl::string_view text);

// The index of the first byte that is not UTF-8; text.size() if there is none.
size_t FindInvalidUtf8(absl::string_view text);

}  // namespace ddsp::gin
