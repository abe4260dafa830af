// Every synthesiser and every effect makes a sound. (Upstream: tutorial 1, synths and effects.)
#include <cmath>

#include "core/processors/effects.h"
#include "core/processors/synths.h"
#include "examples/show.h"

namespace ddsp::examples {
namespace {

// Sawtooth-like notes of half a second with silence between them: [1, samples].
at::Tensor Notes(const Arguments& arguments) {
  const int64_t frames = arguments.frames();
  const at::Tensor loud = (at::arange(frames) % 50 < 25).to(at::kFloat).reshape({1, frames, 1});
  const Harmonic harmonic({.n_samples = arguments.samples(), .scale_fn = ScaleFn::kNone});
  return Must(harmonic.Run(
                  {{"amplitudes", 0.3 * loud},
                   {"harmonic_distribution", at::reciprocal(at::arange(1, 31).to(at::kFloat)).expand({1, frames, 30})},
                   {"f0_hz", at::full({1, frames, 1}, 220.0)}}))
      .signal;
}

void Synthesisers(const Arguments& arguments) {
  const int64_t frames = arguments.frames(), samples = arguments.samples();
  const at::Tensor steady = at::full({1, frames, 1}, 0.2);

  // A band of noise that rises from the lowest to the highest of 64 bands.
  const at::Tensor bands = at::arange(64).to(at::kFloat) - Ramp(0, 63, frames);
  const FilteredNoise noise({.n_samples = samples, .scale_fn = ScaleFn::kNone});
  const ProcessorContext seeded = {.seed = 1};
  Show(arguments, "filtered_noise", Must(noise.Run({{"magnitudes", at::exp(-bands.square() / 8)}}, seeded)).signal);

  // From a sine to a square wave, two octaves up.
  const at::Tensor phase = at::linspace(0, 2 * M_PI * 2047 / 2048, 2048), share = Ramp(0, 1, frames);
  const at::Tensor tables = (1 - share) * at::sin(phase) + share * at::sign(at::sin(phase));
  const Wavetable wavetable({.n_samples = samples, .scale_fn = ScaleFn::kNone});
  Show(arguments, "wavetable",
       Must(wavetable.Run(
                {{"amplitudes", steady}, {"wavetables", tables}, {"f0_hz", 110 * at::pow(2, Ramp(0, 2, frames))}}))
           .signal);

  // Three sinusoids that cross.
  const at::Tensor frequencies = at::cat({Ramp(300, 900, frames), Ramp(900, 300, frames), Ramp(600, 600, frames)}, 2);
  const Sinusoidal sinusoidal(
      {.n_samples = samples, .amp_scale_fn = ScaleFn::kNone, .freq_scale_fn = ddsp::FrequencyScale::kNone});
  Show(arguments, "sinusoidal",
       Must(sinusoidal.Run({{"amplitudes", steady.expand({1, frames, 3})}, {"frequencies", frequencies}})).signal);
}

void Effects(const Arguments& arguments) {
  const at::Tensor notes = Notes(arguments);
  const int64_t frames = arguments.frames(), samples = arguments.samples();
  Show(arguments, "dry", notes);

  // A room: noise that decays by 60 dB in 0.7 s.
  const at::Tensor seconds = at::arange(kSampleRate) / static_cast<double>(kSampleRate);
  const at::Tensor room = 0.05 * at::randn({1, kSampleRate}) * at::exp(-6.9 / 0.7 * seconds);
  Show(arguments, "reverb", Must(Reverb({}).Run({{"audio", notes}, {"ir", room}})).signal);

  // A low-pass filter that closes.
  const at::Tensor cutoff = Ramp(64, 2, frames), band = at::arange(64).to(at::kFloat);
  const FirFilter filter({.scale_fn = ScaleFn::kNone});
  Show(arguments, "fir_filter",
       Must(filter.Run({{"audio", notes}, {"magnitudes", at::sigmoid(2 * (cutoff - band))}})).signal);

  // A chorus: the delay swings by a few milliseconds, one and a half times a second.
  const at::Tensor time = at::arange(samples).reshape({1, samples, 1}) / static_cast<double>(kSampleRate);
  const ModDelay chorus(
      {.center_ms = 25, .depth_ms = 5, .gain_scale_fn = ScaleFn::kNone, .phase_scale_fn = ScaleFn::kNone});
  Show(
      arguments, "chorus",
      Must(chorus.Run(
               {{"audio", notes}, {"gain", at::full({1, samples, 1}, 0.8)}, {"phase", at::sin(2 * M_PI * 1.5 * time)}}))
          .signal);
}

}  // namespace
}  // namespace ddsp::examples

int main(int argc, char** argv) {
  const auto arguments = ddsp::examples::ParseArguments(argc, argv);
  at::manual_seed(1);
  ddsp::examples::Synthesisers(arguments);
  ddsp::examples::Effects(arguments);
}
