#include "core/dsp/wavetable.h"

#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"
#include "core/dsp/resample.h"

namespace ddsp {
namespace {

using at::Tensor;

// The phase's axes as [batch, samples].
Tensor Flat(const Tensor& phase) {
  DDSP_CHECK_ARGUMENT(phase.dim() == 2 || (phase.dim() == 3 && phase.size(2) == 1), "phase has shape ", phase.sizes(),
                      ", expected [batch, samples] or [batch, samples, 1]");
  return phase.dim() == 3 ? phase.squeeze(2) : phase;
}

// tables [batch, 1 or samples, points], index [batch, samples].
Tensor Read(const Tensor& tables, const Tensor& index) {
  if (tables.size(1) == 1) return at::gather(tables.squeeze(1).expand({index.size(0), -1}), 1, index);
  return at::gather(tables.expand({index.size(0), -1, -1}), 2, index.unsqueeze(2)).squeeze(2);
}

// Where phases lie in a table, and between which points.
struct Place {
  Place(const Tensor& phase, int64_t points) {
    const Tensor position = Flat(phase) * points, lower = at::floor(position.detach());
    fraction = position - lower;
    // An exact end of the table (phase 1) is its start.
    index = at::remainder(lower.to(at::kLong), points);
    next = at::remainder(index + 1, points);
  }
  Tensor index, next, fraction;  // [batch, samples]
};

// LinearLookup() in tables [batch, frames, points] that change linearly from frame to frame, as Resample() would bring
// them to sample rate. Reads both frames about a sample instead: memory of O(samples), not O(samples x points).
Tensor LookupBetweenFrames(const Tensor& phase, const Tensor& tables) {
  const int64_t samples = phase.size(1), frames = tables.size(1), points = tables.size(2);
  const Place place(phase, points);
  const Tensor position = at::arange(samples, at::kDouble) * frames / samples;
  const Tensor frame = at::floor(position).to(at::kLong).clamp_max(frames - 1);
  const Tensor share = (position - frame).to(phase.options().requires_grad(false));
  const Tensor here = frame * points, there = (frame + 1).clamp_max(frames - 1) * points;
  const Tensor indices = at::cat({here + place.index, here + place.next, there + place.index, there + place.next}, 1);
  const Tensor all = tables.flatten(1).expand({phase.size(0), -1});
  const std::vector<Tensor> read = at::gather(all, 1, indices.to(tables.device())).split(samples, 1);
  const auto between = [](const Tensor& from, const Tensor& to, const Tensor& fraction) {
    return from + (to - from) * fraction;
  };
  return between(between(read[0], read[1], place.fraction), between(read[2], read[3], place.fraction), share);
}

}  // namespace

at::Tensor LinearLookup(const Tensor& phase, const Tensor& wavetables) {
  DDSP_CHECK_ARGUMENT(wavetables.dim() == 2 || wavetables.dim() == 3, "wavetables has shape ", wavetables.sizes(),
                      ", expected [batch, points] or [batch, samples, points]");
  const Tensor tables = wavetables.dim() == 2 ? wavetables.unsqueeze(1) : wavetables;
  const Place place(phase, tables.size(2));
  const Tensor from = Read(tables, place.index), to = Read(tables, place.next);
  return from + (to - from) * place.fraction;
}

at::Tensor HarmonicDistributionToWavetable(const Tensor& harmonic_distribution, int64_t n_wavetable) {
  const int64_t harmonics = harmonic_distribution.size(-1);
  DDSP_CHECK_ARGUMENT(n_wavetable % 2 == 0 && n_wavetable / 2 >= harmonics, "n_wavetable is ", n_wavetable,
                      ", expected an even number of at least ", 2 * harmonics);
  const Tensor bins = PadAxis(harmonic_distribution, 1, n_wavetable / 2 - harmonics, -1);
  const double scale = static_cast<double>(n_wavetable) / 2;
  return at::fft_irfft(at::complex(bins, at::zeros_like(bins)), n_wavetable) * scale;
}

at::Tensor WavetableSynthesis(const Tensor& frequencies, const Tensor& amplitudes, const Tensor& wavetables,
                              const WavetableOptions& options) {
  const Tensor amplitude = Resample(amplitudes, options.n_samples, Interpolation::kWindow).select(2, 0);
  const Tensor frequency = Resample(frequencies, options.n_samples);
  const Tensor velocity = frequency.to(at::kDouble) / options.sample_rate;  // cycles per sample
  const Tensor phase = at::remainder(at::cumsum(velocity, 1) - velocity, 1).to(frequency.scalar_type());
  const bool varies = wavetables.dim() == 3 && wavetables.size(1) > 1;
  return (varies ? LookupBetweenFrames(Flat(phase), wavetables) : LinearLookup(phase, wavetables)) * amplitude;
}

at::Tensor VariableLengthDelay(const Tensor& phase, const Tensor& audio, int64_t max_length, DelayEnd end) {
  DDSP_CHECK_ARGUMENT(max_length > 0, "max_length is ", max_length, ", expected a positive number");
  DDSP_CHECK_ARGUMENT(audio.dim() == 2, "audio has shape ", audio.sizes(), ", expected [batch, samples]");
  const Tensor delay = Flat(phase) * max_length;
  const Tensor lower = at::floor(delay.detach());
  const Tensor fraction = delay - lower;
  const Tensor padded = PadAxis(audio, max_length, 0, 1);  // sample n is at n + max_length
  const Tensor now = at::arange(audio.size(1), audio.options().dtype(at::kLong).requires_grad(false)) + max_length;
  const auto read = [&](Tensor taps) {
    taps = taps.to(at::kLong);
    taps = end == DelayEnd::kWrap ? at::remainder(taps, max_length) : taps.clamp(0, max_length);
    return at::gather(padded, 1, now - taps);
  };
  const Tensor from = read(lower), to = read(lower + 1);
  return from + (to - from) * fraction;
}

}  // namespace ddsp
