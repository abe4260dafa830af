// A codebook of vectors (upstream: training/nn.py, VectorQuantization).
#pragma once

#include <ATen/ATen.h>

#include "core/nn/parameters.h"

namespace ddsp {

// Replaces vectors by the nearest of k. The codebook is kept as running sums and counts of what was assigned to each
// code, so that a code is their quotient.
class VectorQuantization : public Layer {
 public:
  struct Options {
    int64_t k = 512;        // codes
    int64_t num_heads = 1;  // a vector is cut into so many parts, each replaced from the one codebook
  };
  // `channels` of a vector are a multiple of num_heads. Throws ValueError for options out of range.
  VectorQuantization(int64_t channels, const Options& options);

  struct Output {
    at::Tensor z;  // as x; gradients pass straight through to x
    at::Tensor c;  // [..., num_heads], indices of the codes
  };
  // x [..., channels]. Throws ValueError for other shapes.
  Output Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;  // sums, counts

 private:
  const Options options_;
  Parameter sums_, counts_;
};

}  // namespace ddsp
