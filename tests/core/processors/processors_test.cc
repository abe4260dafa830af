#include "core/processors/effects.h"
#include "core/processors/mixing.h"
#include "core/processors/processor_factory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;
using testing::AllOf;
using testing::HasSubstr;

TEST(Harmonic, ItsDistributionSumsToOne) {
  const Harmonic harmonic({});
  const auto controls = harmonic.GetControls({{"amplitudes", at::randn({2, 5, 1})},
                                              {"harmonic_distribution", at::randn({2, 5, 30})},
                                              {"f0_hz", at::full({2, 5, 1}, 500.0)}});
  ASSERT_TRUE(controls.ok());
  EXPECT_TRUE(at::allclose(controls->at("harmonic_distribution").sum(-1), at::ones({2, 5})));
}

TEST(FilteredNoise, TheSameNoiseGivesTheSameSignal) {
  FilteredNoise::Options options;
  options.n_samples = 640;
  options.window_size = 0;
  const FilteredNoise synth(options);
  ProcessorContext context;
  context.noise = at::rand({2, 640}) * 2 - 1;
  const NamedTensors inputs = {{"magnitudes", at::randn({2, 10, 65})}};
  EXPECT_TRUE(at::equal(synth.Run(inputs, context)->signal, synth.Run(inputs, context)->signal));
  EXPECT_FALSE(at::equal(synth.Run(inputs)->signal, synth.Run(inputs)->signal));
}

TEST(Reverb, AnImpulseAtTapZeroIsSilent) {
  Reverb::Options options;
  options.dry = DrySignal::kLeaveOut;
  Tensor ir = at::zeros({50});
  ir[0] = 1;
  const auto output = Reverb(options).Run({{"audio", at::randn({2, 200})}, {"ir", ir}});
  ASSERT_TRUE(output.ok());
  EXPECT_LT(output->signal.abs().max().item<float>(), 1e-6);
}

TEST(Reverb, NamesWhatIsMissing) {
  const auto output = Reverb({}).Run({{"audio", at::randn({2, 200})}});
  EXPECT_EQ(output.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(output.status().message()), AllOf(HasSubstr("reverb"), HasSubstr("ir")));
}

TEST(Mix, KeepsThePowerOfIndependentSignals) {
  const Tensor level = at::full({1, 10, 1}, 0.3);
  const Tensor one = at::ones({1, 10, 1}), none = at::zeros({1, 10, 1});
  const auto gain = [&](const Tensor& a, const Tensor& b) {
    return Mix().GetSignal({{"signal_one", a}, {"signal_two", b}, {"mix_level", level}})->select(1, 0).item<double>();
  };
  EXPECT_NEAR(std::pow(gain(one, none), 2) + std::pow(gain(none, one), 2), 1.0, 1e-6);
}

TEST(Crop, TakesTheWholeFromTheBack) {
  const Tensor audio = at::randn({1, 40});
  EXPECT_TRUE(at::equal(Crop(8).Run({{"audio", audio}})->signal, audio.narrow(1, 0, 32)));
  EXPECT_TRUE(at::equal(Crop(1).Run({{"audio", audio}})->signal, audio));
}

TEST(MakeProcessor, ListsEverythingThatIsWrongWithTheArguments) {
  const auto status =
      MakeProcessor("synths.Harmonic", "h", {{"n_samples", int64_t{0}}, {"scale_fn", "core.square"}, {"colour", true}})
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("n_samples is 0"), HasSubstr("core.square"), HasSubstr("colour")));
}

TEST(MakeProcessor, KnowsEveryClassByItsBareName) {
  for (const std::string& name : ProcessorClasses()) {
    const std::string bare = name.substr(name.find('.') + 1);
    const ConstructorArgs args = bare == "Crop" ? ConstructorArgs{{"frame_size", int64_t{4}}} : ConstructorArgs{};
    EXPECT_TRUE(MakeProcessor(bare, "p", args).ok()) << name;
  }
  EXPECT_EQ(MakeProcessor("synths.Theremin", "p", {}).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddsp
