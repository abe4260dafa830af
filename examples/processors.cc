// What a processor is. Its two steps: inputs, which may be any real numbers (a network makes them), become controls
// with a meaning (amplitudes, shares, Hz), and controls become a signal. (Upstream: tutorial 0, processor.)
#include "core/processors/synths.h"
#include "examples/show.h"

int main(int argc, char** argv) {
  using namespace ddsp;
  using namespace ddsp::examples;
  const Arguments arguments = ParseArguments(argc, argv);
  const int64_t frames = arguments.frames(), harmonics = 20;

  // Falling amplitude; the spectrum tilts from dark to bright; a steady A.
  const at::Tensor tilt = Ramp(-2.0, 0.0, frames) * at::linspace(0, 4, harmonics);
  const NamedTensors inputs = {{"amplitudes", Ramp(1.0, -5.0, frames)},
                               {"harmonic_distribution", 1.0 + tilt},
                               {"f0_hz", at::full({1, frames, 1}, 440.0)}};

  const Harmonic harmonic({.n_samples = arguments.samples(), .sample_rate = kSampleRate});
  const NamedTensors controls = Must(harmonic.GetControls(inputs));
  for (const auto& [name, values] : controls) {
    std::printf("%-22s %g to %g\n", name.c_str(), values.min().item<double>(), values.max().item<double>());
  }
  Show(arguments, "harmonic", Must(harmonic.GetSignal(controls)));

  // Both steps at once give the same.
  const ProcessorOutput whole = Must(harmonic.Run(inputs));
  std::printf("Run() equals the two steps: %s\n",
              at::equal(whole.controls.at("f0_hz"), controls.at("f0_hz")) ? "yes" : "no");
}
