#include "core/training/metrics_log.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/picture/spectrogram.h"

namespace ddsp::training {
namespace {

std::string PathIn(const std::string& directory) { return directory + "/metrics.jsonl"; }

// The lines of a step; a kill may have cut the last.
std::vector<nlohmann::json> ReadLines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return lines;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    nlohmann::json parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    const bool fits = parsed.is_object() && parsed.contains("step") && parsed["step"].is_number_integer();
    if (fits) lines.push_back(std::move(parsed));
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
    if (tag == "seconds_per_step" && value > 0) {
      events_->AddScalar(now, step, "steps_per_sec", static_cast<float>(1 / value));
    }
  }
  lines_ << line.dump() << "\n" << std::flush;
  events_->Flush();
}

absl::Status MetricsLog::AddAudio(int64_t step, const std::string& tag, int sample_rate,
                                  absl::Span<const float> audio) {
  const absl::Time now = absl::Now();
  events_->Add(FormatAudioEvent(now, step, tag + "/audio", sample_rate, audio));
  SpectrogramOptions options;
  options.sample_rate = sample_rate;
  options.scale = FrequencyAxis::kLogarithmic;
  options.plot_width = 800;
  options.plot_height = 240;
  const SpectrogramPanel panel{tag, std::vector<float>(audio.begin(), audio.end())};
  const Image image = DrawSpectrograms({panel}, options);
  ASSIGN_OR_RETURN(std::string png, image.FormatPng());
  events_->Add(FormatImageEvent(now, step, tag + "/spectrogram", {image.width(), image.height(), std::move(png)}));
  events_->Flush();
  return absl::OkStatus();
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
