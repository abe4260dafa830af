// spectral_norm and ortho_init of configurations, from text to trained weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/models/trainable/configured.h"

namespace ddsp {
namespace {

using at::Tensor;
using testing::ConfiguredModel;

std::vector<std::string> SmallMidiWith(const std::vector<std::string>& more) {
  std::vector<std::string> params = testing::SmallMidi();
  params.insert(params.end(), more.begin(), more.end());
  return params;
}

// Of the convolutions of the first stack, "w" where they are normalised.
std::vector<Tensor> Kernels(Layer& model, const std::string& below, const std::string& name) {
  std::vector<Tensor> kernels;
  for (const auto& [path, value] : CollectParameters(model)) {
    if (path.starts_with(below) && path.ends_with("/" + name) && value.dim() == 4) kernels.push_back(value.detach());
  }
  return kernels;
}

double LargestSingularValue(const Tensor& kernel) {
  return at::linalg_svdvals(kernel.reshape({-1, kernel.size(-1)})).max().item<double>();
}

TEST(SpectralNorm, BoundsKernelsInTraining) {
  const auto model = ConfiguredModel("midiae/midiae.gin", SmallMidiWith({"DilatedConvDecoder.spectral_norm = True",
                                                                         "dec/DilatedConvStack.spectral_norm = True"}));
  ASSERT_NE(model, nullptr);
  const std::vector<Tensor> before = Kernels(*model, "synthcoder/", "w");
  ASSERT_FALSE(before.empty());
  const NamedTensors features = testing::Tones(1, 5120, 80);
  const Tensor audio = model->Run(features)->outputs.at("midi_audio");
  EXPECT_TRUE(at::equal(Kernels(*model, "synthcoder/", "w")[0], before[0]));  // not without training
  EXPECT_TRUE(audio.isfinite().all().item<bool>());
  testing::Train(*model, features, 40, 1e-4);
  for (const std::string below : {"synthcoder/", "midi_decoder/net/"}) {
    const std::vector<Tensor> kernels = Kernels(*model, below, "w");
    EXPECT_GT(kernels.size(), 3) << below;
    for (const Tensor& kernel : kernels) EXPECT_NEAR(LargestSingularValue(kernel), 1, 0.15) << below;
  }
  EXPECT_TRUE(Kernels(*model, "midi_encoder/", "w").empty());
}

TEST(OrthoInit, StartsKernelsOrthogonal) {
  const auto model = ConfiguredModel("midiae/midiae.gin", SmallMidiWith({"DilatedConvDecoder.ortho_init = True",
                                                                         "enc/DilatedConvStack.ortho_init = True"}));
  ASSERT_NE(model, nullptr);
  for (const std::string below : {"synthcoder/", "midi_encoder/net/"}) {
    const std::vector<Tensor> kernels = Kernels(*model, below, "kernel");
    ASSERT_FALSE(kernels.empty()) << below;
    for (const Tensor& kernel : kernels) {
      const Tensor rows = kernel.reshape({-1, kernel.size(-1)});
      const Tensor few = rows.size(0) < rows.size(1) ? rows : rows.t();
      EXPECT_TRUE(at::allclose(at::matmul(few, few.t()), at::eye(few.size(0)), 1e-4, 1e-4)) << below;
    }
  }
  const Tensor plain = Kernels(*model, "midi_decoder/net/", "kernel")[0];
  const Tensor rows = plain.reshape({-1, plain.size(-1)});
  EXPECT_GT((at::matmul(rows.t(), rows) - at::eye(rows.size(1))).abs().max().item<float>(), 0.1);
}

}  // namespace
}  // namespace ddsp
