// Filters from magnitude responses or cutoff frequencies (upstream: core.py, filter design).
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "core/dsp/convolution.h"

namespace ddsp {

enum class ImpulseForm {
  kZeroPhase,  // the peak at index 0, the left half wrapped to the end
  kCausal,     // the peak in the middle
};

// Windows impulse responses [..., taps] by Hann and returns them in causal form. window_size < 1 or > taps: all taps,
// else the result has window_size taps (window_size - 1 when that is even). The window sits one tap late when it is
// shorter than the response: upstream's form, kept because trained models depend on it. Upstream:
// apply_window_to_impulse_response.
at::Tensor ApplyWindowToImpulseResponse(const at::Tensor& impulse_response, int64_t window_size = 0,
                                        ImpulseForm form = ImpulseForm::kZeroPhase);

// Linear-phase filters from magnitudes [..., bins >= 2] at frequencies evenly spaced from 0 to Nyquist: causal, 2 (bins
// - 1) taps, or as windowed above. Upstream: frequency_impulse_response.
at::Tensor FrequencyImpulseResponse(const at::Tensor& magnitudes, int64_t window_size = 0);

// Filters audio [batch, samples] with magnitudes [batch, bins] or [batch, frames, bins]. Against zero phase the result
// is two samples late when no window shortens the filter (upstream's compensation, kept for trained models). Upstream:
// frequency_filter.
at::Tensor FrequencyFilter(const at::Tensor& audio, const at::Tensor& magnitudes, int64_t window_size = 0,
                           ConvolutionPadding padding = ConvolutionPadding::kSame);

// sin(pi x) / (pi x), where |x| < threshold counts as threshold. Upstream: sinc.
at::Tensor Sinc(const at::Tensor& x, double threshold = 1e-20);

enum class PassBand { kLow, kHigh };
struct SincOptions {
  int64_t window_size = 512;          // taps are 2 * (window_size / 2) + 1
  std::optional<double> sample_rate;  // Hz; without one cutoffs are relative to Nyquist, in [0, 1]
  PassBand pass_band = PassBand::kLow;
};
// Hamming-windowed sinc filters of unity gain from cutoffs [batch, frames, 1]. Upstream: sinc_impulse_response.
at::Tensor SincImpulseResponse(const at::Tensor& cutoff_frequency, const SincOptions& options = {});
// Filters audio [batch, samples]; one sample late against zero phase, as upstream. Upstream: sinc_filter.
at::Tensor SincFilter(const at::Tensor& audio, const at::Tensor& cutoff_frequency, const SincOptions& options = {},
                      ConvolutionPadding padding = ConvolutionPadding::kSame);

}  // namespace ddsp
