// The fused operations of training against the same mathematics in single tensor operations.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/training/affine.h"
#include "core/training/gru_sequence.h"
#include "core/training/spectral_objective.h"

namespace ddsp::training {
namespace {

at::Tensor Random(at::IntArrayRef shape, int64_t seed, double scale = 1.0) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::empty(shape).normal_(0, scale, generator);
}

at::Tensor Leaf(const at::Tensor& value) { return value.detach().clone().requires_grad_(true); }

double LargestDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Affine, EqualsTheMatrixLibraryForwardAndBackward) {
  for (const int64_t rows : {1, 5, 13}) {
    at::Tensor x = Leaf(Random({rows, 7}, 1)), w = Leaf(Random({7, 35}, 2)), b = Leaf(Random({35}, 3));
    at::Tensor x2 = Leaf(x), w2 = Leaf(w), b2 = Leaf(b);
    const at::Tensor cotangent = Random({rows, 35}, 4);
    const at::Tensor y = Affine(x, w, b), y2 = at::addmm(b2, x2, w2);
    y.backward(cotangent);
    y2.backward(cotangent);
    EXPECT_LE(LargestDifference(y, y2), 1e-5);
    EXPECT_LE(LargestDifference(x.grad(), x2.grad()), 1e-5);
    EXPECT_LE(LargestDifference(w.grad(), w2.grad()), 1e-5);
    EXPECT_LE(LargestDifference(b.grad(), b2.grad()), 1e-5);
  }
}

// Keras' GRU, step by step.
at::Tensor SlowGru(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& recurrent, const at::Tensor& bias) {
  const int64_t units = recurrent.size(0);
  at::Tensor h = at::zeros({x.size(1), units}, x.options());
  std::vector<at::Tensor> states;
  for (int64_t t = 0; t < x.size(0); ++t) {
    const auto a = (at::matmul(x[t], kernel) + bias[0]).split(units, 1),
               b = (at::matmul(h, recurrent) + bias[1]).split(units, 1);
    const at::Tensor z = at::sigmoid(a[0] + b[0]), r = at::sigmoid(a[1] + b[1]);
    h = z * h + (1 - z) * at::tanh(a[2] + r * b[2]);
    states.push_back(h);
  }
  return at::stack(states);
}

TEST(GruSequence, EqualsTheSlowFormInDouble) {
  const int64_t time = 9, batch = 3, inputs = 5, units = 19;  // 19: whole vectors and a rest
  std::vector<at::Tensor> fast = {Leaf(Random({time, batch, inputs}, 1)), Leaf(Random({inputs, 3 * units}, 2)),
                                  Leaf(Random({units, 3 * units}, 3, 0.5)), Leaf(Random({2, 3 * units}, 4))};
  std::vector<at::Tensor> slow;
  for (const at::Tensor& tensor : fast) slow.push_back(Leaf(tensor.to(at::kDouble)));
  const at::Tensor cotangent = Random({time, batch, units}, 5);
  const at::Tensor y = GruSequence(fast[0], fast[1], fast[2], fast[3]),
                   y2 = SlowGru(slow[0], slow[1], slow[2], slow[3]);
  y.backward(cotangent);
  y2.backward(cotangent.to(at::kDouble));
  EXPECT_LE(LargestDifference(y, y2), 2e-6);
  for (size_t i = 0; i < fast.size(); ++i) {
    EXPECT_LE(LargestDifference(fast[i].grad(), slow[i].grad()),
              2e-5 * slow[i].grad().abs().max().item<double>() + 1e-6)
        << i;
  }
}

TEST(GruSequence, StaysFiniteWhereGatesSaturate) {
  const at::Tensor x = at::full({4, 2, 3}, 1e4f), kernel = at::full({3, 12}, -1e3f);
  EXPECT_TRUE(GruSequence(x, kernel, at::zeros({4, 12}), at::zeros({2, 12})).isfinite().all().item<bool>());
}

// Upstream's SpectralLoss, term by term.
at::Tensor SlowObjective(const SpectralObjectiveOptions& options, const at::Tensor& target, const at::Tensor& synth) {
  at::Tensor loss = at::zeros({}, synth.options());
  for (const int64_t size : options.fft_sizes) {
    const int64_t hop = size / 4, frames = (synth.size(1) + hop - 1) / hop;
    const auto magnitude = [&](const at::Tensor& audio) {
      const at::Tensor padded = at::constant_pad_nd(audio, {0, (frames - 1) * hop + size - audio.size(1)});
      return at::abs(at::fft_rfft(padded.unfold(1, size, hop) * at::hann_window(size, audio.options())));
    };
    const at::Tensor t = magnitude(target), s = magnitude(synth);
    const auto log = [&](const at::Tensor& x) {
      const at::Tensor y = x + options.weights.log_floor;
      return at::log(at::where(y <= 0, at::full_like(y, 1e-5), y));
    };
    loss = loss + options.weights.magnitude * at::abs(t - s).mean() +
           options.weights.log_magnitude * at::abs(log(t) - log(s)).mean();
  }
  return loss;
}

class SpectralObjectiveTest : public testing::TestWithParam<std::tuple<float, float, float>> {};

TEST_P(SpectralObjectiveTest, EqualsTheSlowFormInDouble) {
  SpectralObjectiveOptions options;
  options.fft_sizes = {256, 64, 8};
  std::tie(options.weights.magnitude, options.weights.log_magnitude, options.weights.log_floor) = GetParam();
  const at::Tensor target = Random({2, 1001}, 1, 0.1);  // no multiple of any hop
  at::Tensor synth = Leaf(Random({2, 1001}, 2, 0.1)), slow = Leaf(synth.to(at::kDouble));
  const at::Tensor loss = SpectralObjective(options, target, synth);
  const at::Tensor expected = SlowObjective(options, target.to(at::kDouble), slow);
  loss.backward();
  expected.backward();
  EXPECT_NEAR(loss.item<double>(), expected.item<double>(), 2e-6 * expected.item<double>());
  // A bin near zero has a gradient as large as it is small, and float32 knows it to few digits.
  EXPECT_LE(LargestDifference(synth.grad(), slow.grad()), 2e-3 * slow.grad().abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Weights, SpectralObjectiveTest,
                         testing::Values(std::tuple(1.0f, 1.0f, 0.0f), std::tuple(1.0f, 0.0f, 0.0f),
                                         std::tuple(0.5f, 2.0f, 1e-3f)));

TEST(SpectralObjective, SilenceAgainstItselfCostsNothingAndPullsNowhere) {
  at::Tensor synth = at::zeros({1, 4000}).requires_grad_(true);
  const at::Tensor loss = SpectralObjective({}, at::zeros({1, 4000}), synth);
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_EQ(synth.grad().abs().max().item<double>(), 0);
}

TEST(SpectralObjective, RefusesOtherShapes) {
  EXPECT_THROW(SpectralObjective({}, at::zeros({1, 4000}), at::zeros({1, 4001})), c10::Error);
}

}  // namespace
}  // namespace ddsp::training
