// One thing to be told: for people as text, for programs as a JSON object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"

namespace ddsp::server {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

std::string_view NameOf(LogLevel level);  // "info"

struct LogField {
  std::string_view key;  // a constant
  std::variant<std::string, int64_t, double, bool> value;
};

struct LogLine {
  absl::Time time;  // of day
  LogLevel level = LogLevel::kInfo;
  std::string_view event;  // "session.started": a constant
  std::string message;
  std::vector<LogField> fields;
};

// "serving on port 8001 version=0.1.0": without the time, which terminals and journals know. Values with spaces are
// quoted, line ends escaped: one line, whatever a client sent.
std::string AsText(const LogLine& line);

// {"time":"2026-11-23T09:00:00.000000Z","level":"info","event":"session.started","message":"...","session_id":"..."}
std::string AsJson(const LogLine& line);

}  // namespace ddsp::server
