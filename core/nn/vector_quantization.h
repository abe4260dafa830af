// A codebook of vectors (upstream: training/nn.py, VectorQuantization).
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "core/nn/parameters.h"

namespace ddsp {

// Replaces vectors by the nearest of k codes. The codebook is kept as running sums and counts of what was assigned to
// each code, so that a code is their quotient, and learns from these, not from gradients.
class VectorQuantization : public Layer {
 public:
  struct Options {
    int64_t k = 512;               // codes
    int64_t num_heads = 1;         // a vector is cut into so many parts, each replaced from the one codebook
    double gamma = 0.99;           // share of sums and counts that a batch leaves, 0 to 1
    double restart_threshold = 0;  // codes with at most this share of what an even distribution gives start anew
    double commitment_loss_weight = 0.2;
  };
  // `channels` of a vector are a multiple of num_heads. Throws ValueError for options out of range.
  VectorQuantization(int64_t channels, const Options& options);

  struct Output {
    at::Tensor z;  // as x; gradients pass straight through to x
    at::Tensor c;  // [..., num_heads], indices of the codes
  };
  // x [..., channels]. Throws ValueError for other shapes. Upstream: call().
  Output Forward(const at::Tensor& x) const;
  // The same with a codebook whose little used codes, all at first, are replaced by vectors of x at random; sums and
  // counts move towards those of x in place. Upstream: call(training=True).
  Output Train(const at::Tensor& x, std::optional<at::Generator> generator = std::nullopt);

  // The vectors [..., channels] that indices [..., num_heads] stand for. Upstream: unquantize.
  at::Tensor Unquantize(const at::Tensor& c) const;
  // A number: the weighted mean square of z - z_q, with gradients for z alone. Upstream: committment_loss.
  at::Tensor CommitmentLoss(const at::Tensor& z, const at::Tensor& z_q) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;  // sums, counts

 private:
  at::Tensor Parts(const at::Tensor& x) const;  // [parts, channels / num_heads], detached
  at::Tensor Codes() const;  // [k, channels / num_heads]; zeros for codes that nothing was assigned to
  at::Tensor RestartedCodes(const at::Tensor& parts, std::optional<at::Generator> generator) const;
  Output Quantize(const at::Tensor& x, const at::Tensor& parts, const at::Tensor& codes) const;

  const Options options_;
  Parameter sums_, counts_;
};

}  // namespace ddsp
