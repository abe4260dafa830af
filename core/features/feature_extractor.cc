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

float Tame(float x) { return std::isfinite(x) ? std::clamp(x, -kMaxSample, kMaxSample) : 0.0f; }

}  // namespace

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

struct FeatureExtractor::Impl {
  explicit Impl(const FeatureSettings& s) : settings(s), loudness(s.sample_rate, s.loudness_fft_size), pitch(s) {}
  FeatureSettings settings;
  LoudnessMeter loudness;
  PitchTracker pitch;
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

FeatureFrame FeatureExtractor::Step(std::span<const float> hop_samples, FeatureState& state) const {
  const FeatureSettings& settings = impl_->settings;
  auto& [history, pitch_state, initial] = *state.impl_;
  const int hop = this->hop();
  std::copy(history.begin() + hop, history.end(), history.begin());
  std::transform(hop_samples.begin(), hop_samples.begin() + hop, history.end() - hop, Tame);

  const std::span<const float> window(history.begin(), kWindow);
  auto centred = [&](int size) { return window.subspan(kPast - size / 2, size); };
  const PitchEstimate pitch = impl_->pitch.Estimate(window, pitch_state);
  return {.f0_hz = pitch.f0_hz,
          .f0_confidence = pitch.confidence,
          .voiced = pitch.voiced,
          .loudness_db = impl_->loudness.LoudnessDb(centred(settings.loudness_fft_size)),
          .power_db = FramePowerDb(centred(settings.power_frame_size))};
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
