#include "core/nn/gru_sequence.h"

#include "core/nn/rnn.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;

// Gates z, r, candidate along the last axis to LibTorch's order r, z, n along the first.
Tensor ToTorch(const Tensor& keras) {
  const auto gates = keras.chunk(3, -1);
  return at::cat({gates[1], gates[0], gates[2]}, -1).t();
}

class GruAgainstTorch : public testing::Test {
 protected:
  static constexpr int64_t kSteps = 9, kBatch = 3, kIn = 4, kUnits = 5;

  Tensor Leaf(at::IntArrayRef shape) { return (0.5 * at::randn(shape, at::kDouble)).requires_grad_(true); }

  const Tensor x = Leaf({kSteps, kBatch, kIn}), kernel = Leaf({kIn, 3 * kUnits}),
               recurrent = Leaf({kUnits, 3 * kUnits});
  const Tensor bias = Leaf({2, 3 * kUnits}), initial = Leaf({kBatch, kUnits});

  Tensor Ours() const { return GruSequence(at::matmul(x, kernel) + bias[0], recurrent, bias[1], initial); }
  Tensor Torchs() const {
    const auto bias_of = [&](int64_t row) { return ToTorch(bias[row].unsqueeze(0)).squeeze(1); };
    return std::get<0>(at::gru(x, initial.unsqueeze(0), {ToTorch(kernel), ToTorch(recurrent), bias_of(0), bias_of(1)},
                               true, 1, 0.0, false, false, false));
  }
};

TEST_F(GruAgainstTorch, StatesAreEqual) { EXPECT_TRUE(at::allclose(Ours(), Torchs(), 1e-12, 1e-12)); }

TEST_F(GruAgainstTorch, GradientsAreEqual) {
  const Tensor weights = at::randn({kSteps, kBatch, kUnits}, at::kDouble);
  const auto leaves = {x, kernel, recurrent, bias, initial};
  const auto gradients = [&](const Tensor& out) {
    std::vector<Tensor> grads;
    for (const Tensor& leaf : leaves) leaf.mutable_grad() = Tensor();
    (out * weights).sum().backward();
    for (const Tensor& leaf : leaves) grads.push_back(leaf.grad().clone());
    return grads;
  };
  const auto ours = gradients(Ours()), torchs = gradients(Torchs());
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_TRUE(at::allclose(ours[i], torchs[i], 1e-10, 1e-12)) << "leaf " << i;
}

// float32 takes another way than double.
TEST(GruSequence, InFloatEqualsDoubleForwardAndBackward) {
  const int64_t steps = 9, batch = 3, units = 19;  // 19: whole vectors and a rest
  const std::vector<Tensor> values = {at::randn({steps, batch, 3 * units}), 0.5 * at::randn({units, 3 * units}),
                                      at::randn({3 * units}), at::randn({batch, units})};
  const Tensor weights = at::randn({steps, batch, units});
  const auto run = [&](at::ScalarType type) {
    std::vector<Tensor> x;
    for (const Tensor& value : values) x.push_back(value.to(type, false, /*copy=*/true).requires_grad_(true));
    const Tensor h = GruSequence(x[0], x[1], x[2], x[3]);
    (h * weights.to(type)).sum().backward();
    std::vector<Tensor> all = {h.detach()};
    for (const Tensor& leaf : x) all.push_back(leaf.grad());
    return all;
  };
  const auto single = run(at::kFloat), exact = run(at::kDouble);
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_LE((single[i].to(at::kDouble) - exact[i]).abs().max().item<double>(),
              2e-5 * exact[i].abs().max().item<double>() + 1e-6)
        << i;
  }
}

TEST(GruSequence, StaysFiniteWhereGatesSaturate) {
  const Tensor projected = at::full({4, 2, 12}, -1e7f);
  const Tensor h = GruSequence(projected, at::zeros({4, 12}), at::zeros({12}), at::zeros({2, 4}));
  EXPECT_TRUE(h.isfinite().all().item<bool>());
}

TEST(RnnCell, CallsThatCarryTheStateEqualOneCall) {
  RnnCell cell(4, 5, RnnType::kGru);
  InitializeParameters(cell);
  const Tensor x = at::randn({2, 12, 4});
  const RnnOutput whole = cell.Forward(x);
  Tensor state;
  std::vector<Tensor> pieces;
  for (const auto& piece : x.split_with_sizes({1, 5, 6}, 1)) {
    const RnnOutput part = cell.Forward(piece, state);
    pieces.push_back(part.sequence);
    state = part.state;
  }
  EXPECT_TRUE(at::allclose(whole.sequence, at::cat(pieces, 1), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(whole.state, state, 1e-5, 1e-6));
}

}  // namespace
}  // namespace ddsp
