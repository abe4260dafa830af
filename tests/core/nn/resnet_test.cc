#include "core/nn/resnet.h"

#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;

ResNet::Options Small(int64_t z_channels, Modulation modulation = Modulation::kScaleAndShift) {
  return {ResNetSize::kTiny, 1, NormType::kLayer, z_channels, modulation};
}

TEST(ResNet, OnlyBinsBecomeFewer) {
  ResNet net(Small(0));
  InitializeParameters(net);
  EXPECT_EQ(net.Forward(at::randn({2, 5, 33, 1})).sizes(),
            at::IntArrayRef({2, 5, ResNet::OutBins(33), net.out_channels()}));
}

// Every residual layer predicts scale and shift, or shift alone, of what enters it from z.
TEST(ResNet, ConditionalLayersHaveADenseLayerEach) {
  for (const Modulation modulation : {Modulation::kScaleAndShift, Modulation::kShiftOnly}) {
    ResNet net(Small(3, modulation));
    const int64_t factor = modulation == Modulation::kShiftOnly ? 1 : 2;
    int conditional = 0;
    for (const auto& [path, value] : CollectParameters(net)) {
      if (!path.ends_with("norm_input/conditional_scale_and_shift/dense/kernel")) continue;
      ++conditional;
      EXPECT_EQ(value.size(0), 3);
      EXPECT_EQ(value.size(1) % factor, 0);
    }
    EXPECT_EQ(conditional, 4);
    EXPECT_EQ(
        CollectParameters(net).at("layers/2/layers/0/norm_input/conditional_scale_and_shift/dense/kernel").size(1),
        factor * 8);
  }
}

TEST(ResNet, ZMakesADifferenceWhereItChanges) {
  ResNet net(Small(3));
  InitializeParameters(net);
  const Tensor x = at::randn({2, 5, 33, 1}), z = at::randn({2, 1, 3});
  const Tensor y = net.Forward(x, z);
  EXPECT_TRUE(at::allclose(net.Forward(x, z.expand({2, 5, 3})), y, 1e-4, 1e-5));  // one step stands for all
  Tensor other = z.clone();
  other[1] += 1;
  const Tensor changed = net.Forward(x, other);
  EXPECT_TRUE(at::allclose(changed[0], y[0], 1e-4, 1e-5));
  EXPECT_GT((changed[1] - y[1]).abs().max().item<float>(), 1e-3);
}

// With a dense layer of zeros but for a bias of ones on the scale, conditioning is normalising alone.
TEST(ResNet, AScaleOfOneIsThePlainNet) {
  ResNet conditional(Small(3)), plain(Small(0));
  InitializeParameters(conditional);
  NamedTensors values;
  for (const auto& [path, value] : CollectParameters(conditional)) {
    const size_t at = path.find("conditional_scale_and_shift/");
    if (at == std::string::npos) {
      values[path] = value;
    } else if (path.ends_with("kernel")) {
      value.zero_();
    } else {
      const int64_t channels = value.size(0) / 2;
      value.narrow(0, 0, channels).fill_(1);
      values[path.substr(0, at) + "scale"] = at::ones({1, 1, 1, channels});
      values[path.substr(0, at) + "shift"] = at::zeros({1, 1, 1, channels});
    }
  }
  ASSERT_TRUE(UseParameters(plain, values).ok());
  const Tensor x = at::randn({1, 4, 20, 1});
  EXPECT_TRUE(at::allclose(conditional.Forward(x, at::randn({1, 4, 3})), plain.Forward(x), 1e-4, 1e-5));
}

}  // namespace
}  // namespace ddsp
