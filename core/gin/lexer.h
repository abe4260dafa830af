// Cuts a gin text into tokens, as Python's tokenizer would: lines end inside no bracket and after no backslash.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/gin/value.h"

namespace ddsp::gin {

struct Token {
  enum class Kind { kName, kNumber, kText, kSymbol, kEndOfLine, kEnd };
  Kind kind = Kind::kEnd;
  absl::string_view source;  // as written
  Value::Content value;     // of a number or a text
  Position position;
  bool after_space = false;  // something stands between this token and the one before
};

// The tokens of `text`, which must outlive them; the last one is kEnd, and a kEndOfLine stands before it.
// Errors: INVALID_ARGUMENT with a position.
absl::StatusOr<std::vector<Token>> Tokenize(absl::string_view text, const std::string& file);

}  // namespace ddsp::gin
