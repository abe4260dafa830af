#include "core/nn/rnn_fc_decoder.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using testing::HasSubstr;

RnnFcDecoder::Options VstRecipe() {
  RnnFcDecoder::Options options;
  options.rnn_channels = 512;
  options.ch = 256;
  options.layers_per_stack = 1;
  options.inputs = {{"pw_scaled"}, {"f0_scaled"}};
  options.output_splits = {{"amps", 1}, {"harmonic_distribution", 60}, {"noise_magnitudes", 65}};
  return options;
}

TEST(RnnFcDecoder, TheVstRecipeHasUpstreamsNumberOfParameters) {
  const auto decoder = *RnnFcDecoder::Create(VstRecipe());
  int64_t count = 0;
  for (const auto& [path, value] : CollectParameters(*decoder)) count += value.numel();
  EXPECT_EQ(count, 1873278);
}

TEST(RnnFcDecoder, OutputsAreSplitInOrder) {
  const auto decoder = *RnnFcDecoder::Create(VstRecipe());
  InitializeParameters(*decoder);
  const auto output = decoder->Forward({{"pw_scaled", at::rand({2, 7, 1})}, {"f0_scaled", at::rand({2, 7, 1})}});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->controls.at("harmonic_distribution").sizes(), (std::vector<int64_t>{2, 7, 60}));
  EXPECT_EQ(output->state.sizes(), (std::vector<int64_t>{2, 512}));
}

TEST(RnnFcDecoder, NamesAMissingInput) {
  const auto decoder = *RnnFcDecoder::Create(VstRecipe());
  const auto output = decoder->Forward({{"pw_scaled", at::rand({2, 7, 1})}});
  EXPECT_EQ(output.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(output.status().message()), HasSubstr("f0_scaled"));
}

TEST(RnnFcDecoder, ListsAllBadOptions) {
  RnnFcDecoder::Options options = VstRecipe();
  options.rnn_channels = 0;
  options.output_splits = {{"amps", -1}};
  const auto status = RnnFcDecoder::Create(options).status();
  EXPECT_THAT(std::string(status.message()), testing::AllOf(HasSubstr("rnn_channels is 0"), HasSubstr("amps is -1")));
}

TEST(UseParameters, ListsWhatIsMissingWrongOrLeftOver) {
  Dense dense(3, 2);
  const auto status = UseParameters(dense, {{"kernel", at::zeros({2, 3})}, {"gamma", at::zeros({1})}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), testing::AllOf(HasSubstr("kernel has shape [2,3], expected [3,2]"),
                                                            HasSubstr("bias is missing"), HasSubstr("gamma belongs")));
}

TEST(InitializeParameters, DrawsAsKeras) {
  RnnCell cell(6, 8, RnnType::kGru);
  InitializeParameters(cell, at::detail::createCPUGenerator(1));
  const NamedTensors values = CollectParameters(cell);
  const at::Tensor recurrent = values.at("cell/recurrent_kernel");
  EXPECT_TRUE(at::allclose(at::matmul(recurrent, recurrent.t()), at::eye(8), 1e-5, 1e-5));
  const double limit = std::sqrt(6.0 / (6 + 24));
  EXPECT_LE(values.at("cell/kernel").abs().max().item<double>(), limit);
  EXPECT_GT(values.at("cell/kernel").abs().max().item<double>(), 0.8 * limit);
  EXPECT_EQ(values.at("cell/bias").abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace ddsp
