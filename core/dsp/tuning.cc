#include "core/dsp/tuning.h"

#include <vector>

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

// Distance from the nearest whole number, in (-0.5, 0.5].
Tensor FromNearest(const Tensor& x) {
  const Tensor fraction = at::remainder(x, 1.0);
  return at::where(fraction > 0.5, fraction - 1, fraction);
}

Tensor Masked(const Tensor& x, const Tensor& mask_on) { return x.masked_select(mask_on.to(at::kBool)).to(at::kDouble); }

// Zero where nothing varies, which upstream divides by zero.
Tensor ZScore(const Tensor& x) {
  const Tensor centred = x - x.mean();
  const double spread = at::std(x, /*unbiased=*/false).item<double>();
  return spread > 0 ? centred / spread : centred;
}

// The notes of the major scale on `root`, ten octaves.
Tensor MajorScale(int64_t root) {
  const Tensor degrees = at::tensor(std::vector<double>{0, 2, 4, 5, 7, 9, 11}, at::kDouble);
  return (degrees + 12 * at::arange(10, at::kDouble).unsqueeze(1)).flatten() + root;
}

// Signed distance of every value from the nearest note, [time].
Tensor FromScale(const Tensor& f0_midi, const Tensor& notes) {
  const Tensor distances = f0_midi.unsqueeze(1) - notes;
  return at::gather(distances, 1, at::abs(distances).argmin(1, /*keepdim=*/true)).squeeze(1);
}

}  // namespace

double TuningFactor(const Tensor& f0_midi, const Tensor& f0_confidence, const Tensor& mask_on) {
  const Tensor f0 = Masked(f0_midi, mask_on).unsqueeze(1), weights = Masked(f0_confidence, mask_on).unsqueeze(1);
  DDSP_CHECK_ARGUMENT(f0.size(0) > 1, "mask_on marks ", f0.size(0), " frames, expected at least two");
  const Tensor factors = at::linspace(-0.5, 0.5, 101, at::kDouble);
  const Tensor distances = FromNearest(f0 - factors);
  const Tensor off_pitch = (weights * at::abs(distances)).mean(0);
  // The contour on the scale should rest on few notes: transitions cost. Rounded, since equal notes differ in the last
  // bits.
  const Tensor notes = at::round((f0 - distances - factors));
  const int64_t steps = f0.size(0) - 1;
  const Tensor changes = (notes.narrow(0, 1, steps) != notes.narrow(0, 0, steps)).to(at::kDouble);
  const Tensor transitions = (weights.narrow(0, 0, steps) * changes).mean(0);
  return factors[(ZScore(transitions) + ZScore(off_pitch)).argmin()].item<double>();
}

at::Tensor AutoTune(const Tensor& f0_midi, double tuning_factor, const Tensor& mask_on, double amount,
                    TuningScale scale) {
  const Tensor f0 = f0_midi.to(at::kDouble);
  Tensor distance;
  if (scale == TuningScale::kChromatic) {
    distance = FromNearest(f0 - tuning_factor);
  } else {
    const Tensor on = Masked(f0_midi, mask_on);
    std::vector<Tensor> costs;
    for (int64_t root = 0; root < 12; ++root) costs.push_back(at::abs(FromScale(on, MajorScale(root))).mean());
    distance = FromScale(f0, MajorScale(at::stack(costs).argmin().item<int64_t>()));
  }
  return (f0 - amount * distance).to(f0_midi.scalar_type());
}

}  // namespace ddsp
