#include "server/registry/feature_engine.h"

#include <algorithm>
#include <span>

namespace ddsp::server {
namespace {

// A window of samples and the tracker's candidates; a bound for the metric, not a measurement.
constexpr int64_t kBytesPerStream = 32 * 1024;

}  // namespace

FeatureEngine::FeatureEngine(std::unique_ptr<FeatureExtractor> extractor, int slots)
    : extractor_(std::move(extractor)), states_(slots) {}

// The same timing as a voice's: the hop that a step gives ends at the frame that it analysed.
StreamFormat FeatureEngine::format(StreamInput) const {
  return {.sample_rate = extractor_->settings().sample_rate,
          .hop_size = extractor_->hop(),
          .preroll = extractor_->preroll(),
          .warmup_hops = extractor_->warmup_steps() + 1,
          .tail = 0};
}

int64_t FeatureEngine::bytes_per_slot() const { return kBytesPerStream; }

absl::Status FeatureEngine::Reset(int slot, const StreamSettings& settings) {
  if (settings.input != StreamInput::kAudio)
    return absl::InvalidArgumentError("features are extracted from audio only");
  if (states_[slot].has_value()) {
    states_[slot]->Reset();
  } else {
    states_[slot].emplace(extractor_->MakeState());
  }
  return absl::OkStatus();
}

std::unique_ptr<StepWorkspace> FeatureEngine::MakeWorkspace() const { return std::make_unique<StepWorkspace>(); }

absl::Span<const absl::Status> FeatureEngine::Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) {
  for (const HopRequest& request : requests) {
    const FeatureFrame frame =
        extractor_->Step(std::span<const float>(request.audio.data(), request.audio.size()), *states_[request.slot]);
    if (request.features != nullptr) *request.features = frame;
    std::fill(request.output.begin(), request.output.end(), 0.0f);
  }
  workspace.statuses.assign(requests.size(), absl::OkStatus());
  return workspace.statuses;
}

}  // namespace ddsp::server
