// The live engine against the differentiable library: the same voice, once hop by hop through kernels, once as whole
// tensors through core/nn and core/graph, as a training step sees it. Invariant 5's "equals the whole-file render at
// lag 0".
#include <ATen/ATen.h>

#include <cmath>

#include "core/features/feature_extractor.h"
#include "core/graph/processor_group.h"
#include "core/kernels/noise.h"
#include "core/nn/rnn_fc_decoder.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

constexpr int kHop = 320, kHops = 40, kSamples = kHop * kHops, kReverb = 1000;
constexpr uint64_t kSeed = 11;

at::Tensor FromValues(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

// pw_scaled, f0_scaled [1, frames, 1] and f0_hz of frames 0..kHops.
NamedTensors Features(const std::vector<float>& audio) {
  const auto extractor = *FeatureExtractor::Create(FeatureSettings());
  std::vector<float> power, midi, f0_hz;
  for (const FeatureFrame& frame : extractor->Extract(audio)) {
    power.push_back(frame.power_db / 80 + 1);
    midi.push_back(static_cast<float>((69 + 12 * std::log2(frame.f0_hz / 440.0)) / 127));
    f0_hz.push_back(frame.f0_hz);
  }
  const int64_t frames = static_cast<int64_t>(power.size());
  EXPECT_EQ(frames, kHops + 1);
  return {{"pw_scaled", FromValues(power, {1, frames, 1})},
          {"f0_scaled", FromValues(midi, {1, frames, 1})},
          {"f0_hz", FromValues(f0_hz, {1, frames, 1})}};
}

NamedTensors Decode(const Voice& voice, const NamedTensors& features) {
  const v1::DecoderSpec& spec = voice.spec.decoder();
  RnnFcDecoder::Options options;
  options.rnn_channels = spec.rnn_channels();
  options.ch = spec.channels();
  options.layers_per_stack = spec.layers_per_stack();
  options.inputs = {{"pw_scaled"}, {"f0_scaled"}};
  options.output_splits.clear();
  for (const auto& split : spec.output_splits()) options.output_splits.push_back({split.name(), split.size()});
  const auto decoder = *RnnFcDecoder::Create(options);
  NamedTensors weights;
  for (const auto& [name, weight] : voice.weights) {
    if (name.rfind("decoder/", 0) == 0) weights[name.substr(8)] = FromValues(weight.values, weight.shape);
  }
  EXPECT_TRUE(UseParameters(*decoder, weights).ok());
  NamedTensors controls = decoder->Forward(features)->controls;
  controls["f0_hz"] = features.at("f0_hz");
  return controls;
}

// As in training: one hop more than is wanted, so that the last frame is a frame and not held, cropped at the back.
at::Tensor RenderWholeFile(const Voice& voice, const std::vector<float>& audio) {
  const int64_t samples = kSamples + kHop;
  GraphSpec graph;
  graph.inputs = {"amps", "harmonic_distribution", "noise_magnitudes", "f0_hz", "ir"};
  graph.nodes = {{"harmonic",
                  "synths.Harmonic",
                  {{"n_samples", samples}, {"amp_resample_method", std::string("linear")}},
                  {"amps", "harmonic_distribution", "f0_hz"}},
                 {"filtered_noise",
                  "synths.FilteredNoise",
                  {{"n_samples", samples}, {"window_size", int64_t{0}}},
                  {"noise_magnitudes"}},
                 {"add", "processors.Add", {}, {"filtered_noise/signal", "harmonic/signal"}},
                 {"reverb", "effects.Reverb", {{"reverb_length", int64_t{kReverb}}}, {"add/signal", "ir"}},
                 {"crop", "processors.Crop", {{"frame_size", int64_t{kHop}}}, {"reverb/signal"}}};
  auto validated = ValidateGraphSpec(graph);
  EXPECT_TRUE(validated.ok()) << validated.status();
  NamedTensors controls = Decode(voice, Features(audio));
  controls["ir"] = FromValues(voice.weights.at("reverb/ir").values, {1, kReverb});
  std::vector<float> noise(samples);
  kernels::UniformNoise(kSeed, 0, absl::MakeSpan(noise));
  GroupContext context;
  context.noise["filtered_noise"] = FromValues(noise, {1, samples});
  auto signal = ProcessorGroup(*std::move(validated)).GetSignal(controls, context);
  EXPECT_TRUE(signal.ok()) << signal.status();
  return signal->flatten();
}

TEST(WholeFile, TheLiveEngineEqualsTheDifferentiableLibrary) {
  testing::TestVoiceOptions options;
  options.reverb_length = kReverb;
  const auto voice = std::make_shared<const Voice>(testing::MakeTestVoice(options));
  const std::vector<float> audio = testing::TestMelody(kSamples);
  const auto engine = *MakeVoiceEngine(voice, 1);
  RenderOptions render;
  render.settings.seed = kSeed;
  render.framer.tail = TailPolicy::kCut;
  const auto live = Render(*engine, render, audio);
  ASSERT_TRUE(live.ok()) << live.status();
  const at::Tensor whole = RenderWholeFile(*voice, audio);
  ASSERT_EQ(whole.numel(), static_cast<int64_t>(live->audio.size()));
  const at::Tensor difference = (whole - FromValues(live->audio, {kSamples})).abs();
  EXPECT_LT(difference.max().item<float>(), 1e-5);
  EXPECT_GT(whole.abs().max().item<float>(), 0.1);
}

}  // namespace
}  // namespace ddsp
