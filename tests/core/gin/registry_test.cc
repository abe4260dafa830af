#include "core/gin/registry.h"

#include "core/gin/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::gin {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Problems(const std::string& text) {
  const auto config = ParseConfig(text, "a.gin");
  EXPECT_TRUE(config.ok()) << config.status();
  return std::string(CheckKnown(*config, DdspConfigurables()).message());
}

TEST(Registry, FindsByTheEndOfAName) {
  EXPECT_EQ((*DdspConfigurables().Find("Harmonic"))->name, "ddsp.synths.Harmonic");
  EXPECT_EQ((*DdspConfigurables().Find("models.Autoencoder"))->name, "ddsp.training.models.Autoencoder");
  EXPECT_EQ((*DdspConfigurables().Find("ddsp.synths.Harmonic"))->name, "ddsp.synths.Harmonic");
  EXPECT_EQ(DdspConfigurables().Find("armonic").status().code(), absl::StatusCode::kNotFound);
}

// Keras has an Add too.
TEST(Registry, AsksForTheModuleWhereNamesAreShared) {
  EXPECT_THAT(std::string(DdspConfigurables().Find("Add").status().message()),
              AllOf(HasSubstr("ddsp.processors.Add"), HasSubstr("tf.keras.layers.Add")));
  EXPECT_TRUE(DdspConfigurables().Find("processors.Add").ok());
}

TEST(CheckKnown, ReportsEverythingThatIsUnknownAtItsPlace) {
  EXPECT_THAT(Problems("Harmonic.n_sample = 3\nTheremin.x = 1\n"
                       "ProcessorGroup.dag = [(@synths.Theremin(), ['a']),\n  (@Add(), [%none])]"),
              AllOf(HasSubstr("a.gin:1:1: Harmonic has no parameter 'n_sample'; it has n_samples, sample_rate"),
                    HasSubstr("a.gin:2:1: unknown configurable 'Theremin'"),
                    HasSubstr("a.gin:3:24: unknown configurable 'synths.Theremin'"),
                    HasSubstr("a.gin:4:4: 'Add' can mean"), HasSubstr("a.gin:4:13: no macro %none")));
}

TEST(CheckKnown, AcceptsModulesUnderAnyNameOnlyWhereUpstreamDoes) {
  EXPECT_EQ(Problems("LossGroup.f0_loss = @f0/losses.ParamLoss()\nf0/ParamLoss.name = 'f0'"), "");
  EXPECT_THAT(Problems("ParamLoss.margin = 2"), HasSubstr("ParamLoss has no parameter 'margin'"));
}

}  // namespace
}  // namespace ddsp::gin
