#include "client/cli/job_name.h"

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ddsp::client {

absl::StatusOr<std::string> ParseJobName(const std::string& text) {
  std::string name(absl::StripAsciiWhitespace(text));
  if (absl::StartsWith(name, "{")) {
    const nlohmann::json object = nlohmann::json::parse(name, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object() || !object.contains("name") || !object["name"].is_string()) {
      return absl::InvalidArgumentError(absl::StrCat("no JSON object with a name: ", name.substr(0, 100)));
    }
    name = object["name"].get<std::string>();
  }
  if (name.empty()) return absl::InvalidArgumentError("the name of a job is missing");
  return absl::StartsWith(name, "jobs/") ? name : "jobs/" + name;
}

absl::StatusOr<std::string> ReadJobName(const std::string& argument) {
  if (argument != "-") return ParseJobName(argument);
  return ParseJobName(std::string(std::istreambuf_iterator<char>(std::cin), {}));
}

}  // namespace ddsp::client
