// What a run reports of itself: one JSON object a line in metrics.jsonl, the same scalars in TensorBoard event files.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/training/event_file.h"

namespace ddsp::training {

using Scalars = std::vector<std::pair<std::string, double>>;

class MetricsLog {
 public:
  // Writes metrics.jsonl and events.* in `directory`. Lines of steps after `resumed_step` are dropped: those steps
  // happen again.
  static absl::StatusOr<std::unique_ptr<MetricsLog>> Open(const std::string& directory, int64_t resumed_step);

  void Add(int64_t step, const Scalars& scalars);

 private:
  MetricsLog(const std::string& path, std::unique_ptr<EventFile> events)
      : lines_(path, std::ios::app), events_(std::move(events)) {}
  std::ofstream lines_;
  std::unique_ptr<EventFile> events_;
};

// Values of `tag` in a metrics.jsonl, with their steps.
std::vector<std::pair<int64_t, double>> ReadMetric(const std::string& directory, const std::string& tag);

}  // namespace ddsp::training
