#include "core/offline/adjusted_controls.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/dsp/timbre_transfer.h"
#include "core/features/feature_extractor.h"

namespace ddsp {
namespace {

using at::Tensor;

Performance ToPerformance(const std::vector<FeatureFrame>& frames) {
  const auto column = [&](float FeatureFrame::*field) {
    Tensor values = at::empty({static_cast<int64_t>(frames.size())}, at::kDouble);
    for (size_t t = 0; t < frames.size(); ++t) values.data_ptr<double>()[t] = frames[t].*field;
    return values;
  };
  return {.f0_hz = column(&FeatureFrame::f0_hz),
          .f0_confidence = column(&FeatureFrame::f0_confidence),
          .loudness_db = column(&FeatureFrame::loudness_db),
          .level_db = column(&FeatureFrame::power_db)};
}

std::vector<ControlFrame> ToControls(const AdjustedPerformance& adjusted) {
  const Tensor f0_hz = adjusted.f0_hz.to(at::kFloat).contiguous(),
               level = adjusted.level_db.to(at::kFloat).contiguous();
  std::vector<ControlFrame> frames(f0_hz.numel());
  for (size_t t = 0; t < frames.size(); ++t) {
    frames[t] = {.f0_hz = f0_hz.data_ptr<float>()[t], .power_db = level.data_ptr<float>()[t]};
  }
  return frames;
}

}  // namespace

absl::StatusOr<AdjustedControls> AdjustToVoice(const Voice& voice, absl::Span<const float> audio,
                                               TimbreAdjustOptions options) {
  const v1::VoiceProfile& profile = voice.spec.profile();
  if (profile.power_quantiles_db_size() < 2) {
    return absl::FailedPreconditionError(
        absl::StrCat(voice.id(), " has no profile of its training material to adjust a recording to"));
  }
  const TimbreTarget target{
      .mean_pitch_midi = profile.mean_pitch_midi(),
      .level_quantiles_db = {profile.power_quantiles_db().begin(), profile.power_quantiles_db().end()}};
  ASSIGN_OR_RETURN(const auto extractor, FeatureExtractor::Create(voice.feature_settings()));
  options.frame_rate = extractor->settings().frame_rate;
  const Performance performance = ToPerformance(extractor->Extract(audio));
  ASSIGN_OR_RETURN(const AdjustedPerformance adjusted,
                   CatchTorch([&] { return AdjustTimbre(performance, target, options); }));
  return AdjustedControls{.frames = ToControls(adjusted),
                          .octaves = adjusted.octaves,
                          .note_seconds = adjusted.note_on.sum().item<double>() / options.frame_rate};
}

}  // namespace ddsp
