#include "server/scheduler/measure_cost.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "absl/types/span.h"

namespace ddsp::server {
namespace {

// Steps that a measurement takes the median of.
constexpr int kRounds = 7;
// Streams of all workers together in the larger one.
constexpr int kMany = 64;

// Silence would cost less than what people play.
std::vector<float> Note(int64_t samples) {
  std::vector<float> note(samples);
  for (int64_t n = 0; n < samples; ++n) note[n] = 0.3f * std::sin(0.08f * static_cast<float>(n));
  return note;
}

// A worker's steps of `streams` slots from `first` on.
absl::Duration TimeSteps(VoiceEngine& engine, StepWorkspace& workspace, int first, int streams, const Clock& clock) {
  const StreamFormat format = engine.format(StreamInput::kAudio);
  const int rounds = kRounds + format.warmup_hops;
  const std::vector<float> note = Note(int64_t{format.input_hop} * rounds);
  std::vector<float> output(static_cast<size_t>(format.hop_size) * streams);
  std::vector<HopRequest> requests(streams);
  for (int i = 0; i < streams; ++i) {
    engine.Reset(first + i, {}).IgnoreError();  // the default settings are good for any engine
    requests[i].slot = first + i;
    requests[i].output = absl::MakeSpan(output).subspan(static_cast<size_t>(i) * format.hop_size, format.hop_size);
  }
  std::vector<absl::Duration> took;
  for (int round = 0; round < rounds; ++round) {
    for (HopRequest& request : requests) {
      request.audio = absl::MakeSpan(note).subspan(static_cast<size_t>(format.input_hop) * round, format.input_hop);
    }
    const absl::Time begin = clock.Now();
    engine.Step(requests, workspace);
    // The first hops of a stream do less.
    if (round >= format.warmup_hops) took.push_back(clock.Now() - begin);
  }
  std::nth_element(took.begin(), took.begin() + kRounds / 2, took.end());
  return took[kRounds / 2];
}

}  // namespace

StepCost MeasureStepCost(VoiceEngine& engine, const std::vector<std::unique_ptr<StepWorkspace>>& workspaces,
                         const Clock& clock) {
  const int workers = std::min(static_cast<int>(workspaces.size()), engine.slots());
  const int many = std::min(kMany, engine.slots()) / workers;
  // All at once; the slowest counts.
  const auto time = [&](int streams) {
    std::vector<absl::Duration> took(workers);
    std::vector<std::thread> threads;
    for (int worker = 0; worker < workers; ++worker) {
      threads.emplace_back(
          [&, worker] { took[worker] = TimeSteps(engine, *workspaces[worker], worker * many, streams, clock); });
    }
    for (std::thread& thread : threads) thread.join();
    return *std::max_element(took.begin(), took.end());
  };
  time(many);  // the first use of memory is slow
  const absl::Duration one = time(1);
  return StepCost::Through(1, one, many, time(many));
}

}  // namespace ddsp::server
