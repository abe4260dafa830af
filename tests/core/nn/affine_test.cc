#include "core/nn/affine.h"

#include "gtest/gtest.h"

namespace ddsp {
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

}  // namespace
}  // namespace ddsp
