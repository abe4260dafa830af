// DelayEngine with faults that tests ask for.
#pragma once

#include <cmath>
#include <memory>
#include <set>
#include <vector>

#include "tests/support/delay_engine.h"

namespace ddsp::testing {

// The timing of a voice of the VST recipe.
inline constexpr StreamFormat kVstFormat{
    .sample_rate = 16000, .hop_size = 320, .preroll = 128, .warmup_hops = 2, .tail = 700};

// What comes out of it for `song`.
inline std::vector<float> WithTail(std::vector<float> song) {
  song.resize(song.size() + kVstFormat.tail, 0.0f);
  return song;
}

// A sample of this value makes the hop of its stream fail, as NaN in a model would.
inline constexpr float kPoison = 1e6f;
// And this one, as a device that has failed would.
inline constexpr float kBroken = 2e6f;

class FakeEngine : public VoiceEngine {
 public:
  explicit FakeEngine(int slots, StreamFormat format = kVstFormat) : inner_(format, slots) {}

  StreamFormat format(StreamInput input) const override { return inner_.format(input); }
  int slots() const override { return inner_.slots(); }
  int64_t bytes_per_slot() const override { return 1000; }

  absl::Status Reset(int slot, const StreamSettings& settings) override {
    if (settings.profile.has_value() && settings.profile->name == "unusable") {
      return absl::InvalidArgumentError("profile 'unusable' cannot be used");
    }
    return inner_.Reset(slot, settings);
  }

  absl::StatusOr<std::string> Save(int slot) override { return inner_.Save(slot); }
  absl::Status Restore(int slot, const StreamSettings& settings, std::string_view state) override {
    return inner_.Restore(slot, settings, state);
  }

  std::unique_ptr<StepWorkspace> MakeWorkspace() const override { return inner_.MakeWorkspace(); }
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override {
    inner_.Step(requests, workspace);
    for (size_t i = 0; i < requests.size(); ++i) {
      for (const float sample : requests[i].audio) {
        if (sample == kPoison) workspace.statuses[i] = absl::InternalError("the model made NaN");
        if (sample == kBroken) workspace.statuses[i] = absl::UnavailableError("the device has failed");
      }
    }
    return workspace.statuses;
  }

 private:
  DelayEngine inner_;
};

}  // namespace ddsp::testing
