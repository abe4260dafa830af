#include "core/features/feature_extractor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "core/features/frame_level.h"
#include "core/features/loudness_meter.h"
#include "core/features/pitch_tracker.h"

namespace ddsp {
namespace {

// Samples before and after a frame's centre that the frame may depend on, apart from what the pitch path remembers.
constexpr int kPast = 512;
constexpr int kLookahead = 512;
constexpr int kWindow = kPast + kLookahead;
static_assert(PitchTracker::kHalfWindow == kPast && kPast == kLookahead);
// Above any audio, and its square summed over a window is still a float.
constexpr float kMaxSample = 1e6f;

// Without branches, for the compiler to vectorise.
float Tame(float x) {
  const float bounded = x > kMaxSample ? kMaxSample : x < -kMaxSample ? -kMaxSample : x;
  return x - x == 0.0f ? bounded : 0.0f;
}

// Streams that go through the parts of an analysis together: as many as make the templates, which are larger than the
// cache next to the core, worth their reading. Six cost 5 % more; 24 and 36 gain nothing and take more memory.
constexpr size_t kGroup = 12;

}  // namespace

void SaveFrame(const FeatureFrame& frame, StateWriter& writer) {
  writer.Floats({frame.f0_hz, frame.f0_confidence, frame.voiced ? 1.0f : 0.0f, frame.loudness_db, frame.power_db});
}

FeatureFrame RestoreFrame(StateReader& reader) {
  std::array<float, 5> values;
  reader.Floats(absl::MakeSpan(values));
  return {.f0_hz = values[0],
          .f0_confidence = values[1],
          .voiced = values[2] != 0,
          .loudness_db = values[3],
          .power_db = values[4]};
}

struct FeatureState::Impl {
  // The newest frame's window, oldest sample first.
  std::array<float, kWindow> history;
  PitchState pitch;
  PitchState initial_pitch;

  void Reset() {
    history.fill(0.0f);
    pitch = initial_pitch;
  }
};

FeatureState::FeatureState(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FeatureState::FeatureState(FeatureState&&) noexcept = default;
FeatureState& FeatureState::operator=(FeatureState&&) noexcept = default;
FeatureState::~FeatureState() = default;
void FeatureState::Reset() { impl_->Reset(); }

void FeatureState::Save(StateWriter& writer) const {
  writer.Floats(impl_->history);
  impl_->pitch.Save(writer);
}

void FeatureState::Restore(StateReader& reader) {
  reader.Floats(absl::MakeSpan(impl_->history));
  impl_->pitch.Restore(reader);
}

int64_t FeatureState::bytes() { return sizeof(FeatureState) + sizeof(Impl); }

struct FeatureWorkspace::Impl {
  std::array<PitchTracker::Analysis, kGroup> analyses;
};

FeatureWorkspace::FeatureWorkspace(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FeatureWorkspace::FeatureWorkspace(FeatureWorkspace&&) noexcept = default;
FeatureWorkspace& FeatureWorkspace::operator=(FeatureWorkspace&&) noexcept = default;
FeatureWorkspace::~FeatureWorkspace() = default;

struct FeatureExtractor::Impl {
  explicit Impl(const FeatureSettings& s) : settings(s), loudness(s.sample_rate, s.loudness_fft_size), pitch(s) {}

  // Of a group of streams; an analysis for each.
  void Step(std::span<const FeatureRequest> requests, std::span<PitchTracker::Analysis> analyses) const {
    for (size_t i = 0; i < requests.size(); ++i) pitch.Look(Take(requests[i]), analyses[i]);
    pitch.Compare(analyses);
    for (size_t i = 0; i < requests.size(); ++i) *requests[i].frame = Finish(analyses[i], *requests[i].state->impl_);
  }

  FeatureSettings settings;
  LoudnessMeter loudness;
  PitchTracker pitch;

 private:
  // The window with the stream's next hop.
  std::span<const float> Take(const FeatureRequest& request) const {
    auto& history = request.state->impl_->history;
    std::copy(history.begin() + settings.hop(), history.end(), history.begin());
    std::transform(request.hop.begin(), request.hop.begin() + settings.hop(), history.end() - settings.hop(), Tame);
    return history;
  }

  FeatureFrame Finish(const PitchTracker::Analysis& analysis, FeatureState::Impl& state) const {
    const std::span<const float> window = state.history;
    auto centred = [&](int size) { return window.subspan(kPast - size / 2, size); };
    const PitchEstimate estimate = pitch.Decide(window, analysis, state.pitch);
    return {.f0_hz = estimate.f0_hz,
            .f0_confidence = estimate.confidence,
            .voiced = estimate.voiced,
            .loudness_db = loudness.LoudnessDb(centred(settings.loudness_fft_size)),
            .power_db = FramePowerDb(centred(settings.power_frame_size))};
  }
};

FeatureExtractor::FeatureExtractor(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
FeatureExtractor::~FeatureExtractor() = default;

absl::StatusOr<std::unique_ptr<FeatureExtractor>> FeatureExtractor::Create(const FeatureSettings& settings) {
  if (absl::Status status = ValidateFeatureSettings(settings); !status.ok()) return status;
  return std::unique_ptr<FeatureExtractor>(new FeatureExtractor(std::make_unique<const Impl>(settings)));
}

const FeatureSettings& FeatureExtractor::settings() const { return impl_->settings; }
int FeatureExtractor::hop() const { return impl_->settings.hop(); }
int FeatureExtractor::lookahead() const { return kLookahead; }
int FeatureExtractor::warmup_steps() const { return (kLookahead + hop() - 1) / hop() - 1; }
int FeatureExtractor::preroll() const { return (warmup_steps() + 1) * hop() - kLookahead; }

FeatureState FeatureExtractor::MakeState() const {
  auto state = std::make_unique<FeatureState::Impl>();
  impl_->pitch.Reset(state->initial_pitch);
  state->Reset();
  return FeatureState(std::move(state));
}

FeatureWorkspace FeatureExtractor::MakeWorkspace() const {
  return FeatureWorkspace(std::make_unique<FeatureWorkspace::Impl>());
}

FeatureFrame FeatureExtractor::Step(std::span<const float> hop_samples, FeatureState& state) const {
  PitchTracker::Analysis analysis;
  FeatureFrame frame;
  const FeatureRequest request{hop_samples, &state, &frame};
  impl_->Step({&request, 1}, {&analysis, 1});
  return frame;
}

void FeatureExtractor::Step(std::span<const FeatureRequest> requests, FeatureWorkspace& workspace) const {
  for (size_t begin = 0; begin < requests.size(); begin += kGroup) {
    const size_t count = std::min(kGroup, requests.size() - begin);
    impl_->Step(requests.subspan(begin, count), std::span(workspace.impl_->analyses).first(count));
  }
}

std::vector<FeatureFrame> FeatureExtractor::Extract(std::span<const float> audio) const {
  const std::ptrdiff_t hop = this->hop(), size = audio.size(), frames = size / hop + 1;
  std::vector<FeatureFrame> result;
  result.reserve(frames);
  FeatureState state = MakeState();
  std::vector<float> block(hop);
  for (std::ptrdiff_t step = 0; step < frames + warmup_steps(); ++step) {
    const std::ptrdiff_t begin = step * hop - preroll();
    for (std::ptrdiff_t i = 0; i < hop; ++i) {
      const std::ptrdiff_t at = begin + i;
      block[i] = at >= 0 && at < size ? audio[at] : 0.0f;
    }
    const FeatureFrame frame = Step(block, state);
    if (step >= warmup_steps()) result.push_back(frame);
  }
  return result;
}

}  // namespace ddsp
