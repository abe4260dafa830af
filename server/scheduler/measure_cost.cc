#include "server/scheduler/measure_cost.h"

#include <algorithm>
#include <vector>

namespace ddsp::server {
namespace {

// Steps that a measurement takes the fastest of.
constexpr int kRounds = 6;
// Streams of the larger one.
constexpr int kMany = 64;

absl::Duration TimeSteps(VoiceEngine& engine, StepWorkspace& workspace, int streams, const Clock& clock) {
  const StreamFormat format = engine.format(StreamInput::kAudio);
  const std::vector<float> input(format.input_hop);
  std::vector<float> output(static_cast<size_t>(format.hop_size) * streams);
  std::vector<HopRequest> requests(streams);
  for (int slot = 0; slot < streams; ++slot) {
    engine.Reset(slot, {}).IgnoreError();  // the default settings are good for any engine
    requests[slot].slot = slot;
    requests[slot].audio = input;
    requests[slot].output =
        absl::MakeSpan(output).subspan(static_cast<size_t>(slot) * format.hop_size, format.hop_size);
  }
  absl::Duration fastest = absl::InfiniteDuration();
  for (int round = 0; round < kRounds + format.warmup_hops; ++round) {
    const absl::Time begin = clock.Now();
    engine.Step(requests, workspace);
    // The first hops of a stream do less.
    if (round >= format.warmup_hops) fastest = std::min(fastest, clock.Now() - begin);
  }
  return fastest;
}

}  // namespace

StepCost MeasureStepCost(VoiceEngine& engine, StepWorkspace& workspace, const Clock& clock) {
  const int many = std::min(kMany, engine.slots());
  TimeSteps(engine, workspace, many, clock);  // the first use of memory is slow
  const absl::Duration one = TimeSteps(engine, workspace, 1, clock);
  return StepCost::Through(1, one, many, TimeSteps(engine, workspace, many, clock));
}

}  // namespace ddsp::server
