#include "core/dsp/filter_design.h"

#include <cmath>

#include "core/dsp/argument.h"
#include "core/dsp/window.h"

namespace ddsp {

using at::Tensor;

at::Tensor ApplyWindowToImpulseResponse(const Tensor& impulse_response, int64_t window_size, ImpulseForm form) {
  const Tensor ir = form == ImpulseForm::kCausal ? at::fft_fftshift(impulse_response, {-1}) : impulse_response;
  const int64_t taps = ir.size(-1);
  DDSP_CHECK_ARGUMENT(taps > 0, "impulse_response has shape ", ir.sizes(), ", expected at least one tap");
  if (window_size <= 0 || window_size > taps) window_size = taps;
  const Tensor window = HannWindow(window_size, ir.options().requires_grad(false));
  if (window_size == taps) return at::fft_fftshift(at::fft_fftshift(window, {-1}) * ir, {-1});

  const int64_t half = (window_size + 1) / 2;
  const Tensor right = window.narrow(0, half, window_size - half);
  const Tensor left = window.narrow(0, 0, half);
  const Tensor windowed = at::cat({right, at::zeros({taps - window_size}, right.options()), left}) * ir;
  const int64_t first = taps - half + 2;  // upstream: (taps - (half - 1)) + 1
  const int64_t tail = std::max<int64_t>(0, taps - first);
  return at::cat({windowed.narrow(-1, taps - tail, tail), windowed.narrow(-1, 0, half + 1)}, -1);
}

at::Tensor FrequencyImpulseResponse(const Tensor& magnitudes, int64_t window_size) {
  const int64_t bins = magnitudes.size(-1);
  DDSP_CHECK_ARGUMENT(bins >= 2, "magnitudes has shape ", magnitudes.sizes(), ", expected at least two bins");
  const Tensor spectrum = at::complex(magnitudes, at::zeros_like(magnitudes));
  return ApplyWindowToImpulseResponse(at::fft_irfft(spectrum, 2 * (bins - 1)), window_size);
}

at::Tensor FrequencyFilter(const Tensor& audio, const Tensor& magnitudes, int64_t window_size,
                           ConvolutionPadding padding) {
  return FftConvolve(audio, FrequencyImpulseResponse(magnitudes, window_size), {padding, kAutomaticDelay});
}

at::Tensor Sinc(const Tensor& x, double threshold) {
  const Tensor angle = at::where(at::abs(x) < threshold, at::full_like(x, threshold), x) * M_PI;
  return at::sin(angle) / angle;
}

at::Tensor SincImpulseResponse(const Tensor& cutoff_frequency, const SincOptions& options) {
  DDSP_CHECK_ARGUMENT(cutoff_frequency.dim() == 3, "cutoff_frequency has shape ", cutoff_frequency.sizes(),
                      ", expected [batch, frames, 1]");
  DDSP_CHECK_ARGUMENT(options.window_size >= 0, "window_size is ", options.window_size,
                      ", expected no negative number");
  const Tensor cutoff = options.sample_rate ? cutoff_frequency * (2.0 / *options.sample_rate) : cutoff_frequency;
  const int64_t half = options.window_size / 2;
  const at::TensorOptions plain = cutoff.options().requires_grad(false);
  Tensor ir = Sinc(cutoff * at::arange(-half, half + 1, plain)) * HammingWindow(2 * half + 1, plain);
  ir = ir / at::abs(ir.sum(-1, /*keepdim=*/true));
  if (options.pass_band == PassBand::kLow) return ir;
  Tensor impulse = at::zeros({2 * half + 1}, plain);
  impulse[half] = 1;
  return impulse - ir;
}

at::Tensor SincFilter(const Tensor& audio, const Tensor& cutoff_frequency, const SincOptions& options,
                      ConvolutionPadding padding) {
  return FftConvolve(audio, SincImpulseResponse(cutoff_frequency, options), {padding, kAutomaticDelay});
}

}  // namespace ddsp
