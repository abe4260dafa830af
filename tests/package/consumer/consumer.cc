// Learns the level of a tone from its sound: synthesis, spectral loss and gradient from the installed package.
#include <torch/torch.h>

#include <cmath>
#include <cstdio>

#include "core/base/pitch.h"
#include "core/dsp/oscillator.h"
#include "core/losses/spectral_loss.h"

namespace {

at::Tensor Tone(const at::Tensor& level) {
  const at::Tensor frames = torch::ones({1, 50, 1});
  return ddsp::HarmonicSynthesis({.frequencies = 440 * frames, .amplitudes = level * frames}, {.n_samples = 16000});
}

}  // namespace

int main() {
  const at::Tensor target = Tone(torch::tensor(0.5));
  const at::Tensor level = torch::tensor(0.1, torch::requires_grad());
  const ddsp::SpectralLoss loss;
  torch::optim::Adam adam({level}, 0.05);
  for (int step = 0; step < 60; ++step) {
    adam.zero_grad();
    loss(target, Tone(level)).backward();
    adam.step();
  }
  const double learned = level.item<double>();
  std::printf("level %.3f of a tone of MIDI note %.0f, expected 0.5 and 69\n", learned, ddsp::HzToMidi(440));
  return std::abs(learned - 0.5) < 0.05 ? 0 : 1;
}
