// An engine that gives back what it is fed, with the timing of any format: what a framer does can be read off directly.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "core/streaming/voice_engine.h"

namespace ddsp::testing {

// Output hop k repeats input hop k, each of its samples the newest one of the input at its time; in a stream of
// controls it is f0_hz of frame k, held. Pitch shifts add to it, from their sample on.
class DelayEngine : public VoiceEngine {
 public:
  explicit DelayEngine(StreamFormat format, int slots = 1) : format_(format), state_(slots) {}

  StreamFormat format(StreamInput) const override { return format_; }
  int slots() const override { return static_cast<int>(state_.size()); }
  int64_t bytes_per_slot() const override { return 0; }
  absl::Status Reset(int slot, const StreamSettings&) override {
    state_[slot].assign(format_.lookahead() + format_.input_hop, 0.0f);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Save(int slot) override {
    StateWriter writer;
    writer.CountedFloats(state_[slot]);
    return writer.Take();
  }
  absl::Status Restore(int slot, const StreamSettings& settings, std::string_view state) override {
    if (absl::Status status = Reset(slot, settings); !status.ok()) return status;
    StateReader reader(state);
    std::vector<float> history = reader.CountedFloats(state_[slot].size());
    if (history.size() != state_[slot].size()) reader.Fail("it is of another engine");
    if (reader.ok()) state_[slot] = std::move(history);
    return reader.Finish();
  }

  std::unique_ptr<StepWorkspace> MakeWorkspace() const override { return std::make_unique<StepWorkspace>(); }
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override {
    for (const HopRequest& request : requests) {
      std::vector<float>& history = state_[request.slot];
      history.erase(history.begin(), history.begin() + format_.input_hop);
      for (int i = 0; i < format_.input_hop; ++i) {
        history.push_back(request.audio.empty() ? request.control.f0_hz : request.audio[i]);
      }
      // The last sample of a step's input is lookahead() - 1 past the first of the hop that it gives.
      const size_t begin = history.size() - format_.lookahead();
      for (int i = 0; i < format_.hop_size; ++i) {
        double shift = request.parameters.pitch_shift_semitones;
        for (const ParameterChange& change : request.changes) {
          if (i >= change.offset) shift = change.parameters.pitch_shift_semitones;
        }
        request.output[i] = history[begin + i * format_.input_hop / format_.hop_size] + static_cast<float>(shift);
      }
      if (request.features != nullptr) request.features->f0_hz = history[begin];
    }
    workspace.statuses.assign(requests.size(), absl::OkStatus());
    return workspace.statuses;
  }

 private:
  const StreamFormat format_;
  std::vector<std::vector<float>> state_;
};

}  // namespace ddsp::testing
