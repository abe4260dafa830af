#include "core/kernels/dense.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

struct Layer {
  int64_t inputs, outputs;
  std::vector<float> kernel, bias;
  PackedDense dense;

  Layer(int64_t in, int64_t out)
      : inputs(in),
        outputs(out),
        kernel(RandomValues(in * out, -1, 1)),
        bias(RandomValues(out, -1, 1, 2)),
        dense(kernel, bias, in, out) {}
};

TEST(PackedDense, EqualsTheProductInDouble) {
  ForEachTarget([] {
    for (const int64_t inputs : {1, 2, 17, 256}) {
      for (const int64_t outputs : {1, 15, 16, 31, 32, 33, 126, 160, 257}) {
        const Layer layer(inputs, outputs);
        for (const int64_t rows : {1, 2, 3, 4, 7, 12, 13, 31}) {
          const int64_t x_stride = inputs + 3, y_stride = outputs + 5;
          const std::vector<float> x = RandomValues(rows * x_stride, -1, 1, 3);
          std::vector<float> y(rows * y_stride, -7);
          layer.dense.Apply(x.data(), x_stride, rows, y.data(), y_stride);
          for (int64_t r = 0; r < rows; ++r) {
            for (int64_t o = 0; o < outputs; ++o) {
              double sum = layer.bias[o], magnitude = std::abs(layer.bias[o]);
              for (int64_t i = 0; i < inputs; ++i) {
                const double product = static_cast<double>(x[r * x_stride + i]) * layer.kernel[i * outputs + o];
                sum += product;
                magnitude += std::abs(product);
              }
              ASSERT_NEAR(y[r * y_stride + o], sum, inputs * 0x1p-24 * magnitude + 1e-7) << inputs << " x " << outputs;
            }
            for (int64_t o = outputs; o < y_stride; ++o) ASSERT_EQ(y[r * y_stride + o], -7) << "written beyond the row";
          }
        }
      }
    }
  });
}

TEST(PackedDense, ARowIsTheSameToTheBitInAnyBatch) {
  ForEachTarget([] {
    const Layer layer(67, 190);
    const std::vector<float> x = RandomValues(67, -1, 1, 3);
    std::vector<float> alone(190);
    layer.dense.Apply(x.data(), 67, 1, alone.data(), 190);
    for (const int64_t rows : {2, 3, 5, 12, 13, 30, 64}) {
      std::vector<float> batch = RandomValues(rows * 67, -1, 1, 4), y(rows * 190);
      for (int64_t place = 0; place < rows; ++place) {
        std::vector<float> rows_of_x = batch;
        std::copy(x.begin(), x.end(), rows_of_x.begin() + place * 67);
        layer.dense.Apply(rows_of_x.data(), 67, rows, y.data(), 190);
        ASSERT_EQ(std::vector<float>(y.begin() + place * 190, y.begin() + (place + 1) * 190), alone)
            << place << " of " << rows;
      }
    }
  });
}

TEST(PackedDense, WithoutABiasStartsFromZero) {
  const std::vector<float> kernel = {1, 2, 3, 4}, x = {10, 100};
  std::vector<float> y(2);
  PackedDense(kernel, {}, 2, 2).Apply(x.data(), 2, 1, y.data(), 2);
  EXPECT_EQ(y, (std::vector<float>{310, 420}));
}

}  // namespace
}  // namespace ddsp::kernels
