// Networks that a configuration gives a model: the layers of graphs, with their problems at their places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/models/trainable/configured.h"

namespace ddsp {
namespace {

using ::testing::AllOf;
using testing::ConfiguredModel;
using ::testing::HasSubstr;

std::vector<std::string> SmallMidiWith(const std::vector<std::string>& more) {
  std::vector<std::string> params = testing::SmallMidi();
  params.insert(params.end(), more.begin(), more.end());
  return params;
}

std::string Problems(const std::vector<std::string>& more) {
  const auto config = testing::ReadConfigs("midiae/midiae.gin", SmallMidiWith(more));
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? std::string(ModelFromGin(*config).status().message()) : "";
}

TEST(Nets, MayBeAnyLayersOfKeras) {
  const auto model = ConfiguredModel(
      "midiae/midiae.gin",
      SmallMidiWith({"HarmonicToMidiEncoder.net = @tf.keras.Sequential()",
                     "tf.keras.Sequential.layers = [@Conv1D(), @LeakyReLU(), @tf.keras.layers.GRU()]",
                     "Conv1D.filters = 8", "Conv1D.kernel_size = 3", "Conv1D.padding = 'same'", "GRU.units = 8",
                     "GRU.return_sequences = True", "MidiAutoencoder.sg_before_midiae = False"}));
  ASSERT_NE(model, nullptr);
  const NamedTensors before = CollectParameters(*model);
  const at::Tensor gru = before.at("midi_encoder/net/layer_with_weights-1/cell/recurrent_kernel").clone();
  EXPECT_EQ(before.at("midi_encoder/net/layer_with_weights-0/kernel").size(2), 8);
  const std::vector<double> losses = testing::Train(*model, testing::Tones(1, 5120, 80), 15, 1e-3);
  EXPECT_LT(losses.back(), 0.9 * losses.front());
  const at::Tensor after = CollectParameters(*model).at("midi_encoder/net/layer_with_weights-1/cell/recurrent_kernel");
  EXPECT_GT((after - gru).abs().max().item<double>(), 1e-4);  // what rounds notes passes gradients on
}

TEST(Nets, WhatActsInTrainingIsRefused) {
  const std::string sequence = "HarmonicToMidiEncoder.net = @tf.keras.Sequential()";
  EXPECT_THAT(Problems({sequence, "tf.keras.Sequential.layers = [@Dropout()]"}),
              HasSubstr("layers.Dropout acts in training"));
  EXPECT_THAT(Problems({"HarmonicToMidiEncoder.net = @BatchNormalization()"}),
              HasSubstr("layers.BatchNormalization acts in training"));
  EXPECT_THAT(Problems({sequence, "tf.keras.Sequential.layers = [@tf.keras.layers.GRU()]", "GRU.units = 4",
                        "GRU.dropout = 0.1"}),
              HasSubstr("layers/0/dropout acts in training"));
}

TEST(Nets, ProblemsHaveTheirPlaces) {
  EXPECT_THAT(Problems({"enc/DilatedConvStack.ch = 0", "dec/DilatedConvStack.norm_type = 'lay'"}),
              AllOf(HasSubstr("gin_param"), HasSubstr("nn.DilatedConvStack.ch is 0, expected 1 or more"),
                    HasSubstr("nn.DilatedConvStack.norm_type is 'lay', expected layer, instance, group or none")));
  EXPECT_THAT(Problems({"enc/DilatedConvStack.conditional = True"}), HasSubstr("is True, but there is no z"));
  EXPECT_THAT(Problems({"HarmonicToMidiEncoder.net = @nn.StatelessRnn()", "StatelessRnn.dims = 3",
                        "StatelessRnn.rnn_type = 'gru'"}),
              HasSubstr("nn.StatelessRnn"));
  EXPECT_THAT(Problems({"HarmonicToMidiEncoder.net = @tf.keras.layers.Lambda()"}), HasSubstr("is code"));
  EXPECT_THAT(Problems({"HarmonicToMidiEncoder.net = @encoders.MidiEncoder()"}), HasSubstr("is no network"));
  EXPECT_THAT(Problems({"HarmonicToMidiEncoder.output_keys = ('a', 'b')"}),
              HasSubstr("HarmonicToMidiEncoder.output_keys is not supported"));
}

}  // namespace
}  // namespace ddsp
