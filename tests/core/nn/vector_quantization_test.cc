#include "core/nn/vector_quantization.h"

#include <ATen/CPUGeneratorImpl.h>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;

VectorQuantization WithCodebook(const VectorQuantization::Options& options, const Tensor& sums, const Tensor& counts) {
  VectorQuantization layer(sums.size(1) * options.num_heads, options);
  EXPECT_TRUE(UseParameters(layer, {{"sums", sums}, {"counts", counts}}).ok());
  return layer;
}

NamedTensors StateOf(VectorQuantization& layer) { return CollectParameters(layer); }

TEST(VectorQuantization, GivesTheNearestCodeAndPassesGradientsStraightThrough) {
  const Tensor sums = at::tensor({0.0f, 0.0f, 4.0f, 8.0f, 0.0f, 0.0f}).view({3, 2}),
               counts = at::tensor({1.f, 4.f, 0.f});
  const VectorQuantization layer = WithCodebook({.k = 3}, sums, counts);
  Tensor x = at::tensor({0.9f, 2.5f, -1.0f, 0.1f}).view({2, 2}).requires_grad_(true);
  const auto output = layer.Forward(x);
  EXPECT_TRUE(at::equal(output.z.detach(), at::tensor({1.0f, 2.0f, 0.0f, 0.0f}).view({2, 2})));
  EXPECT_TRUE(at::equal(output.c, at::tensor({int64_t{1}, int64_t{0}}).view({2, 1})));
  output.z.backward(at::full({2, 2}, 3.0f));
  EXPECT_TRUE(at::equal(x.grad(), at::full({2, 2}, 3.0f)));
}

// Moving averages of what each code was given, by hand.
TEST(VectorQuantization, TrainingMovesSumsAndCounts) {
  const Tensor sums = at::tensor({10.0f, 0.0f, 0.0f, 10.0f}).view({2, 2}), counts = at::tensor({10.0f, 10.0f});
  VectorQuantization layer = WithCodebook({.k = 2, .gamma = 0.75}, sums.clone(), counts.clone());
  const Tensor x = at::tensor({2.0f, 0.0f, 1.0f, 0.5f, 0.0f, 3.0f}).view({3, 2});  // two near (1, 0), one near (0, 1)
  EXPECT_TRUE(at::equal(layer.Train(x).c, at::tensor({int64_t{0}, int64_t{0}, int64_t{1}}).view({3, 1})));
  const NamedTensors state = StateOf(layer);
  EXPECT_TRUE(at::allclose(state.at("counts"), 0.75 * counts + 0.25 * at::tensor({2.0f, 1.0f})));
  EXPECT_TRUE(at::allclose(state.at("sums"), 0.75 * sums + 0.25 * at::tensor({3.0f, 0.5f, 0.0f, 3.0f}).view({2, 2})));
}

TEST(VectorQuantization, AnEmptyCodebookStartsAtVectorsOfTheBatch) {
  VectorQuantization layer(2, {.k = 4});
  InitializeParameters(layer);
  const Tensor x = at::randn({4, 2});
  const auto output = layer.Train(x, at::detail::createCPUGenerator(1));
  EXPECT_TRUE(at::allclose(output.z, x));
}

TEST(VectorQuantization, LearnsTheMeansOfClusters) {
  at::manual_seed(3);
  VectorQuantization layer(2, {.k = 12, .gamma = 0.9});  // as many as to begin in every cluster
  InitializeParameters(layer);
  const Tensor means = at::tensor({-3.0f, 0.0f, 3.0f, 1.0f, 0.0f, -4.0f}).view({3, 2});
  const auto generator = at::detail::createCPUGenerator(7);
  for (int step = 0; step < 200; ++step) {
    const Tensor which = at::randint(3, {64}, at::kLong);
    layer.Train(means.index_select(0, which) + 0.1 * at::randn({64, 2}), generator);
  }
  EXPECT_LT((layer.Forward(means).z - means).abs().max().item<float>(), 0.35);
}

TEST(VectorQuantization, HeadsShareTheCodebookAndComeBack) {
  const Tensor sums = at::tensor({1.0f, 2.0f}).view({2, 1}), counts = at::ones({2});
  const VectorQuantization layer = WithCodebook({.k = 2, .num_heads = 3}, sums, counts);
  const auto output = layer.Forward(at::tensor({0.9f, 2.2f, 1.1f}).view({1, 1, 3}));
  EXPECT_TRUE(at::equal(output.c, at::tensor({int64_t{0}, int64_t{1}, int64_t{0}}).view({1, 1, 3})));
  EXPECT_TRUE(at::equal(layer.Unquantize(output.c), output.z));
}

TEST(VectorQuantization, CommitmentPullsTheEncoderAlone) {
  const VectorQuantization layer(2, {.k = 2, .commitment_loss_weight = 0.5});
  Tensor z = at::ones({1, 2}).requires_grad_(true), z_q = at::zeros({1, 2}).requires_grad_(true);
  const Tensor loss = layer.CommitmentLoss(z, z_q);
  loss.backward();
  EXPECT_FLOAT_EQ(loss.item<float>(), 0.5);
  EXPECT_TRUE(at::allclose(z.grad(), at::full({1, 2}, 0.5)));
  EXPECT_FALSE(z_q.grad().defined());
}

TEST(VectorQuantization, RejectsWhatDoesNotFit) {
  EXPECT_THROW(VectorQuantization(5, {.k = 2, .num_heads = 2}), c10::ValueError);
  EXPECT_THROW(VectorQuantization(4, {.k = 2, .gamma = 1.5}), c10::ValueError);
  EXPECT_THROW(VectorQuantization(4, {.k = 2}).Forward(at::ones({3})), c10::ValueError);
}

}  // namespace
}  // namespace ddsp
