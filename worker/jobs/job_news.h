// What a worker has to tell of its job, kept until the server has heard it. Knows no thread and no call.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "ddsp/v1/jobs.pb.h"

namespace ddsp::worker {

class JobNews {
 public:
  // Lines that wait; more push out the oldest, and a line says how many.
  static constexpr size_t kMaxLines = 1000;
  static constexpr int kMaxExamples = 16;
  static constexpr size_t kMaxOutputs = 1000;  // told at once
  static constexpr size_t kMaxLineBytes = 1000;

  // `progress`: as the job has it.
  explicit JobNews(const v1::JobProgress& progress);

  void SetProgress(int64_t done, int64_t total);
  void SetMetric(const std::string& name, double value);
  void SetCheckpoint(int64_t step, const std::string& sha256);
  void AddOutput(const std::string& sha256);
  void AddExample(const v1::JobFile& file);
  void AddLine(std::string line);

  // Adds what has not been heard to `request`; a checkpoint not before all outputs, for it may name them.
  void Tell(v1::HeartbeatRequest* request);
  // The server heard what the last Tell() gave.
  void Heard();
  // The server will never take what the last Tell() gave: it is dropped.
  void Refused() { Heard(); }
  // Nothing is left to tell.
  bool empty() const;
  // Examples of this attempt and those before.
  const v1::JobProgress& progress() const { return progress_; }

 private:
  v1::JobProgress progress_;
  int64_t changes_ = 0, told_changes_ = 0, heard_changes_ = 0;  // of progress_
  std::optional<v1::JobCheckpoint> checkpoint_;
  int64_t told_step_ = -1;
  std::deque<std::string> lines_;
  size_t told_lines_ = 0;  // at the front of lines_
  int64_t dropped_lines_ = 0;
  std::deque<std::string> outputs_;
  size_t told_outputs_ = 0;  // at the front of outputs_
};

}  // namespace ddsp::worker
