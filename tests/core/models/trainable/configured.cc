#include "tests/core/models/trainable/configured.h"

#include <ATen/CPUGeneratorImpl.h>

#include <numbers>

#include "core/dsp/loudness.h"
#include "core/dsp/resample.h"
#include "core/training/model_step.h"

namespace ddsp::testing {

absl::StatusOr<gin::Config> ReadConfigs(const std::string& name, const std::vector<std::string>& params) {
  absl::StatusOr<gin::Config> config = gin::ReadConfig(std::string(DDSP_SOURCE_DIR) + "/configs/" + name);
  if (!config.ok()) return config;
  if (absl::Status status = gin::Override(params, &*config); !status.ok()) return status;
  return config;
}

std::unique_ptr<TrainableModel> ConfiguredModel(const std::string& name, const std::vector<std::string>& params,
                                                GinModelOptions options) {
  const absl::StatusOr<gin::Config> config = ReadConfigs(name, params);
  EXPECT_TRUE(config.ok()) << config.status();
  if (!config.ok()) return nullptr;
  options.generator = at::detail::createCPUGenerator(1);
  absl::StatusOr<std::unique_ptr<TrainableModel>> model = ModelFromGin(*config, options);
  EXPECT_TRUE(model.ok()) << name << ": " << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

std::vector<std::string> SmallInstrument() {
  return {"n_samples = 5120",
          "F0LoudnessPreprocessor.time_steps = 80",
          "RnnFcDecoder.rnn_channels = 32",
          "RnnFcDecoder.ch = 32",
          "RnnFcDecoder.layers_per_stack = 1",
          "SpectralLoss.fft_sizes = (1024, 256, 64)",
          "FilteredNoise.initial_bias = -3.0"};
}

std::vector<std::string> SmallInverseSynthesis() {
  return {
      "InverseSynthesis.n_samples = 8192",
      "ResnetSinusoidalEncoder.size = 'tiny'",
      "ResnetSinusoidalEncoder.output_splits = (('frequencies', 1280), ('amplitudes', 20), ('noise_magnitudes', 9))",
      "spectrogram/compute_logmel.bins = 96",
      "SinusoidalToHarmonicEncoder.n_harmonics = 20",
      "RnnSandwich.fc_stack_ch = 64",
      "RnnSandwich.rnn_ch = 64",
      "SpectralLoss.fft_sizes = (1024, 256, 64)"};
}

std::vector<std::string> SmallMidi() {
  const std::string splits = "('amplitudes', 1), ('harmonic_distribution', 12), ('magnitudes', 9))";
  return {"Harmonic.n_samples = 5120",
          "FilteredNoise.n_samples = 5120",
          "F0LoudnessPreprocessor.time_steps = 80",
          "DilatedConvDecoder.ch = 16",
          "DilatedConvDecoder.layers_per_stack = 3",
          "DilatedConvDecoder.output_splits = (" + splits,
          "MidiToHarmonicDecoder.output_splits = (('f0_midi', 1), " + splits,
          "dec/DilatedConvStack.ch = 16",
          "dec/DilatedConvStack.stacks = 1",
          "enc/DilatedConvStack.ch = 16",
          "enc/DilatedConvStack.stacks = 1",
          "SpectralLoss.fft_sizes = (1024, 256, 64)"};
}

NamedTensors Tones(int64_t batch, int64_t samples, int64_t frames) {
  const at::Tensor item = at::arange(batch, at::kFloat).unsqueeze(1);
  const at::Tensor time = at::linspace(0, 1, frames).unsqueeze(0);
  const at::Tensor f0_hz = 220 + 40 * item + 30 * time;
  const at::Tensor level = (0.3 + 0.1 * item) * at::sin(time * std::numbers::pi);
  const at::Tensor cycles = at::cumsum(Resample(f0_hz.unsqueeze(-1), samples).squeeze(-1).to(at::kDouble) / 16000, 1);
  at::Tensor audio = at::zeros({batch, samples});
  for (int h = 1; h <= 8; ++h) audio += (at::sin(2 * std::numbers::pi * h * cycles) / (h * h)).to(at::kFloat);
  audio = audio * Resample(level.unsqueeze(-1), samples).squeeze(-1);
  return {{"audio", audio},
          {"f0_hz", f0_hz},
          {"f0_confidence", at::ones_like(f0_hz)},
          {"loudness_db", ComputeLoudness(audio)}};
}

std::vector<double> Train(TrainableModel& model, const NamedTensors& features, int steps, double rate) {
  at::set_num_threads(1);  // a step is too small to share
  training::ModelStepOptions options;
  options.learning_rate.peak = rate;
  training::ModelStep step(options, &model);
  std::vector<double> losses;
  for (int i = 0; i < steps; ++i) {
    ModelContext context;
    context.generator = at::detail::createCPUGenerator(i);
    const auto report = step.Run(features, context);
    EXPECT_TRUE(report.ok()) << report.status();
    if (!report.ok()) return {1, 1};
    losses.push_back(report->loss);
  }
  return losses;
}

}  // namespace ddsp::testing
