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

// The features at frame d of the decoder, `ratio` of which make a frame of the extractor.
FeatureFrame FeaturesAt(const std::vector<FeatureFrame>& frames, int64_t d, int64_t ratio) {
  const FeatureFrame& before = frames[d / ratio];
  if (d % ratio == 0) return before;
  const FeatureFrame& after = frames[d / ratio + 1];
  const double share = static_cast<double>(d % ratio) / ratio;
  FeatureFrame frame = share < 0.5 ? before : after;
  frame.power_db = static_cast<float>((1 - share) * before.power_db + share * after.power_db);
  frame.loudness_db = static_cast<float>((1 - share) * before.loudness_db + share * after.loudness_db);
  const double semitones = 12 * std::log2(static_cast<double>(after.f0_hz) / before.f0_hz);
  if (before.voiced && after.voiced && std::fabs(semitones) <= 2) {
    frame.f0_hz = static_cast<float>(before.f0_hz * std::exp2(share * semitones / 12));
  }
  return frame;
}

// pw_scaled, ld_scaled, f0_scaled [1, frames, 1] and f0_hz of frames 0..kHops * ratio.
NamedTensors Features(const std::vector<float>& audio, int64_t ratio) {
  const auto extractor = *FeatureExtractor::Create(FeatureSettings());
  const std::vector<FeatureFrame> extracted = extractor->Extract(audio);
  EXPECT_EQ(extracted.size(), kHops + 1u);
  std::vector<float> power, loudness, midi, f0_hz;
  for (int64_t d = 0; d <= kHops * ratio; ++d) {
    const FeatureFrame frame = FeaturesAt(extracted, d, ratio);
    power.push_back(frame.power_db / 80 + 1);
    loudness.push_back(frame.loudness_db / 80 + 1);
    midi.push_back(static_cast<float>((69 + 12 * std::log2(frame.f0_hz / 440.0)) / 127));
    f0_hz.push_back(frame.f0_hz);
  }
  const int64_t frames = static_cast<int64_t>(power.size());
  return {{"pw_scaled", FromValues(power, {1, frames, 1})},
          {"ld_scaled", FromValues(loudness, {1, frames, 1})},
          {"f0_scaled", FromValues(midi, {1, frames, 1})},
          {"f0_hz", FromValues(f0_hz, {1, frames, 1})}};
}

NamedTensors Decode(const Voice& voice, const NamedTensors& features) {
  const v1::DecoderSpec& spec = voice.spec.decoder();
  RnnFcDecoder::Options options;
  options.rnn_channels = spec.rnn_channels();
  options.ch = spec.channels();
  options.layers_per_stack = spec.layers_per_stack();
  options.inputs.clear();
  for (const std::string& key : spec.input_keys()) options.inputs.push_back({key});
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
  const int64_t hop = voice.decoder_hop(), samples = kHops * voice.spec.hop_size() + hop;
  const std::string method = voice.spec.graph().nodes(0).texts().at("amp_resample_method");
  GraphSpec graph;
  graph.inputs = {"amps", "harmonic_distribution", "noise_magnitudes", "f0_hz", "ir"};
  graph.nodes = {
      {"harmonic",
       "synths.Harmonic",
       {{"n_samples", samples}, {"sample_rate", int64_t{voice.spec.sample_rate_hz()}}, {"amp_resample_method", method}},
       {"amps", "harmonic_distribution", "f0_hz"}},
      {"filtered_noise",
       "synths.FilteredNoise",
       {{"n_samples", samples}, {"window_size", int64_t{0}}},
       {"noise_magnitudes"}},
      {"add", "processors.Add", {}, {"filtered_noise/signal", "harmonic/signal"}},
      {"reverb", "effects.Reverb", {{"reverb_length", int64_t{kReverb}}}, {"add/signal", "ir"}},
      {"crop", "processors.Crop", {{"frame_size", hop}}, {"reverb/signal"}}};
  auto validated = ValidateGraphSpec(graph);
  EXPECT_TRUE(validated.ok()) << validated.status();
  NamedTensors controls = Decode(voice, Features(audio, voice.decoder_frames_per_hop()));
  controls["ir"] = FromValues(voice.weights.at("reverb/ir").values, {1, kReverb});
  std::vector<float> noise(samples);
  kernels::UniformNoise(kSeed, 0, absl::MakeSpan(noise));
  GroupContext context;
  context.noise["filtered_noise"] = FromValues(noise, {1, samples});
  auto signal = ProcessorGroup(*std::move(validated)).GetSignal(controls, context);
  EXPECT_TRUE(signal.ok()) << signal.status();
  return signal->flatten();
}

// Two notes, a rest between them that leaves the pitch of the first, and a glide.
std::vector<float> LeapingMelody() {
  std::vector<float> audio(kSamples);
  double cycles = 0;
  for (int n = 0; n < kSamples; ++n) {
    const double t = static_cast<double>(n) / kSamples;
    cycles += (t < 0.4 ? 220 : 330 * (1 + 0.2 * std::max(0.0, t - 0.7))) / 16000;
    const bool rests = t > 0.3 && t < 0.4;
    audio[n] = rests ? 0 : static_cast<float>(0.2 * (std::sin(2 * M_PI * cycles) + 0.5 * std::sin(4 * M_PI * cycles)));
  }
  return audio;
}

void ExpectLiveEqualsWhole(testing::TestVoiceOptions options, const std::vector<float>& audio) {
  options.reverb_length = kReverb;
  const auto voice = std::make_shared<const Voice>(testing::MakeTestVoice(options));
  const auto engine = *MakeVoiceEngine(voice, 1);
  RenderOptions render;
  render.settings.seed = kSeed;
  render.framer.output_rate = options.sample_rate;
  render.framer.tail = TailPolicy::kCut;
  const auto live = Render(*engine, render, audio);
  ASSERT_TRUE(live.ok()) << live.status();
  const at::Tensor whole = RenderWholeFile(*voice, audio);
  ASSERT_EQ(whole.numel(), static_cast<int64_t>(live->audio.size()));
  const at::Tensor difference = (whole - FromValues(live->audio, {whole.numel()})).abs();
  EXPECT_LT(difference.max().item<float>(), 1e-5);
  EXPECT_GT(whole.abs().max().item<float>(), 0.1);
}

TEST(WholeFile, TheLiveEngineEqualsTheDifferentiableLibrary) {
  ExpectLiveEqualsWhole({}, testing::TestMelody(kSamples));
}

TEST(WholeFile, SoDoVoicesOfOtherRates) {
  for (const int rate : {24000, 48000}) {
    testing::TestVoiceOptions vst, solo = testing::SmallSolo();
    vst.sample_rate = solo.sample_rate = rate;
    ExpectLiveEqualsWhole(vst, testing::TestMelody(kSamples));
    ExpectLiveEqualsWhole(solo, LeapingMelody());
  }
}

TEST(WholeFile, SoDoesADecoderOfFiveFramesAHop) {
  ExpectLiveEqualsWhole(testing::SmallSolo(), testing::TestMelody(kSamples));
  ExpectLiveEqualsWhole(testing::SmallSolo(), LeapingMelody());
}

}  // namespace
}  // namespace ddsp
