// A live client that must not notice anything: sends a recording on schedule, whatever becomes of the servers, and
// keeps what it hears and when.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/pacing/live_pace.h"
#include "client/sdk/resuming_stream.h"
#include "core/base/mutex.h"

namespace ddsp::testing {

class ChaosStream {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Settings {
    std::string servers;  // the first one is where it begins
    std::string model = "violin";
    int sample_rate = 16000;  // Hz
    int64_t message_samples = 320;
    uint64_t seed = 0;
  };
  // Plays `recording`, which outlives it, from sample `offset` on, again and again.
  ChaosStream(const Settings& settings, const std::vector<float>& recording, size_t offset);

  absl::Status Open();
  void Begin(Time start) { start_ = start; }
  // Sends what is due by `now`.
  void SendDue(Time now);
  // Ends the input and waits for the rest.
  void Finish();

  struct Outcome {
    absl::Status status;
    std::vector<float> input, output;
    int64_t repeated_samples = 0, missing_samples = 0;  // by the numbers on blocks
    int64_t stalls = 0;                                 // messages that the stream did not take at once
    std::vector<double> latencies_ms;                   // of blocks, against the audio clock
    double longest_interval_ms = 0;                     // between the arrivals of two blocks
    std::vector<client::Resumption> moves;
  };
  // After Finish().
  Outcome TakeOutcome();
  // Blocks that have come.
  int64_t blocks() const;

 private:
  void Take(const client::StreamMessage& message);
  float NextSample();

  const Settings settings_;
  const std::vector<float>& recording_;
  size_t position_;
  Time start_;
  std::vector<float> input_;  // all that was recorded, [0, sent_) of it taken by the stream
  size_t sent_ = 0;
  int64_t stalls_ = 0;

  mutable Mutex mu_;
  CondVar ended_;
  struct Arrival {
    int64_t end_sample;
    Time time;
  };
  std::vector<Arrival> arrivals_ ABSL_GUARDED_BY(mu_);
  std::vector<float> output_ ABSL_GUARDED_BY(mu_);
  int64_t repeated_ ABSL_GUARDED_BY(mu_) = 0, missing_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<client::ResumingStream> stream_;  // last: it calls back
};

}  // namespace ddsp::testing
