// Keras's layers against loops over their definitions.
#include <cmath>

#include "core/nn/batch_normalization.h"
#include "core/nn/fully_connected.h"
#include "core/nn/keras_convolution.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;
using ::testing::HasSubstr;

int64_t SameOutputs(int64_t size, int64_t stride) { return (size + stride - 1) / stride; }

struct ConvCase {
  int64_t time, kernel, stride, dilation, groups;
  ConvPadding padding;
};

// y[t, f] = sum over taps and channels of the group; what is outside is zero.
Tensor SlowConv(const Tensor& x, const Tensor& kernel, const Tensor& bias, const ConvCase& c) {
  const int64_t in = x.size(2), filters = kernel.size(2), in_of_group = in / c.groups;
  const int64_t reach = (c.kernel - 1) * c.dilation + 1;
  int64_t before = 0, outputs = (c.time - reach) / c.stride + 1;
  if (c.padding == ConvPadding::kCausal) {
    before = reach - 1;
    outputs = (c.time - 1) / c.stride + 1;
  } else if (c.padding == ConvPadding::kSame) {
    outputs = SameOutputs(c.time, c.stride);
    before = std::max<int64_t>(0, (outputs - 1) * c.stride + reach - c.time) / 2;
  }
  Tensor y = at::zeros({x.size(0), outputs, filters});
  for (int64_t t = 0; t < outputs; ++t) {
    for (int64_t f = 0; f < filters; ++f) {
      Tensor sum = bias[f].expand({x.size(0)}).clone();
      for (int64_t k = 0; k < c.kernel; ++k) {
        const int64_t at = t * c.stride + k * c.dilation - before;
        if (at < 0 || at >= c.time) continue;
        for (int64_t i = 0; i < in_of_group; ++i) {
          const int64_t channel = f / (filters / c.groups) * in_of_group + i;
          sum += x.select(2, channel).select(1, at) * kernel[k][i][f];
        }
      }
      y.select(2, f).select(1, t).copy_(sum);
    }
  }
  return y;
}

TEST(KerasConv, IsTheSumOverItsTaps) {
  for (const ConvCase& c : {ConvCase{9, 3, 1, 1, 1, ConvPadding::kValid}, ConvCase{9, 4, 2, 1, 1, ConvPadding::kSame},
                            ConvCase{10, 4, 3, 1, 2, ConvPadding::kSame}, ConvCase{9, 3, 1, 2, 1, ConvPadding::kCausal},
                            ConvCase{9, 3, 2, 1, 2, ConvPadding::kValid}, ConvCase{5, 1, 2, 1, 1, ConvPadding::kSame},
                            ConvCase{7, 3, 1, 3, 1, ConvPadding::kSame}}) {
    KerasConv conv({4, 6, {c.kernel}, {c.stride}, {c.dilation}, c.padding, c.groups});
    InitializeParameters(conv);
    const NamedTensors parameters = CollectParameters(conv);
    parameters.at("bias").normal_();
    const Tensor x = at::randn({2, c.time, 4});
    const Tensor expected = SlowConv(x, parameters.at("kernel"), parameters.at("bias"), c);
    EXPECT_EQ(conv.Forward(x).sizes(), expected.sizes()) << c.time << " " << c.kernel;
    EXPECT_TRUE(at::allclose(conv.Forward(x), expected, 1e-4, 1e-5)) << c.time << " " << c.kernel;
  }
}

// Two axes: a kernel that is a product convolves one axis after the other.
TEST(KerasConv, HasTwoAxes) {
  KerasConvOptions options{1, 1, {3, 2}, {2, 1}, {1, 1}, ConvPadding::kSame};
  options.bias = Bias::kNone;
  KerasConv both(options);
  const Tensor a = at::randn({3}), b = at::randn({2}), x = at::randn({2, 7, 5, 1});
  ASSERT_TRUE(UseParameters(both, {{"kernel", at::outer(a, b).view({3, 2, 1, 1})}}).ok());
  const auto along = [](const Tensor& taps, int64_t stride, const Tensor& rows) {
    KerasConvOptions one{1, 1, {taps.size(0)}, {stride}, {1}, ConvPadding::kSame};
    one.bias = Bias::kNone;
    KerasConv conv(one);
    EXPECT_TRUE(UseParameters(conv, {{"kernel", taps.view({-1, 1, 1})}}).ok());
    return conv.Forward(rows);
  };
  Tensor y = along(a, 2, x.permute({0, 2, 1, 3}).flatten(0, 1)).view({2, 5, 4, 1}).permute({0, 2, 1, 3});
  y = along(b, 1, y.flatten(0, 1)).view({2, 4, 5, 1});
  EXPECT_TRUE(at::allclose(both.Forward(x), y, 1e-4, 1e-5));
}

// Each input adds the kernel at its place; Keras's lengths.
TEST(KerasTransposedConv, AddsAKernelForEveryInput) {
  for (const auto& [kernel, stride] :
       std::vector<std::pair<int64_t, int64_t>>{{4, 2}, {3, 2}, {5, 1}, {2, 3}, {1, 1}}) {
    for (const ConvPadding padding : {ConvPadding::kValid, ConvPadding::kSame}) {
      KerasTransposedConv conv({2, 3, {kernel}, {stride}, {1}, padding});
      InitializeParameters(conv);
      const NamedTensors parameters = CollectParameters(conv);
      const Tensor x = at::randn({1, 4, 2}), excess_free = at::zeros({1, 64, 3});
      Tensor full = excess_free.clone();
      for (int64_t t = 0; t < 4; ++t) {
        for (int64_t k = 0; k < kernel; ++k) full[0][t * stride + k] += at::mv(parameters.at("kernel")[k], x[0][t]);
      }
      const int64_t excess = std::max<int64_t>(0, kernel - stride);
      const Tensor expected = padding == ConvPadding::kSame ? full.narrow(1, excess / 2, 4 * stride)
                                                            : full.narrow(1, 0, 4 * stride + excess);
      ASSERT_EQ(conv.Forward(x).sizes(), expected.sizes()) << kernel << " " << stride;
      EXPECT_TRUE(at::allclose(conv.Forward(x), expected, 1e-4, 1e-5)) << kernel << " " << stride;
    }
  }
}

TEST(KerasConv, NamesBadShapes) {
  const auto message = [](const auto& function) -> std::string {
    try {
      function();
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    }
    return "";
  };
  KerasConv conv({2, 3, {5}, {1}, {1}});
  EXPECT_THAT(message([&] { conv.Forward(at::zeros({1, 9, 3})); }), HasSubstr("expected [batch, time, 2]"));
  EXPECT_THAT(message([&] { conv.Forward(at::zeros({1, 4, 2})); }), HasSubstr("shorter than a kernel's 5"));
  EXPECT_THAT(message([] { KerasConv({3, 4, {1}, {1}, {1}, ConvPadding::kValid, 2}); }), HasSubstr("groups is 2"));
  EXPECT_THAT(message([] { KerasConv({1 << 12, 1 << 12, {1 << 12}, {1}, {1}}); }), HasSubstr("at most"));
}

TEST(Pool, LooksAtWhatIsInside) {
  const Tensor x = at::randn({2, 7, 3});
  for (const auto& [size, stride] : std::vector<std::pair<int64_t, int64_t>>{{2, 2}, {3, 2}, {3, 1}, {1, 3}}) {
    for (const ConvPadding padding : {ConvPadding::kValid, ConvPadding::kSame}) {
      const bool same = padding == ConvPadding::kSame;
      const int64_t outputs = same ? SameOutputs(7, stride) : (7 - size) / stride + 1;
      const int64_t before = same ? std::max<int64_t>(0, (outputs - 1) * stride + size - 7) / 2 : 0;
      const Tensor largest = Pool(x, Pooling::kMax, {size}, {stride}, padding),
                   mean = Pool(x, Pooling::kAverage, {size}, {stride}, padding);
      ASSERT_EQ(largest.size(1), outputs);
      for (int64_t t = 0; t < outputs; ++t) {
        const int64_t begin = std::max<int64_t>(0, t * stride - before),
                      end = std::min<int64_t>(7, t * stride - before + size);
        const Tensor window = x.slice(1, begin, end);
        EXPECT_TRUE(at::allclose(largest.select(1, t), window.amax(1)));
        EXPECT_TRUE(at::allclose(mean.select(1, t), window.mean(1), 1e-4, 1e-6));
      }
    }
  }
}

TEST(BatchNormalization, UsesWhatItHolds) {
  BatchNormalization norm({2, 0.5});
  ASSERT_TRUE(UseParameters(norm, {{"gamma", at::tensor({2.0f, 3.0f})},
                                   {"beta", at::tensor({1.0f, -1.0f})},
                                   {"moving_mean", at::tensor({4.0f, 5.0f})},
                                   {"moving_variance", at::tensor({3.5f, 8.5f})}})
                  .ok());
  EXPECT_TRUE(at::allclose(norm.Forward(at::tensor({6.0f, 8.0f})), at::tensor({3.0f, 2.0f})));
}

TEST(LayerNormalization, LearnsWhatItIsTold) {
  using Affine = LayerNormalization::Affine;
  const Tensor x = at::tensor({1.0f, 3.0f});  // mean 2, variance 1
  for (const auto& [affine, count] : std::vector<std::pair<Affine, size_t>>{
           {Affine::kScaleAndCenter, 2}, {Affine::kScale, 1}, {Affine::kCenter, 1}, {Affine::kNone, 0}}) {
    LayerNormalization norm(2, /*epsilon=*/3, affine);
    InitializeParameters(norm);
    EXPECT_EQ(CollectParameters(norm).size(), count);
    EXPECT_TRUE(at::allclose(norm.Forward(x), at::tensor({-0.5f, 0.5f})));
  }
}

TEST(Nonlinearity, HasKerasNamesAndSlopes) {
  const double x = -0.7;
  const std::vector<std::pair<const char*, double>> expected = {
      {"linear", x},
      {"relu", 0},
      {"leaky_relu", 0.2 * x},
      {"sigmoid", 1 / (1 + std::exp(-x))},
      {"tanh", std::tanh(x)},
      {"elu", std::exp(x) - 1},
      {"selu", 1.05070098 * 1.67326324 * (std::exp(x) - 1)},
      {"softplus", std::log(1 + std::exp(x))},
      {"softsign", x / (1 - x)},
      {"swish", x / (1 + std::exp(-x))},
      {"silu", x / (1 + std::exp(-x))},
      {"gelu", x / 2 * (1 + std::erf(x / std::sqrt(2.0)))},
      {"exponential", std::exp(x)},
      {"hard_sigmoid", 0.2 * x + 0.5},
      {"softmax", 1},
  };
  for (const auto& [name, value] : expected) {
    const auto nonlinearity = ParseNonlinearity(name);
    ASSERT_TRUE(nonlinearity.ok()) << name;
    EXPECT_NEAR(Activate(*nonlinearity, at::full({1, 1}, x)).item<double>(), value, 1e-6) << name;
  }
  EXPECT_THAT(std::string(ParseNonlinearity("relou").status().message()), HasSubstr("'relou'"));
}

}  // namespace
}  // namespace ddsp
