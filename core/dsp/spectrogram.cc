#include "core/dsp/spectrogram.h"

#include <cmath>

#include "core/dsp/argument.h"
#include "core/dsp/convolution.h"
#include "core/dsp/safe_math.h"
#include "core/dsp/window.h"

namespace ddsp {
namespace {

double MelOf(double hz) { return 1127.0 * std::log1p(hz / 700.0); }

}  // namespace

int64_t HopOf(const StftOptions& options) {
  return static_cast<int64_t>(static_cast<double>(options.frame_size) * (1.0 - options.overlap));
}

at::Tensor Stft(const at::Tensor& audio, const StftOptions& options) {
  const at::Tensor signal = audio.dim() == 3 ? audio.squeeze(-1) : audio;
  DDSP_CHECK_ARGUMENT(signal.dim() == 1 || signal.dim() == 2, "audio has shape ", audio.sizes(),
                      ", expected [samples] or [batch, samples]");
  const at::Tensor frames = Frames(signal, options.frame_size, HopOf(options), options.padding);
  const at::Tensor window = HannWindow(options.frame_size, signal.options().requires_grad(false));
  return at::fft_rfft(frames * window, GetFftSize(options.frame_size, 1));
}

at::Tensor ComputeMag(const at::Tensor& audio, const StftOptions& options) { return at::abs(Stft(audio, options)); }

at::Tensor ComputeLogmag(const at::Tensor& audio, const StftOptions& options) {
  return SafeLog(ComputeMag(audio, options));
}

at::Tensor MelWeights(int64_t spectrum_bins, const MelOptions& options) {
  DDSP_CHECK_ARGUMENT(options.bins > 0 && options.lo_hz >= 0 && options.lo_hz < options.hi_hz &&
                          options.hi_hz <= options.sample_rate / 2,
                      "mel range is ", options.lo_hz, " to ", options.hi_hz, " Hz in ", options.bins,
                      " bins, expected 0 <= lo < hi <= ", options.sample_rate / 2);
  const at::Tensor hz = at::linspace(0, options.sample_rate / 2, spectrum_bins, at::kDouble);
  const at::Tensor mel = (1127.0 * at::log1p(hz / 700.0)).unsqueeze(1);
  const at::Tensor edges = at::linspace(MelOf(options.lo_hz), MelOf(options.hi_hz), options.bins + 2, at::kDouble);
  const at::Tensor lower = edges.narrow(0, 0, options.bins), centre = edges.narrow(0, 1, options.bins),
                   upper = edges.narrow(0, 2, options.bins);
  at::Tensor weights = at::minimum((mel - lower) / (centre - lower), (upper - mel) / (upper - centre)).clamp_min(0);
  weights[0].zero_();
  return weights;
}

at::Tensor ComputeMel(const at::Tensor& audio, const MelOptions& options) {
  const at::Tensor mag = ComputeMag(audio, options.stft);
  return at::matmul(mag, MelWeights(mag.size(-1), options).to(mag.options()));
}

at::Tensor ComputeLogmel(const at::Tensor& audio, const MelOptions& options) {
  return SafeLog(ComputeMel(audio, options));
}

at::Tensor ComputeMfcc(const at::Tensor& audio, int64_t mfcc_bins, const MelOptions& options) {
  const at::Tensor logmel = ComputeLogmel(audio, options);
  const double n = static_cast<double>(options.bins);
  const at::Tensor position = (2 * at::arange(options.bins, at::kDouble) + 1).unsqueeze(1);
  const at::Tensor dct =
      2 * at::cos(position * at::arange(mfcc_bins, at::kDouble) * (M_PI / (2 * n))) / std::sqrt(2 * n);
  return at::matmul(logmel, dct.to(logmel.options()));
}

}  // namespace ddsp
