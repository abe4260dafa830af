#include "core/training/metrics_log.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp::training {
namespace {

std::string PathIn(const std::string& directory) { return directory + "/metrics.jsonl"; }

// The lines that parse; a kill may have cut the last.
std::vector<nlohmann::json> ReadLines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return lines;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    nlohmann::json parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_object() && parsed.contains("step")) lines.push_back(std::move(parsed));
  }
  return lines;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsLog>> MetricsLog::Open(const std::string& directory, int64_t resumed_step) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::string kept;
  for (const nlohmann::json& line : ReadLines(PathIn(directory))) {
    if (line["step"].get<int64_t>() <= resumed_step) absl::StrAppend(&kept, line.dump(), "\n");
  }
  RETURN_IF_ERROR(WriteFileAtomically(PathIn(directory), kept));
  ASSIGN_OR_RETURN(std::unique_ptr<EventFile> events, EventFile::Create(directory, absl::Now()));
  return std::unique_ptr<MetricsLog>(new MetricsLog(PathIn(directory), std::move(events)));
}

void MetricsLog::Add(int64_t step, const Scalars& scalars) {
  nlohmann::ordered_json line;
  line["step"] = step;
  const absl::Time now = absl::Now();
  for (const auto& [tag, value] : scalars) {
    line[tag] = value;
    events_->AddScalar(now, step, tag, static_cast<float>(value));
  }
  lines_ << line.dump() << "\n" << std::flush;
  events_->Flush();
}

std::vector<std::pair<int64_t, double>> ReadMetric(const std::string& directory, const std::string& tag) {
  std::vector<std::pair<int64_t, double>> values;
  for (const nlohmann::json& line : ReadLines(PathIn(directory))) {
    if (line.contains(tag) && line[tag].is_number())
      values.emplace_back(line["step"].get<int64_t>(), line[tag].get<double>());
  }
  return values;
}

}  // namespace ddsp::training
