#include "server/registry/feature_engine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

// Counts the forms that a saved slot has had.
constexpr int64_t kStateForm = 1;

struct Workspace : StepWorkspace {
  explicit Workspace(FeatureWorkspace features) : features(std::move(features)) {}
  FeatureWorkspace features;
  std::vector<FeatureFrame> frames;
  std::vector<FeatureRequest> heard;
};

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

int64_t FeatureEngine::bytes_per_slot() const { return FeatureState::bytes(); }

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

absl::StatusOr<std::string> FeatureEngine::Save(int slot) {
  StateWriter writer;
  writer.Int(kStateForm);
  states_[slot]->Save(writer);
  return writer.Take();
}

absl::Status FeatureEngine::Restore(int slot, const StreamSettings& settings, std::string_view state) {
  RETURN_IF_ERROR(Reset(slot, settings));
  StateReader reader(state);
  reader.Int(kStateForm, kStateForm);
  states_[slot]->Restore(reader);
  return reader.Finish();
}

std::unique_ptr<StepWorkspace> FeatureEngine::MakeWorkspace() const {
  return std::make_unique<Workspace>(extractor_->MakeWorkspace());
}

absl::Span<const absl::Status> FeatureEngine::Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) {
  auto& work = static_cast<Workspace&>(workspace);
  work.frames.resize(requests.size());
  work.heard.clear();
  for (size_t i = 0; i < requests.size(); ++i) {
    const absl::Span<const float> audio = requests[i].audio;
    work.heard.push_back({{audio.data(), audio.size()}, &*states_[requests[i].slot], &work.frames[i]});
  }
  extractor_->Step(work.heard, work.features);
  for (size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].features != nullptr) *requests[i].features = work.frames[i];
    std::fill(requests[i].output.begin(), requests[i].output.end(), 0.0f);
  }
  work.statuses.assign(requests.size(), absl::OkStatus());
  return work.statuses;
}

}  // namespace ddsp::server
