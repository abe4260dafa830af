#include "core/gin/source.h"

#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ddsp::gin {
namespace {

constexpr char kPositionType[] = "ddsp.gin.Position";

}  // namespace

std::string ToString(const Position& position) {
  const std::string file = position.file.empty() ? "gin" : position.file;
  return position.line == 0 ? file : absl::StrCat(file, ":", position.line, ":", position.column);
}

absl::Status ErrorAt(const Position& position, absl::string_view what) {
  absl::Status error = absl::InvalidArgumentError(absl::StrCat(ToString(position), ": ", what));
  error.SetPayload(kPositionType, absl::Cord(absl::StrCat(position.line, ":", position.column, ":", position.file)));
  return error;
}

std::optional<Position> PositionOf(const absl::Status& error) {
  const auto payload = error.GetPayload(kPositionType);
  if (!payload) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(std::string(*payload), absl::MaxSplits(':', 2));
  Position position;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &position.line) ||
      !absl::SimpleAtoi(parts[1], &position.column)) {
    return std::nullopt;
  }
  position.file = parts[2];
  return position;
}

}  // namespace ddsp::gin
