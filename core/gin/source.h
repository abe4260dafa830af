// Where something stands in a gin text, and errors that say so.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ddsp::gin {

// Line and column count from 1; a column counts bytes. Line 0: not from a text.
struct Position {
  std::string file;  // as it was named when it was read; may be empty
  int line = 0;
  int column = 0;
};

std::string ToString(const Position& position);  // "solo.gin:12:5"

// INVALID_ARGUMENT "solo.gin:12:5: what". PositionOf() gives the position back.
absl::Status ErrorAt(const Position& position, absl::string_view what);

// The position that an error was made with; nullopt for another error.
std::optional<Position> PositionOf(const absl::Status& error);

}  // namespace ddsp::gin
