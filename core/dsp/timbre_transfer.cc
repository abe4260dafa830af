#include "core/dsp/timbre_transfer.h"

#include <algorithm>
#include <cmath>

#include "core/dsp/argument.h"
#include "core/dsp/note_detection.h"
#include "core/dsp/quantile_transformer.h"
#include "core/dsp/tuning.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr double kHighestMidi = 110;
constexpr double kSmoothingSeconds = 0.16;

void CheckArguments(const Performance& performance, const TimbreTarget& target, const TimbreAdjustOptions& options) {
  const at::IntArrayRef shape = performance.f0_hz.sizes();
  DDSP_CHECK_ARGUMENT(shape.size() == 1, "f0_hz has shape ", shape, ", expected [time]");
  for (const Tensor& other : {performance.f0_confidence, performance.loudness_db, performance.level_db}) {
    DDSP_CHECK_ARGUMENT(other.sizes() == shape, "a feature has shape ", other.sizes(), " beside f0_hz of ", shape);
  }
  DDSP_CHECK_ARGUMENT(target.level_quantiles_db.size() >= 2, "level_quantiles_db has ",
                      target.level_quantiles_db.size(), " values, expected at least 2");
  const auto check = [](const char* name, double value, double highest) {
    DDSP_CHECK_ARGUMENT(value >= 0 && value <= highest, name, " is ", value, ", expected 0 to ", highest);
  };
  check("threshold", options.threshold, 2);
  check("quiet_db", options.quiet_db, 60);
  check("autotune", options.autotune, 1);
  DDSP_CHECK_ARGUMENT(options.frame_rate > 0, "frame_rate is ", options.frame_rate, ", expected a positive number");
}

// Upstream rounds down beyond one and a half octaves and up below.
double RegisterShift(double difference_semitones) {
  const double octaves = difference_semitones / 12;
  return octaves > 1.5 ? std::floor(octaves) : std::ceil(octaves);
}

std::vector<double> Values(const Tensor& x) {
  const Tensor flat = x.to(at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// The level of the notes by rank: the quietest note becomes as loud as the target's quietest.
Tensor MapNotes(const Tensor& level_db, const Tensor& note_on, const std::vector<double>& target_db) {
  std::vector<double> ranks(target_db.size());
  for (size_t i = 0; i < ranks.size(); ++i) ranks[i] = static_cast<double>(i) / (ranks.size() - 1);
  const auto source = QuantileTransformer::Fit(Values(level_db.masked_select(note_on)));
  DDSP_CHECK_ARGUMENT(source.ok(), source.status().message());
  std::vector<double> mapped = Values(level_db);
  for (double& level : mapped) level = Interpolate(source->Transform(level), ranks, target_db);
  return at::where(note_on, at::tensor(mapped, at::kDouble), level_db);
}

// Upstream also finds the tuning factor, which tuning to the best major scale does not use.
Tensor Tuned(const Tensor& f0_hz, const Tensor& note_on, double amount) {
  return MidiToHz(AutoTune(HzToMidi(f0_hz), /*tuning_factor=*/0, note_on, amount, TuningScale::kBestMajor));
}

}  // namespace

AdjustedPerformance AdjustTimbre(const Performance& performance, const TimbreTarget& target,
                                 const TimbreAdjustOptions& options) {
  CheckArguments(performance, target, options);
  const Tensor f0_hz = performance.f0_hz.to(at::kDouble), level_db = performance.level_db.to(at::kDouble);
  const DetectedNotes notes =
      DetectNotes(performance.loudness_db.to(at::kDouble), performance.f0_confidence.to(at::kDouble),
                  {.note_threshold = options.threshold,
                   .smoothing = std::max<int64_t>(1, std::llround(kSmoothingSeconds * options.frame_rate))});
  AdjustedPerformance adjusted{.f0_hz = f0_hz, .level_db = level_db, .note_on = notes.mask_on};
  if (!notes.mask_on.any().item<bool>()) return adjusted;

  const double mean_pitch = HzToMidi(f0_hz).masked_select(notes.mask_on).mean().item<double>();
  adjusted.octaves = RegisterShift(target.mean_pitch_midi - mean_pitch);
  const double highest_hz = 440 * std::exp2((kHighestMidi - 69) / 12);
  adjusted.f0_hz = (f0_hz * std::exp2(adjusted.octaves)).clamp(0, highest_hz);

  const Tensor quieter = level_db - options.quiet_db * (1 - notes.note_on_ratio);
  adjusted.level_db = at::where(notes.mask_on, MapNotes(level_db, notes.mask_on, target.level_quantiles_db), quieter);
  if (options.autotune > 0) {
    adjusted.f0_hz = Tuned(adjusted.f0_hz, notes.mask_on, options.autotune);
  }
  return adjusted;
}

}  // namespace ddsp
