// A cosine series at three neighbouring angles, as a search for its peak asks for them.
#pragma once

#include <cstdint>
#include <vector>

namespace ddsp::kernels {

// sum over k of weights[k] cos(k angle), at angle - step, angle and angle + step, for a fixed step.
//
// The steps are taken by tables of cos(k step) - 1 and sin(k step): the differences of the three sums, from which their
// peak is read, are as exact as the sums are. Error: at most 2e-6 * sum |weights| of a sum, and of their second
// difference so much of sum |weights[k] (cos(k step) - 1)|. Immutable.
class CosineSums {
 public:
  static constexpr int kMaxTerms = 512;
  // A block of terms: weights are read in whole blocks.
  static constexpr int kBlock = 16;

  struct Values {
    double before, at, after;
  };

  // terms <= kMaxTerms; step in radians.
  CosineSums(int terms, double step);

  // weights: as many as terms rounded up to whole blocks.
  Values At(const float* weights, double angle) const;

 private:
  int blocks_;
  std::vector<float> cos_minus_1_, sin_;  // 0 beyond the terms
};

}  // namespace ddsp::kernels
