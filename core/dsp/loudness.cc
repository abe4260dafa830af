#include "core/dsp/loudness.h"

#include "core/dsp/argument.h"
#include "core/dsp/convolution.h"
#include "core/dsp/window.h"

namespace ddsp {
namespace {

using at::Tensor;

int64_t HopOf(const LevelOptions& options) {
  DDSP_CHECK_ARGUMENT(options.frame_rate > 0 && options.sample_rate >= options.frame_rate, "frame_rate is ",
                      options.frame_rate, ", expected 1 to the sample rate, ", options.sample_rate);
  return options.sample_rate / options.frame_rate;
}

Tensor PaddedFrames(const Tensor& audio, const LevelOptions& options) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 1 || audio.dim() == 2, "audio has shape ", audio.sizes(),
                      ", expected [samples] or [batch, samples]");
  PadOptions pad;
  pad.padding = options.padding;
  return Frames(PadForFrames(audio, options.frame_size, HopOf(options), pad), options.frame_size, HopOf(options));
}

}  // namespace

at::Tensor ComputeRmsEnergy(const Tensor& audio, const LevelOptions& options) {
  const Tensor power = PaddedFrames(audio, options).square().mean(-1);
  const Tensor silent = power == 0;
  return at::where(silent, at::zeros_like(power), at::sqrt(at::where(silent, at::ones_like(power), power)));
}

at::Tensor ComputePower(const Tensor& audio, const LevelOptions& options) {
  return AmplitudeToDb(ComputeRmsEnergy(audio, options), options.ref_db, options.range_db);
}

at::Tensor AWeighting(const Tensor& hz) {
  const Tensor f2 = hz * hz;
  const auto pole = [&](double f) { return at::log10(f2 + f * f); };
  const double top = 12194.217;
  const Tensor db = 2 + 20 * (std::log10(top * top) + 2 * at::log10(f2) - pole(top) - pole(20.598997) -
                              0.5 * pole(107.65265) - 0.5 * pole(737.86223));
  return db.clamp_min(-80);
}

at::Tensor ComputeLoudness(const Tensor& audio, const LevelOptions& options) {
  const int64_t size = options.frame_size;
  DDSP_CHECK_ARGUMENT(size > 0 && GetFftSize(size, 1) == size, "n_fft is ", size, ", expected a power of two");
  const at::TensorOptions plain = audio.options().requires_grad(false);
  const Tensor spectra = at::fft_rfft(PaddedFrames(audio, options) * HannWindow(size, plain), size);
  const Tensor power = at::abs(spectra).square();
  const Tensor hz = at::linspace(0, static_cast<double>(options.sample_rate) / 2, size / 2 + 1, at::kDouble);
  const Tensor weights = at::pow(10.0, AWeighting(hz) / 10).to(plain);
  return PowerToDb((power * weights).mean(-1), options.ref_db, options.range_db);
}

}  // namespace ddsp
