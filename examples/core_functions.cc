// The functions below the processors: envelopes, oscillators, filters, convolution. (Upstream: tutorial 4, core
// functions.)
#include <cmath>

#include "core/dsp/convolution.h"
#include "core/dsp/filter_design.h"
#include "core/dsp/oscillator.h"
#include "core/dsp/resample.h"
#include "core/dsp/units.h"
#include "core/dsp/wavetable.h"
#include "examples/show.h"

int main(int argc, char** argv) {
  using namespace ddsp;
  using namespace ddsp::examples;
  const Arguments arguments = ParseArguments(argc, argv);
  const int64_t samples = arguments.samples();
  at::manual_seed(1);

  // An envelope of five points, brought to audio rate four ways.
  const at::Tensor points = at::tensor({0.0, 1.0, 0.3, 0.5, 0.0}).reshape({1, 5, 1});
  for (const auto& [name, method] : {std::pair{"nearest", Interpolation::kNearest},
                                     {"linear", Interpolation::kLinear},
                                     {"cubic", Interpolation::kCubic},
                                     {"window", Interpolation::kWindow}}) {
    const at::Tensor envelope = Resample(points, samples / 5 * 5, method);
    std::printf("%-8s envelope: highest %.3f, largest step %.5f\n", name, envelope.max().item<double>(),
                envelope.diff(1, 1).abs().max().item<double>());
  }

  // Two sinusoids, a fifth apart, gliding up an octave: frequencies and amplitudes for every sample.
  const at::Tensor midi = at::cat({Ramp(57, 69, samples), Ramp(64, 76, samples)}, 2);
  const at::Tensor bank = OscillatorBank(MidiToHz(midi), at::full({1, samples, 2}, 0.2));
  Show(arguments, "oscillator_bank", bank);

  // The same notes from a wavetable with four harmonics.
  const at::Tensor table =
      HarmonicDistributionToWavetable(at::tensor({1.0, 0.5, 0.3, 0.2}).reshape({1, 1, 4})).squeeze(1);
  Show(arguments, "wavetable",
       WavetableSynthesis(MidiToHz(Ramp(57, 69, 100)), at::full({1, 100, 1}, 0.2), table, {.n_samples = samples}));

  // White noise through a low-pass filter given by its frequency response, 1 below a quarter of the band.
  const at::Tensor response = (at::arange(65) < 16).to(at::kFloat).reshape({1, 1, 65});
  const at::Tensor noise = 0.2 * (2 * at::rand({1, samples}) - 1);
  Show(arguments, "frequency_filter", FrequencyFilter(noise, response));

  // An echo is a convolution with two impulses.
  at::Tensor echo = at::zeros({1, kSampleRate / 4});
  echo[0][0] = 1;
  echo[0][kSampleRate / 4 - 1] = 0.5;
  Show(arguments, "echo", FftConvolve(bank, echo, {.delay_compensation = 0}));
}
