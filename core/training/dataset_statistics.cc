#include "core/training/dataset_statistics.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_format.h"
#include "core/base/pitch.h"
#include "core/models/performer_profile.h"
#include "core/training/example_windows.h"

namespace ddsp::training {
namespace {

using Json = nlohmann::ordered_json;

FeatureStatistics Measure(std::vector<float> values) {
  FeatureStatistics statistics;
  if (values.empty()) return statistics;
  std::sort(values.begin(), values.end());
  double sum = 0, squares = 0;
  for (const float value : values) sum += value;
  statistics.mean = sum / static_cast<double>(values.size());
  for (const float value : values) squares += (value - statistics.mean) * (value - statistics.mean);
  statistics.deviation = std::sqrt(squares / static_cast<double>(values.size()));
  statistics.min = values.front();
  statistics.max = values.back();
  for (int q = 0; q < kProfileQuantiles; ++q) {
    const double at = static_cast<double>(values.size() - 1) * q / (kProfileQuantiles - 1);
    const size_t below = static_cast<size_t>(at), above = std::min(below + 1, values.size() - 1);
    const double share = at - static_cast<double>(below);
    statistics.quantiles.push_back(static_cast<float>(values[below] + share * (values[above] - values[below])));
  }
  return statistics;
}

Json ToJson(const FeatureStatistics& statistics) {
  return {{"min", statistics.min},
          {"max", statistics.max},
          {"mean", statistics.mean},
          {"std", statistics.deviation},
          {"quantiles", statistics.quantiles}};
}

Json ToJson(const std::vector<RecordingRemark>& remarks) {
  Json list = Json::array();
  for (const RecordingRemark& remark : remarks) list.push_back({{"name", remark.name}, {"text", remark.text}});
  return list;
}

double Seconds(const Dataset& dataset, const std::vector<Segment>& segments) {
  double samples = 0;
  for (const Segment& segment : segments) samples += static_cast<double>(segment.end - segment.begin);
  return samples / dataset.sample_rate;
}

}  // namespace

DatasetStatistics MeasureDataset(const Dataset& dataset) {
  DatasetStatistics statistics;
  statistics.seconds = dataset.seconds();
  statistics.voiced_seconds = dataset.voiced_seconds();
  statistics.skipped = dataset.skipped;
  statistics.warnings = dataset.warnings;
  const DataSplit split = SplitDataset(dataset, SplitOf(dataset));
  const WindowOptions windows = WindowsOf(dataset);
  const ExampleWindows training = ListWindows(dataset, split.training, windows);
  statistics.training_examples = static_cast<int64_t>(training.windows.size());
  statistics.silent_examples = training.silent;
  statistics.held_out_examples = static_cast<int64_t>(ListWindows(dataset, split.held_out, windows).windows.size());
  statistics.training_seconds = Seconds(dataset, split.training);
  statistics.held_out_seconds = Seconds(dataset, split.held_out);
  std::set<int> held_out;
  for (const Segment& segment : split.held_out) held_out.insert(segment.recording);
  std::vector<float> pitch, loudness, power, voiced_loudness, voiced_power, confidence;
  for (size_t r = 0; r < dataset.recordings.size(); ++r) {
    const Recording& recording = dataset.recordings[r];
    int64_t voiced = 0;
    for (const FeatureFrame& frame : recording.frames) {
      loudness.push_back(frame.loudness_db);
      power.push_back(frame.power_db);
      if (!frame.voiced) continue;
      ++voiced;
      pitch.push_back(static_cast<float>(HzToMidi(frame.f0_hz)));
      voiced_loudness.push_back(frame.loudness_db);
      voiced_power.push_back(frame.power_db);
      confidence.push_back(frame.f0_confidence);
    }
    statistics.recordings.push_back({recording.name, static_cast<double>(recording.audio.size()) / dataset.sample_rate,
                                     static_cast<double>(voiced) / dataset.settings.frame_rate,
                                     held_out.count(static_cast<int>(r)) > 0});
  }
  statistics.pitch_midi = Measure(std::move(pitch));
  statistics.loudness_db = Measure(std::move(loudness));
  statistics.power_db = Measure(std::move(power));
  statistics.voiced_loudness_db = Measure(std::move(voiced_loudness));
  statistics.voiced_power_db = Measure(std::move(voiced_power));
  statistics.confidence = Measure(std::move(confidence));
  return statistics;
}

std::string DatasetStatistics::ToJson() const {
  Json json = {{"recordings", recordings.size()},
               {"seconds", seconds},
               {"voiced_seconds", voiced_seconds},
               {"training", {{"seconds", training_seconds}, {"examples", training_examples}}},
               {"held_out", {{"seconds", held_out_seconds}, {"examples", held_out_examples}}},
               {"silent_examples", silent_examples}};
  json["pitch_midi"] = training::ToJson(pitch_midi);
  json["confidence"] = training::ToJson(confidence);
  json["power_db"] = training::ToJson(power_db);
  json["power_db_voiced"] = training::ToJson(voiced_power_db);
  json["loudness_db"] = training::ToJson(loudness_db);
  json["loudness_db_voiced"] = training::ToJson(voiced_loudness_db);
  json["files"] = Json::array();
  for (const RecordingStatistics& recording : recordings) {
    json["files"].push_back({{"name", recording.name},
                             {"seconds", recording.seconds},
                             {"voiced_seconds", recording.voiced_seconds},
                             {"held_out", recording.held_out}});
  }
  json["skipped"] = training::ToJson(skipped);
  json["warnings"] = training::ToJson(warnings);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string DatasetStatistics::ToTable() const {
  std::string text = absl::StrFormat(
      "%d recordings, %.1f s, %.1f s of it voiced\n"
      "training %.1f s, %d examples (%d silent ones left out); held out %.1f s, %d examples\n",
      recordings.size(), seconds, voiced_seconds, training_seconds, training_examples, silent_examples,
      held_out_seconds, held_out_examples);
  absl::StrAppendFormat(&text, "%-24s %8s %8s %8s %8s %8s %8s %8s\n", "", "min", "5 %", "median", "95 %", "max", "mean",
                        "std");
  const auto row = [&](const char* name, const FeatureStatistics& of) {
    const auto quantile = [&](int q) { return of.quantiles.empty() ? 0.0 : static_cast<double>(of.quantiles[q]); };
    absl::StrAppendFormat(&text, "%-24s %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f\n", name, of.min, quantile(5),
                          quantile(50), quantile(95), of.max, of.mean, of.deviation);
  };
  row("pitch, MIDI", pitch_midi);
  row("confidence", confidence);
  row("power, dB, voiced", voiced_power_db);
  row("power, dB, all", power_db);
  row("loudness, dB, voiced", voiced_loudness_db);
  row("loudness, dB, all", loudness_db);
  for (const RecordingRemark& remark : warnings)
    absl::StrAppendFormat(&text, "warning: %s: %s\n", remark.name, remark.text);
  for (const RecordingRemark& remark : skipped)
    absl::StrAppendFormat(&text, "skipped: %s: %s\n", remark.name, remark.text);
  return text;
}

}  // namespace ddsp::training
