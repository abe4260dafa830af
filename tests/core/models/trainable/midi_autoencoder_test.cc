#include "core/models/trainable/midi_autoencoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dsp/units.h"
#include "tests/core/models/trainable/configured.h"

namespace ddsp {
namespace {

using testing::ConfiguredModel;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using testing::SmallMidi;
using ::testing::UnorderedElementsAre;

// Tones with a score: the nearest note, after a rest.
NamedTensors Performance(int64_t batch) {
  NamedTensors features = testing::Tones(batch, 5120, 80);
  at::Tensor notes = at::round(HzToMidi(features["f0_hz"])).to(at::kLong);
  notes.narrow(1, 0, 10).zero_();
  features["note_active_velocities"] = at::one_hot(notes, 128).to(at::kFloat);
  features["instrument_id"] = at::arange(batch, at::kFloat);
  return features;
}

std::vector<std::string> SmallZMidi() {
  std::vector<std::string> params = SmallMidi();
  params.insert(
      params.end(),
      {"MfccTimeDistributedRnnEncoder.rnn_channels = 16", "MfccTimeDistributedRnnEncoder.z_dims = 8",
       "OneHotEncoder.n_dims = 8", "ExpressionEncoder.z_dims = 8", "z/DilatedConvStack.ch = 16",
       "z/DilatedConvStack.stacks = 1", "FcStackOut.ch = 16", "FcStackOut.n_out = 8", "FcStackOut.layers = 2"});
  return params;
}

TEST(MidiAutoencoder, FindsNotesAndPlaysThem) {
  const auto model = ConfiguredModel("midiae/midiae.gin", SmallMidi());
  const ModelOutputs made = *model->Run(Performance(2));
  const at::Tensor q_pitch = made.outputs.at("q_pitch");
  EXPECT_TRUE(at::equal(q_pitch, at::round(q_pitch)));
  EXPECT_EQ(made.outputs.at("midi_audio").sizes(), at::IntArrayRef({2, 5120}));
  EXPECT_EQ(made.outputs.at("pianoroll").sizes(), at::IntArrayRef({2, 80, 128}));
  EXPECT_EQ(made.outputs.at("hd_pred").sizes(), at::IntArrayRef({2, 80, 12}));
  EXPECT_EQ(model->AudioOutput(), "midi_audio");
  EXPECT_THAT(made.outputs, Contains(Key("loudness_db_pred")));
  EXPECT_THAT(made.losses,
              UnorderedElementsAre(Key("spectral_loss"), Key("f0_reconstruction"), Key("amplitude_reconstruction"),
                                   Key("noise_reconstruction"), Key("harmonic_distribution_reconstruction")));
}

TEST(MidiAutoencoder, NotesLeaveTheSynthcoderAloneUnlessTold) {
  const auto gradient = [](const std::string& stop) {
    std::vector<std::string> params = SmallMidi();
    params.push_back("MidiAutoencoder.sg_before_midiae = " + stop);
    const auto model = ConfiguredModel("midiae/midiae.gin", params);
    SetRequiresGrad(*model, true);
    const ModelOutputs made = *model->Run(Performance(1));
    made.losses.at("f0_reconstruction").backward();
    return CollectParameters(*model).at("synthcoder/dense_out/kernel").grad();
  };
  EXPECT_FALSE(gradient("True").defined());
  EXPECT_GT(gradient("False").abs().sum().item<double>(), 0);
}

// The forms that upstream leaves broken.
TEST(MidiAutoencoder, PlaysTheSynthcoderWithoutADecoder) {
  std::vector<std::string> params = SmallMidi();
  params.emplace_back("MidiAutoencoder.midi_decoder = None");
  const auto model = ConfiguredModel("midiae/midiae.gin", params);
  EXPECT_EQ(model->AudioOutput(), "synth_audio");
  const auto made = model->Run(Performance(1));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(at::equal(made->outputs.at("midi_audio"), made->outputs.at("synth_audio")));
  EXPECT_TRUE(at::equal(made->outputs.at("f0_midi_pred"), made->outputs.at("q_pitch")));
}

TEST(MidiAutoencoder, LossesOfPitchAreDistances) {
  std::vector<std::string> params = SmallMidi();
  for (const char* name : {"qpitch_f0rec_loss", "pitch_f0rec_loss", "pitch_qpitch_loss", "midi_slowness_loss"}) {
    params.push_back(std::string("MidiAutoencoder.") + name + " = @" + name + "/losses.ParamLoss()");
  }
  const auto model = ConfiguredModel("midiae/midiae.gin", params);
  const ModelOutputs made = *model->Run(Performance(1));
  const auto& o = made.outputs;
  EXPECT_NEAR(made.losses.at("qpitch_f0rec_loss").item<double>(),
              (o.at("f0_midi_pred") - o.at("q_pitch")).abs().mean().item<double>(), 1e-4);
  EXPECT_LE(made.losses.at("pitch_qpitch_loss").item<double>(), 0.5);
  EXPECT_GT(made.losses.at("midi_slowness_loss").item<double>(), 0);
}

TEST(ZMidiAutoencoder, TakesNotesFromTheScore) {
  const auto model = ConfiguredModel("midiae/z_midiae.gin", SmallZMidi());
  const NamedTensors features = Performance(2);
  const ModelOutputs made = *model->Run(features);
  EXPECT_TRUE(at::equal(made.outputs.at("q_pitch").squeeze(-1),
                        features.at("note_active_velocities").argmax(-1).to(at::kFloat)));
  EXPECT_EQ(made.outputs.at("z_global").sizes(), at::IntArrayRef({2, 80, 16}));
  // A latent of a note is the same for all of it, and nothing in a rest.
  const at::Tensor z_notes = made.outputs.at("z_notes");
  EXPECT_EQ(z_notes.narrow(1, 0, 10).abs().max().item<double>(), 0);
  EXPECT_TRUE(at::allclose(z_notes.select(1, 11), z_notes.select(1, 12)));
  // Only frames near their note count.
  EXPECT_EQ(made.outputs.at("f0_loss_weights").narrow(1, 0, 10).sum().item<double>(), 0);
  EXPECT_EQ(made.outputs.at("f0_loss_weights").narrow(1, 10, 70).min().item<double>(), 1);
}

TEST(ZMidiAutoencoder, MaskOfPitchCanBeLeftOut) {
  std::vector<std::string> params = SmallZMidi();
  params.emplace_back("ZMidiAutoencoder.mask_f0_loss = False");
  const ModelOutputs made = *ConfiguredModel("midiae/z_midiae.gin", params)->Run(Performance(1));
  EXPECT_EQ(made.outputs.at("f0_loss_weights").min().item<double>(), 1);
}

// A Gaussian posterior: the first half of z are means, the second logarithms of deviations.
LatentPrior GaussianPrior(const std::string& name) {
  LatentPrior prior;
  prior.name = name;
  prior.loss = [](const at::Tensor& z) {
    const std::vector<at::Tensor> halves = z.chunk(2, -1);
    return 0.5 * (halves[0].square() + at::exp(2 * halves[1]) - 1 - 2 * halves[1]).mean();
  };
  prior.sample = [](const at::Tensor& z, const std::optional<at::Generator>& generator) {
    const std::vector<at::Tensor> halves = z.chunk(2, -1);
    return halves[0] + at::exp(halves[1]) * at::randn(halves[0].sizes(), generator, z.options());
  };
  prior.sample_channels = 8;
  return prior;
}

TEST(ZMidiAutoencoder, PriorsAreLossesAndSampleTheirPosteriors) {
  GinModelOptions options;
  options.z_global_prior = GaussianPrior("global_kl");
  options.z_note_prior.name = "note_size";
  options.z_note_prior.loss = [](const at::Tensor& z) { return z.square().mean(); };
  const auto model = ConfiguredModel("midiae/z_midiae.gin", SmallZMidi(), options);
  const auto plain = ConfiguredModel("midiae/z_midiae.gin", SmallZMidi());
  const NamedTensors features = Performance(2);
  const ModelOutputs made = *model->Run(features), before = *plain->Run(features);
  EXPECT_EQ(made.outputs.at("z_global").sizes(), at::IntArrayRef({2, 80, 8}));
  EXPECT_NEAR(made.losses.at("global_kl").item<double>(),
              GaussianPrior("").loss(before.outputs.at("z_global")).item<double>(), 1e-4);
  EXPECT_NEAR(made.losses.at("note_size").item<double>(), made.outputs.at("z_notes").square().mean().item<double>(),
              1e-6);
  EXPECT_EQ(before.losses.size() + 2, made.losses.size());
  EXPECT_EQ(testing::Train(*model, features, 1, 1e-3).size(), 1u);
}

TEST(ZMidiAutoencoder, NamesWhatIsMissingOrWrong) {
  const auto model = ConfiguredModel("midiae/z_midiae.gin", SmallZMidi());
  NamedTensors features = Performance(1);
  features["instrument_id"] = at::full({1}, 13.0);
  EXPECT_THAT(std::string(model->Run(features).status().message()), HasSubstr("none of the 13 categories"));
  features = Performance(1);
  features.erase("note_active_velocities");
  EXPECT_THAT(std::string(model->Run(features).status().message()), HasSubstr("note_active_velocities"));
  const auto config = testing::ReadConfigs(
      "midiae/z_midiae.gin",
      {"dec/DilatedConvStack.conditional = False", "ZMidiAutoencoder.z_note_prior = @losses.ParamLoss()"});
  EXPECT_THAT(std::string(ModelFromGin(*config).status().message()), HasSubstr("is False, but there is a z"));
  EXPECT_THAT(std::string(ModelFromGin(*config).status().message()), HasSubstr("z_note_prior cannot be had from gin"));
}

TEST(MidiAutoencoders, Learn) {
  const auto model = ConfiguredModel("midiae/midiae.gin", SmallMidi());
  const std::vector<double> losses = testing::Train(*model, Performance(2), 40, 3e-3);
  EXPECT_LT(losses.back(), 0.7 * losses.front());
  const auto z_model = ConfiguredModel("midiae/z_midiae.gin", SmallZMidi());
  const std::vector<double> z_losses = testing::Train(*z_model, Performance(2), 40, 3e-3);
  EXPECT_LT(z_losses.back(), 0.7 * z_losses.front());
}

TEST(MidiAutoencoders, BuildAtFullSize) {
  EXPECT_NE(ConfiguredModel("midiae/midiae.gin"), nullptr);
  EXPECT_NE(ConfiguredModel("midiae/z_midiae.gin"), nullptr);
}

}  // namespace
}  // namespace ddsp
