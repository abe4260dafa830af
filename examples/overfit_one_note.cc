// Gradients through a synthesiser: a decoder learns one note from its sound. (Upstream: tutorial 3, training.)
#include <torch/torch.h>

#include "core/losses/spectral_loss.h"
#include "core/nn/rnn_fc_decoder.h"
#include "core/processors/synths.h"
#include "examples/show.h"

namespace ddsp::examples {
namespace {

// The note to learn: a clarinet's odd harmonics, swelling and dying away.
at::Tensor Note(const Arguments& arguments, const at::Tensor& swell) {
  const int64_t frames = arguments.frames();
  const at::Tensor number = at::arange(1, 21).to(at::kFloat);
  const at::Tensor odd = at::where(number % 2 == 1, 1 / number, 0.05 / number).expand({1, frames, 20});
  const Harmonic harmonic({.n_samples = arguments.samples(), .scale_fn = ScaleFn::kNone});
  return Must(harmonic.Run(
                  {{"amplitudes", 0.4 * swell}, {"harmonic_distribution", odd}, {"f0_hz", Ramp(220, 220, frames)}}))
      .signal;
}

}  // namespace
}  // namespace ddsp::examples

int main(int argc, char** argv) {
  using namespace ddsp;
  using namespace ddsp::examples;
  const Arguments arguments = ParseArguments(argc, argv);
  torch::manual_seed(1);
  const int64_t frames = arguments.frames();
  const at::Tensor swell = at::sin(Ramp(0, M_PI, frames));
  const at::Tensor target = Note(arguments, swell);
  Show(arguments, "target", target);

  const auto decoder =
      Must(RnnFcDecoder::Create({.rnn_channels = 32,
                                 .ch = 32,
                                 .layers_per_stack = 1,
                                 .inputs = {{"loudness"}, {"pitch"}},
                                 .output_splits = {{"amplitudes", 1}, {"harmonic_distribution", 20}}}));
  InitializeParameters(*decoder);
  SetRequiresGrad(*decoder, true);
  std::vector<at::Tensor> weights;
  for (const auto& [path, weight] : CollectParameters(*decoder)) weights.push_back(weight);
  torch::optim::Adam adam(weights, 0.01);

  const Harmonic harmonic({.n_samples = arguments.samples()});
  const SpectralLoss loss({.logmag_weight = 1.0});
  const NamedTensors features = {{"loudness", swell}, {"pitch", Ramp(0.5, 0.5, frames)}};
  at::Tensor audio;
  for (int step = 0; step <= 100; ++step) {
    NamedTensors inputs = Must(decoder->Forward(features)).controls;
    inputs["f0_hz"] = Ramp(220, 220, frames);
    audio = Must(harmonic.Run(inputs)).signal;
    const at::Tensor total = loss(target, audio);
    adam.zero_grad();
    total.backward();
    adam.step();
    if (step % 20 == 0) std::printf("step %3d  loss %.3f\n", step, total.item<double>());
  }
  Show(arguments, "learned", audio);
}
