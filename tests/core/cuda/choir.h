// Streams for comparing two engines of one voice.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "core/streaming/voice_engine.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace ddsp::cuda {

// The same streams in slots of any engine: what they sing, their parameters, who steps and who starts again are a pure
// function of the seed.
class Choir {
 public:
  static constexpr int kHop = 320;  // of a voice at 16 kHz, and of what any voice hears

  Choir(VoiceEngine& engine, uint64_t seed, int max_changes = 2)
      : engine_(engine),
        hop_(engine.format(StreamInput::kAudio).hop_size),
        workspace_(engine.MakeWorkspace()),
        random_(seed),
        max_changes_(max_changes) {
    for (int slot = 0; slot < engine.slots(); ++slot) Start(slot);
  }

  // Steps some of the slots; returns their hops, one after the other.
  std::vector<float> Step() {
    std::vector<HopRequest> requests;
    std::vector<std::vector<float>> audio;
    std::vector<std::vector<ParameterChange>> changes;
    std::vector<int> slots;
    for (int slot = 0; slot < engine_.slots(); ++slot) {
      if (Chance(40)) Start(slot);
      if (!Chance(4)) slots.push_back(slot);
    }
    std::shuffle(slots.begin(), slots.end(), random_);
    std::vector<float> output(slots.size() * hop_, 9.0f);
    for (const int slot : slots) {
      audio.push_back(ddsp::testing::TestMelody(kHop * (steps_[slot] + 1), 16000, slot));
      changes.push_back(Changes(slot));
    }
    for (size_t i = 0; i < slots.size(); ++i) {
      HopRequest request;
      request.slot = slots[i];
      request.audio = absl::MakeSpan(audio[i]).last(kHop);
      request.control = {200.0f + 10 * slots[i], -30.0f + steps_[slots[i]] % 7};
      request.changes = changes[i];
      request.parameters = before_[slots[i]];
      request.output = absl::MakeSpan(output).subspan(i * hop_, hop_);
      requests.push_back(request);
      ++steps_[slots[i]];
    }
    for (const absl::Status& status : engine_.Step(requests, *workspace_)) EXPECT_TRUE(status.ok()) << status;
    return output;
  }

 private:
  bool Chance(int in) { return random_() % in == 0; }

  void Start(int slot) {
    StreamSettings settings;
    settings.seed = random_();
    settings.input = slot % 3 == 2 ? StreamInput::kControls : StreamInput::kAudio;
    if (slot % 4 == 1) settings.profile = PerformerProfile{"low", {-50, -20}, 46};
    EXPECT_TRUE(engine_.Reset(slot, settings).ok());
    steps_[slot] = 0;
    parameters_[slot] = {};
  }

  std::vector<ParameterChange> Changes(int slot) {
    std::vector<ParameterChange> changes;
    before_[slot] = parameters_[slot];
    const int count = Chance(3) ? static_cast<int>(random_() % (max_changes_ + 1)) : 0;
    for (int i = 0, offset = 0; i < count && offset < hop_; ++i) {
      offset += 1 + static_cast<int>(random_() % (hop_ - offset));
      parameters_[slot] = {static_cast<double>(random_() % 12) - 6, static_cast<double>(random_() % 10) - 5};
      changes.push_back({offset, parameters_[slot]});
    }
    return changes;
  }

  VoiceEngine& engine_;
  const int hop_;
  std::unique_ptr<StepWorkspace> workspace_;
  std::mt19937 random_;
  const int max_changes_;
  std::map<int, int> steps_;
  std::map<int, StreamParameters> parameters_, before_;
};

inline float MaxDifference(absl::Span<const float> a, absl::Span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::fabs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // NaN too
  }
  return largest;
}

}  // namespace ddsp::cuda
