#include "core/features/fine_lag_search.h"

#include <algorithm>
#include <numbers>

#include "core/kernels/power_roots.h"

namespace ddsp {
namespace {

// Ever closer, in samples.
constexpr double kWidths[] = {0.5, 0.3, 0.18, 0.108};

}  // namespace

FineLagSearch::FineLagSearch(const Periodicity& view, int sample_rate)
    : turn_(2.0 * std::numbers::pi * view.hz_per_bin() / sample_rate),
      bins_(static_cast<size_t>(kHighestHz / view.hz_per_bin()) + 1),
      window_correlation_(view.window_correlation().begin(), view.window_correlation().end()) {
  for (const double width : kWidths) {
    rounds_.push_back({width, kernels::CosineSums(static_cast<int>(bins_), width * turn_)});
  }
}

void FineLagSearch::Compress(const Periodicity::Power& power, Spectrum& spectrum) const {
  kernels::ThreeQuarterPowers({power.data(), bins_}, spectrum.data());
  spectrum[0] *= 0.5f;
  std::fill(spectrum.begin() + bins_, spectrum.end(), 0.0f);
}

double FineLagSearch::PeakNear(double lag, const Spectrum& spectrum) const {
  const auto& window = window_correlation_;
  auto corrected = [&](double sum, double at_lag) {
    const int at = static_cast<int>(at_lag);
    return sum / (window[at] + (at_lag - at) * (window[at + 1] - window[at]));
  };
  const double last = static_cast<double>(window.size()) - 3.0;
  for (const auto& [width, sums] : rounds_) {
    const kernels::CosineSums::Values values = sums.At(spectrum.data(), lag * turn_);
    const double before = corrected(values.before, lag - width), at = corrected(values.at, lag),
                 after = corrected(values.after, lag + width);
    const double curve = before - 2.0 * at + after;
    if (!(curve < 0.0)) break;
    lag += std::clamp(0.5 * (before - after) / curve, -2.0, 2.0) * width;
    lag = std::clamp(lag, 2.0, last);
  }
  return lag;
}

}  // namespace ddsp
