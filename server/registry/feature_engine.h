// The feature extractor in the form of a voice, for sessions that want features and no synthesis. Its audio is silence.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/features/feature_extractor.h"
#include "core/streaming/voice_engine.h"

namespace ddsp::server {

class FeatureEngine : public VoiceEngine {
 public:
  FeatureEngine(std::unique_ptr<FeatureExtractor> extractor, int slots);

  StreamFormat format(StreamInput input) const override;
  int slots() const override { return static_cast<int>(states_.size()); }
  int64_t bytes_per_slot() const override;
  absl::Status Reset(int slot, const StreamSettings& settings) override;
  absl::StatusOr<std::string> Save(int slot) override;
  absl::Status Restore(int slot, const StreamSettings& settings, std::string_view state) override;
  std::unique_ptr<StepWorkspace> MakeWorkspace() const override;
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override;

 private:
  const std::unique_ptr<FeatureExtractor> extractor_;
  std::vector<std::optional<FeatureState>> states_;  // made at a slot's first reset
};

}  // namespace ddsp::server
