// Pulling a pitch contour towards a scale (upstream: colab/colab_utils.py). f0_midi, f0_confidence, mask_on: [time].
// Whole-file statistics.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// The offset in semitones, -0.5 to 0.5 in steps of 0.01, at which the notes of the masked frames lie best on a
// chromatic scale. Throws ValueError with fewer than two masked frames. Upstream: get_tuning_factor.
double TuningFactor(const at::Tensor& f0_midi, const at::Tensor& f0_confidence, const at::Tensor& mask_on);

enum class TuningScale {
  kChromatic,  // semitones, shifted by the tuning factor
  kBestMajor,  // the major scale that the masked frames fit best; the tuning factor is not used
};
// f0_midi minus `amount` (0 to 1) of its distance from the scale. Upstream: auto_tune.
at::Tensor AutoTune(const at::Tensor& f0_midi, double tuning_factor, const at::Tensor& mask_on, double amount,
                    TuningScale scale);

}  // namespace ddsp
