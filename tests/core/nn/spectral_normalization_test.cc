#include "core/nn/spectral_normalization.h"

#include <torch/torch.h>

#include "core/nn/dilated_conv_stack.h"
#include "core/nn/fully_connected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;
using ::testing::Each;
using ::testing::HasSubstr;

double LargestSingularValue(const Tensor& kernel) {
  return at::linalg_svdvals(kernel.detach().to(at::kDouble).reshape({-1, kernel.size(-1)})).max().item<double>();
}

NamedTensors Wrapped(Layer& layer) {
  NamedTensors values;
  VisitWrapped(layer, "", [&](const std::string& path, Parameter& parameter) { values[path] = parameter.value; });
  return values;
}

// A dense layer with random values and a random vector, in place of one from InitializeParameters().
Dense RandomDense(int64_t in, int64_t out, int64_t power_iterations) {
  Dense dense(in, out);
  UseSpectralNormalization(dense, power_iterations);
  VisitWrapped(dense, "", [](const std::string&, Parameter& parameter) { parameter.value.normal_(); });
  return dense;
}

// The singular value decomposition is the oracle: sigma converges to its largest value, u to the vector of it.
TEST(SpectralNormalization, DividesByTheLargestSingularValue) {
  for (const auto& [in, out] : std::vector<std::pair<int64_t, int64_t>>{{7, 5}, {3, 8}, {1, 1}, {6, 1}}) {
    Dense dense = RandomDense(in, out, /*power_iterations=*/2000);
    const Tensor before = Wrapped(dense).at("w").clone();
    NormalizeWeights(dense);
    const NamedTensors after = Wrapped(dense);
    EXPECT_NEAR(LargestSingularValue(after.at("w")), 1, 1e-4) << in << " by " << out;
    EXPECT_TRUE(at::allclose(after.at("w") * LargestSingularValue(before), before, 1e-4, 1e-5));
    const auto [u, s, vh] = at::linalg_svd(before, /*full_matrices=*/false);
    const Tensor cosine = at::dot(vh[0], after.at("u")[0]);
    EXPECT_NEAR(std::abs(cosine.item<double>()), 1, 1e-3);
  }
}

// One step is upstream's formula, written out.
TEST(SpectralNormalization, OneStepIsAPowerIteration) {
  Dense dense = RandomDense(4, 3, /*power_iterations=*/1);
  const Tensor w = Wrapped(dense).at("w").clone(), u = Wrapped(dense).at("u").clone();
  NormalizeWeights(dense);
  Tensor v = at::matmul(w, u[0]);
  v = v / v.norm();
  Tensor next = at::matmul(w.t(), v);
  next = next / next.norm();
  const Tensor sigma = at::dot(v, at::matmul(w, next));
  EXPECT_TRUE(at::allclose(Wrapped(dense).at("w"), w / sigma, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(Wrapped(dense).at("u")[0], next, 1e-5, 1e-6));
}

TEST(SpectralNormalization, StepsOfOneIterationConverge) {
  Dense dense = RandomDense(6, 6, 1);
  for (int step = 0; step < 500; ++step) NormalizeWeights(dense);
  EXPECT_NEAR(LargestSingularValue(Wrapped(dense).at("w")), 1, 1e-3);
}

// The kernel's gradient is that of the normalised values: nothing goes through sigma.
TEST(SpectralNormalization, GradientsAreThoseOfThePlainLayer) {
  Dense dense = RandomDense(4, 3, 1), plain(4, 3);
  SetRequiresGrad(dense, true);
  NormalizeWeights(dense);
  const Tensor kernel = Wrapped(dense).at("w"), x = at::randn({5, 4});
  ASSERT_TRUE(UseParameters(plain, {{"kernel", kernel.detach().clone().requires_grad_(true)},
                                    {"bias", Wrapped(dense).at("layer/bias").detach().clone().requires_grad_(true)}})
                  .ok());
  dense.Forward(x).square().sum().backward();
  plain.Forward(x).square().sum().backward();
  const Tensor expected = CollectParameters(plain).at("kernel").grad();
  EXPECT_TRUE(at::allclose(kernel.grad(), expected));
  // By hand: d/dk sum((xk + b)^2) = 2 x'(xk + b).
  EXPECT_TRUE(at::allclose(expected, 2 * at::matmul(x.t(), dense.Forward(x).detach()), 1e-4, 1e-5));
  EXPECT_FALSE(Wrapped(dense).at("u").grad().defined());
}

TEST(SpectralNormalization, ZerosStay) {
  Dense dense = RandomDense(3, 2, 1);
  Wrapped(dense).at("w").zero_();
  NormalizeWeights(dense);
  EXPECT_EQ(Wrapped(dense).at("w").abs().sum().item<float>(), 0);
}

TEST(SpectralNormalization, NamesWhatItCannotWrap) {
  const auto message = [](Layer& layer, int64_t iterations) -> std::string {
    try {
      UseSpectralNormalization(layer, iterations);
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    }
    return "";
  };
  LayerNormalization norm(3);
  Dense dense(2, 2);
  EXPECT_THAT(message(norm, 1), HasSubstr("neither kernel nor embeddings"));
  EXPECT_THAT(message(dense, 0), HasSubstr("power_iterations is 0"));
}

DilatedConvStack::Options SmallStack() {
  DilatedConvStack::Options options;
  options.in = 3;
  options.ch = 4;
  options.layers_per_stack = 2;
  options.resample = DilatedConvStack::Resample::kUp;
  options.resample_stride = 2;
  return options;
}

std::vector<double> LargestSingularValues(DilatedConvStack& stack) {
  std::vector<double> values;
  for (const auto& [path, value] : CollectParameters(stack)) {
    if (path.ends_with("/w") || path.ends_with("/kernel")) values.push_back(LargestSingularValue(value));
  }
  return values;
}

TEST(SpectralNormalization, ReachesEveryConvolutionOfAStack) {
  DilatedConvStack::Options options = SmallStack();
  options.kernel_norm = DilatedConvStack::KernelNorm::kSpectral;
  DilatedConvStack stack(options);
  InitializeParameters(stack);
  const NamedTensors names = CollectParameters(stack);
  for (const char* name : {"conv_in/w", "conv_in/u", "conv_in/layer/bias", "layers/3/layer_with_weights-0/w",
                           "resample_layers/1/w", "resample_layers/1/layer/bias"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_EQ(names.at("conv_in/u").sizes(), at::IntArrayRef({1, 4}));
  EXPECT_GT(names.at("conv_in/u").abs().max().item<float>(), 0);
  EXPECT_LE(names.at("conv_in/u").abs().max().item<float>(), 0.04);  // two deviations
  for (int step = 0; step < 300; ++step) NormalizeWeights(stack);
  const std::vector<double> values = LargestSingularValues(stack);
  ASSERT_EQ(values.size(), 7);
  EXPECT_THAT(values, Each(::testing::DoubleNear(1, 0.01)));
}

TEST(DilatedConvStack, KernelsMayStartOrthogonal) {
  DilatedConvStack::Options options = SmallStack();
  options.kernel_initializer = Initializer::kOrthogonal;
  DilatedConvStack stack(options);
  InitializeParameters(stack);
  for (const auto& [path, value] : CollectParameters(stack)) {
    if (!path.ends_with("kernel")) continue;
    const Tensor columns = value.reshape({-1, value.size(-1)});  // more rows than columns in this stack
    EXPECT_TRUE(at::allclose(at::matmul(columns.t(), columns), at::eye(value.size(-1)), 1e-4, 1e-5)) << path;
  }
}

}  // namespace
}  // namespace ddsp
