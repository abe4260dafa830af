// What a run reports of itself: one JSON object a line in metrics.jsonl, the same scalars in TensorBoard event
// files, which also take sounds.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/training/event_file.h"

namespace ddsp::training {

using Scalars = std::vector<std::pair<std::string, double>>;

class MetricsLog {
 public:
  // Writes metrics.jsonl and events.* in `directory`. Lines of steps after `resumed_step` are dropped: those steps
  // happen again.
  static absl::StatusOr<std::unique_ptr<MetricsLog>> Open(const std::string& directory, int64_t resumed_step);

  // "seconds_per_step" also becomes upstream's "steps_per_sec" in the event file.
  void Add(int64_t step, const Scalars& scalars);

  // Into the event file alone: a sound and its spectrogram, <tag>/audio and <tag>/spectrogram.
  absl::Status AddAudio(int64_t step, const std::string& tag, int sample_rate, absl::Span<const float> audio);

 private:
  MetricsLog(const std::string& path, std::unique_ptr<EventFile> events)
      : lines_(path, std::ios::app), events_(std::move(events)) {}
  std::ofstream lines_;
  std::unique_ptr<EventFile> events_;
};

// Values of `tag` in a metrics.jsonl, with their steps.
std::vector<std::pair<int64_t, double>> ReadMetric(const std::string& directory, const std::string& tag);

}  // namespace ddsp::training
