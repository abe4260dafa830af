// The decoder of the published models: features to controls (upstream: training/decoders.py, RnnFcDecoder).
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/nn/fully_connected.h"
#include "core/nn/rnn.h"

namespace ddsp {

// One FcStack per input; their concatenation through an RNN; stacks and RNN concatenated through another FcStack and a
// dense layer, whose channels are split into the outputs.
class RnnFcDecoder : public Layer {
 public:
  struct Feature {
    std::string key;       // "pw_scaled", "f0_scaled", "z", ...
    int64_t channels = 1;  // 1 or more
  };
  struct Options {
    int64_t rnn_channels = 512;
    RnnType rnn_type = RnnType::kGru;
    int64_t ch = 512;                                                     // channels of the stacks
    int64_t layers_per_stack = 3;                                         // 0: no stacks
    std::vector<Feature> inputs = {{"ld_scaled"}, {"f0_scaled"}, {"z"}};  // their order is the order of the weights
    std::vector<Feature> output_splits = {{"amps", 1}, {"harmonic_distribution", 40}};
  };
  // Errors: INVALID_ARGUMENT listing everything that is wrong with the options.
  static absl::StatusOr<std::unique_ptr<RnnFcDecoder>> Create(const Options& options);

  const Options& options() const { return options_; }

  struct Output {
    NamedTensors controls;  // each of output_splits, [batch, time, channels]
    at::Tensor state;       // [batch, rnn_channels] after the last step; undefined for an LSTM
  };
  // inputs: each [batch, time, channels]; other names are ignored. Carries on from `state`, or from zero if undefined
  // (upstream: stateless = true, false). Errors: INVALID_ARGUMENT, NOT_FOUND naming the input.
  absl::StatusOr<Output> Forward(const NamedTensors& inputs, const at::Tensor& state = {}) const;

  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  explicit RnnFcDecoder(const Options& options);

  Options options_;
  std::vector<FcStack> input_stacks_;
  RnnCell rnn_;
  FcStack out_stack_;
  Dense dense_out_;
};

}  // namespace ddsp
