#include "core/models/trainable/gin_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/models/trainable/configured.h"

namespace ddsp {
namespace {

using ::testing::AllOf;
using testing::ConfiguredModel;
using ::testing::HasSubstr;

absl::Status ErrorOf(const std::string& text) { return ModelFromGin(*gin::ParseConfig(text, "m.gin")).status(); }

int64_t CountBelow(TrainableModel& model, const std::string& prefix) {
  int64_t count = 0;
  for (const auto& [path, value] : CollectParameters(model)) count += path.starts_with(prefix) ? value.numel() : 0;
  return count;
}

struct Size {
  const char* config;
  const char* prefix;
  int64_t parameters;
};

class PublishedModels : public ::testing::TestWithParam<Size> {};

TEST_P(PublishedModels, HaveAsManyParametersAsUpstream) {
  const auto model = ConfiguredModel(GetParam().config);
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(CountBelow(*model, GetParam().prefix), GetParam().parameters);
}

INSTANTIATE_TEST_SUITE_P(
    Recipes, PublishedModels,
    ::testing::Values(
        Size{"models/solo_instrument.gin", "decoder/", 4801150},
        Size{"models/solo_instrument.gin", "processor_group/reverb/ir", 48000},
        Size{"papers/iclr2020/solo_instrument.gin", "", 4849150}, Size{"models/ae.gin", "decoder/", 6407334},
        Size{"models/ae.gin", "encoder/", 843852}, Size{"papers/iclr2020/nsynth_ae.gin", "", 7251186},
        Size{"papers/iclr2020/tiny_instrument.gin", "", 280314}, Size{"models/vst.gin", "decoder/", 1873278},
        Size{"models/vst.gin", "processor_group/reverb/magnitudes", 16000},
        Size{"models/vst_32k.gin", "decoder/", 1892039}, Size{"models/vst_48k.gin", "decoder/", 1892039},
        Size{"papers/icml2020/pretrain_model.gin", "sinusoidal_encoder/resnet/", 5256320},
        // 8192 channels to 6400, 100 and 65.
        Size{"papers/icml2020/finetune_model.gin", "sinusoidal_encoder/dense_outs/", 8193 * (6400 + 100 + 65)}));

TEST(ModelFromGin, BuildsTheOnlyModelThatIsConfigured) {
  std::string text =
      "Autoencoder.decoder = @decoders.RnnFcDecoder()\nRnnFcDecoder.input_keys = ('f0_hz',)\n"
      "Autoencoder.processor_group = @processors.ProcessorGroup()\n"
      "ProcessorGroup.dag = [(@synths.Harmonic(), ['amps', 'harmonic_distribution', 'f0_hz'])]";
  EXPECT_TRUE(ErrorOf(text).ok()) << ErrorOf(text);
  EXPECT_EQ(ErrorOf("sample_rate = 3").code(), absl::StatusCode::kNotFound);
}

// Everything that is wrong comes at once, each with its place.
TEST(ModelFromGin, TellsAllThatIsWrongWithPlaces) {
  const absl::Status error = ErrorOf(
      "get_model.model = @models.Autoencoder()\n"
      "Autoencoder.decoder = @decoders.RnnFcDecoder()\n"
      "Autoencoder.encoder = @encoders.NoSuchEncoder()\n"
      "Autoencoder.losses = [@losses.KDEConsistencyLoss()]\n"
      "RnnFcDecoder.rnn_type = 'elman'\n"
      "RnnFcDecoder.ch = 'many'\n"
      "RnnFcDecoder.colour = 3\n");
  EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(error.message()),
              AllOf(HasSubstr("m.gin:3:23: unknown configurable 'encoders.NoSuchEncoder'"),
                    HasSubstr("m.gin:4:23: losses.KDEConsistencyLoss is no loss of audio here"),
                    HasSubstr("m.gin:5:25: decoders.RnnFcDecoder.rnn_type"), HasSubstr("elman"),
                    HasSubstr("m.gin:6:19: decoders.RnnFcDecoder.ch is the text 'many', expected an integer"),
                    HasSubstr("m.gin:7:1: RnnFcDecoder has no parameter 'colour'"),
                    HasSubstr("Autoencoder.processor_group is missing")));
}

TEST(ModelFromGin, RejectsWhatIsNoModelAndWhatWeHaveNot) {
  EXPECT_THAT(std::string(ErrorOf("get_model.model = @losses.SpectralLoss()").message()),
              HasSubstr("m.gin:1:19: losses.SpectralLoss is no model"));
  const auto prior = testing::ReadConfigs("papers/icml2020/pretrain_model.gin",
                                          {"InverseSynthesis.harmonic_distribution_prior = @losses.ParamLoss()"});
  EXPECT_THAT(std::string(ModelFromGin(*prior).status().message()),
              AllOf(HasSubstr("InverseSynthesis.harmonic_distribution_prior cannot be had from gin"),
                    HasSubstr("GinModelOptions::harmonic_distribution_prior")));
}

TEST(ModelFromGin, DrawsTheSameWeightsWithTheSameGenerator) {
  const auto a = ConfiguredModel("models/ae.gin", testing::SmallInstrument());
  const auto b = ConfiguredModel("models/ae.gin", testing::SmallInstrument());
  const NamedTensors of_b = CollectParameters(*b);
  for (const auto& [path, value] : CollectParameters(*a)) EXPECT_TRUE(at::equal(value, of_b.at(path))) << path;
  const at::Tensor kernel = CollectParameters(*a).at("encoder/rnn/rnn/cell/recurrent_kernel");
  EXPECT_GT(kernel.std().item<double>(), 0);
}

}  // namespace
}  // namespace ddsp
