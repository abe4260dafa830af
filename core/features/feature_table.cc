#include "core/features/feature_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

absl::Status BadLine(size_t line, const std::string& problem) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", problem));
}

// Column by name.
using Columns = std::map<std::string, size_t>;

absl::StatusOr<Columns> ParseHeader(absl::string_view line) {
  Columns columns;
  for (const absl::string_view name : absl::StrSplit(line, ',')) {
    const size_t column = columns.size();
    columns.emplace(absl::StripAsciiWhitespace(name), column);
  }
  for (const char* name : {"time_s", "f0_hz", "power_db"}) {
    if (columns.count(name) == 0) return BadLine(1, absl::StrCat("no column ", name));
  }
  return columns;
}

// The numbers of one line, by column.
absl::StatusOr<std::vector<double>> ParseNumbers(absl::string_view text, size_t columns, size_t line) {
  std::vector<double> numbers;
  for (const absl::string_view cell : absl::StrSplit(text, ',')) {
    double number = 0;
    // Frames are of floats.
    if (!absl::SimpleAtod(absl::StripAsciiWhitespace(cell), &number) ||
        !(std::abs(number) <= std::numeric_limits<float>::max())) {
      return BadLine(line, absl::StrCat("'", cell.substr(0, 40), "' is no number"));
    }
    numbers.push_back(number);
  }
  if (numbers.size() != columns) return BadLine(line, absl::StrCat(numbers.size(), " cells, not ", columns));
  return numbers;
}

FeatureFrame ToFrame(const Columns& columns, const std::vector<double>& numbers) {
  const auto value = [&](const char* name, double otherwise) {
    const auto column = columns.find(name);
    return column == columns.end() ? otherwise : numbers[column->second];
  };
  FeatureFrame frame;
  frame.f0_hz = static_cast<float>(value("f0_hz", 0));
  frame.f0_confidence = static_cast<float>(value("f0_confidence", 1));
  frame.voiced = value("voiced", 1) != 0;
  frame.power_db = static_cast<float>(value("power_db", 0));
  frame.loudness_db = static_cast<float>(value("loudness_db", frame.power_db));
  return frame;
}

}  // namespace

std::string FormatFeatures(const FeatureTable& table) {
  std::string text = "time_s,f0_hz,f0_confidence,voiced,loudness_db,power_db\n";
  for (size_t t = 0; t < table.frames.size(); ++t) {
    const FeatureFrame& frame = table.frames[t];
    absl::StrAppendFormat(&text, "%.6f,%.4f,%.5f,%d,%.4f,%.4f\n", static_cast<double>(t) / table.frame_rate,
                          frame.f0_hz, frame.f0_confidence, frame.voiced ? 1 : 0, frame.loudness_db, frame.power_db);
  }
  return text;
}

absl::StatusOr<FeatureTable> ParseFeatures(const std::string& text) {
  const std::vector<absl::string_view> lines =
      absl::StrSplit(absl::StripTrailingAsciiWhitespace(text), absl::ByAnyChar("\n"));
  ASSIGN_OR_RETURN(const Columns columns, ParseHeader(lines[0]));
  FeatureTable table;
  std::vector<double> times;
  for (size_t i = 1; i < lines.size(); ++i) {
    ASSIGN_OR_RETURN(const std::vector<double> numbers, ParseNumbers(lines[i], columns.size(), i + 1));
    times.push_back(numbers[columns.at("time_s")]);
    table.frames.push_back(ToFrame(columns, numbers));
    if (!(table.frames.back().f0_hz > 0)) return BadLine(i + 1, "f0_hz is not positive");
  }
  if (times.size() < 2) return BadLine(lines.size(), "fewer than two frames");
  // Times have six places.
  table.frame_rate = static_cast<int>(std::lround((times.size() - 1) / std::max(times.back() - times.front(), 1e-3)));
  if (table.frame_rate < 1) return BadLine(lines.size(), "the times span nothing");
  for (size_t t = 0; t < times.size(); ++t) {
    if (std::abs(times[t] - static_cast<double>(t) / table.frame_rate) > 1e-5) {
      return BadLine(t + 2, absl::StrCat("time_s ", times[t], " is not that of frame ", t, " at ", table.frame_rate,
                                         " frames a second"));
    }
  }
  return table;
}

}  // namespace ddsp
