#include "server/logs/log_line.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ddsp::server {
namespace {

// One line, readable as it is.
std::string Plain(const std::string& text) { return absl::Utf8SafeCEscape(text); }

std::string Quoted(const std::string& text) {
  const std::string plain = Plain(text);
  const bool bare = !plain.empty() && plain.find_first_of(" =\"") == std::string::npos;
  return bare ? plain : absl::StrCat("\"", plain, "\"");
}

std::string TextOf(const LogField& field) {
  if (const auto* text = std::get_if<std::string>(&field.value)) return Quoted(*text);
  if (const auto* number = std::get_if<int64_t>(&field.value)) return absl::StrCat(*number);
  if (const auto* number = std::get_if<double>(&field.value)) return absl::StrCat(*number);
  return std::get<bool>(field.value) ? "true" : "false";
}

std::string View(std::string_view text) { return std::string(text); }

}  // namespace

std::string_view NameOf(LogLevel level) {
  constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  return kNames[static_cast<int>(level)];
}

std::string AsText(const LogLine& line) {
  std::string text = Plain(line.message);
  if (line.level >= LogLevel::kWarning) text = absl::StrCat(View(NameOf(line.level)), ": ", text);
  for (const LogField& field : line.fields) absl::StrAppend(&text, " ", View(field.key), "=", TextOf(field));
  return text;
}

std::string AsJson(const LogLine& line) {
  nlohmann::ordered_json object = {{"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", line.time, absl::UTCTimeZone())},
                                   {"level", View(NameOf(line.level))},
                                   {"event", View(line.event)},
                                   {"message", line.message}};
  for (const LogField& field : line.fields) {
    std::visit([&](const auto& value) { object[View(field.key)] = value; }, field.value);
  }
  // What is no UTF-8 becomes U+FFFD.
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace ddsp::server
