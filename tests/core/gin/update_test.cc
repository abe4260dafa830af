#include "core/gin/update.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::gin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(UpdateConfig, ChangesWhatAReleaseOf2020Wrote) {
  const auto update = UpdateConfig(
      "# Parameters for Autoencoder:\n"
      "Autoencoder.decoder = @decoders.ZRnnFcDecoder()\n"
      "SpectralLoss.delta_delta_freq_weight = 0.0\n"
      "SpectralLoss.delta_freq_weight = 0.0\n"
      "ZRnnFcDecoder.output_splits = \\\n"
      "    (('amps', 1), ('harmonic_distribution', 60))\n");
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_EQ(update->text,
            "# Parameters for Autoencoder:\n"
            "Autoencoder.decoder = @decoders.RnnFcDecoder()\n"
            "SpectralLoss.delta_freq_weight = 0.0\n"
            "RnnFcDecoder.output_splits = \\\n"
            "    (('amps', 1), ('harmonic_distribution', 60))\n"
            "\n"
            "RnnFcDecoder.input_keys = (\"f0_scaled\", \"ld_scaled\")\n");
  EXPECT_THAT(update->changes,
              ElementsAre("line 2: ZRnnFcDecoder is now RnnFcDecoder",
                          "line 3: removed SpectralLoss.delta_delta_freq_weight",
                          "line 5: ZRnnFcDecoder is now RnnFcDecoder",
                          "at the end: added RnnFcDecoder.input_keys = (\"f0_scaled\", \"ld_scaled\")"));
}

TEST(UpdateConfig, RemovesBindingsWithAllTheirLines) {
  const auto update = UpdateConfig("DilatedConvDecoder.resample_stride = (\n  1,\n)\nx = 1");
  EXPECT_EQ(update->text, "x = 1");
}

TEST(UpdateConfig, RemovesBlocksThatBecomeEmptyAndKeepsOthers) {
  EXPECT_EQ(UpdateConfig("DilatedConvDecoder:\n  resample_stride = 1\n\nx = 1\n")->text, "\nx = 1\n");
  EXPECT_EQ(UpdateConfig("DilatedConvDecoder:\n  resample_stride = 1\n  ch = 2\n")->text,
            "DilatedConvDecoder:\n  ch = 2\n");
}

TEST(UpdateConfig, LeavesGivenInputKeysAlone) {
  const char kText[] = "RnnFcDecoder:\n    input_keys = ('pw_scaled', 'f0_scaled')\n";
  const auto update = UpdateConfig(kText);
  EXPECT_EQ(update->text, kText);
  EXPECT_TRUE(update->changes.empty());
}

TEST(UpdateConfig, LeavesConfigurationsWithoutADecoderAlone) {
  EXPECT_EQ(UpdateConfig("train.num_steps = 3  # ZRnnFcDecoder")->text, "train.num_steps = 3  # ZRnnFcDecoder");
}

TEST(UpdateConfig, DoingItTwiceIsDoingItOnce) {
  const auto once = UpdateConfig("ZRnnFcDecoder.ch = 3");
  const auto twice = UpdateConfig(once->text);
  EXPECT_EQ(twice->text, once->text);
  EXPECT_TRUE(twice->changes.empty());
}

TEST(UpdateConfig, RejectsWhatIsNoGin) {
  EXPECT_THAT(std::string(UpdateConfig("x = (", "old.gin").status().message()), HasSubstr("old.gin:1:5"));
}

}  // namespace
}  // namespace ddsp::gin
