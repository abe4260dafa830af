// A graph of processors: harmonics and noise, added, in a room. The same graph is what a configuration file describes
// (see `ddsp graph`). (Upstream: tutorial 2, processor group.)
#include "core/graph/processor_group.h"

#include "core/graph/graph_spec.h"
#include "examples/show.h"

int main(int argc, char** argv) {
  using namespace ddsp;
  using namespace ddsp::examples;
  const Arguments arguments = ParseArguments(argc, argv);
  const int64_t frames = arguments.frames(), samples = arguments.samples();

  const GraphSpec spec = {
      .inputs = {"amps", "harmonic_distribution", "f0_hz", "magnitudes", "ir"},
      .nodes = {{"harmonic", "synths.Harmonic", {{"n_samples", samples}}, {"amps", "harmonic_distribution", "f0_hz"}},
                {"noise", "synths.FilteredNoise", {{"n_samples", samples}}, {"magnitudes"}},
                {"add", "processors.Add", {}, {"harmonic/signal", "noise/signal"}},
                {"reverb", "effects.Reverb", {}, {"add/signal", "ir"}}}};
  const ProcessorGroup group(Must(ValidateGraphSpec(spec)));

  at::manual_seed(1);
  const at::Tensor seconds = at::arange(kSampleRate / 2) / static_cast<double>(kSampleRate);
  const NamedTensors results = Must(group.Run({{"amps", Ramp(1, -3, frames)},
                                               {"harmonic_distribution", Ramp(1, 1, frames) * at::linspace(1, -3, 30)},
                                               {"f0_hz", Ramp(196, 392, frames)},
                                               {"magnitudes", at::full({1, frames, 65}, 2.0)},
                                               {"ir", 0.03 * at::randn({1, kSampleRate / 2}) * at::exp(-12 * seconds)}},
                                              {.seed = 7}));
  // Every intermediate result is there, as upstream's get_controls gives it.
  for (const auto& [key, value] : results) {
    if (key.ends_with("/signal")) std::printf("%-18s [%ld, %ld]\n", key.c_str(), value.size(0), value.size(1));
  }
  Show(arguments, "harmonic", results.at("harmonic/signal"));
  Show(arguments, "noise", results.at("noise/signal"));
  Show(arguments, "group", results.at("out/signal"));
}
