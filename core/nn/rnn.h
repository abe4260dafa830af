// Recurrent layers over [batch, time, channels] (upstream: training/nn.py, Rnn and StatelessRnn).
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "core/nn/parameters.h"

namespace ddsp {

enum class RnnType { kGru, kLstm };
// "gru" or "lstm". Errors: INVALID_ARGUMENT.
absl::StatusOr<RnnType> ParseRnnType(const std::string& name);

struct RnnOutput {
  at::Tensor sequence;  // [batch, time, units]
  at::Tensor state;     // after the last step: [batch, units]; undefined for an LSTM, whose state cannot be carried
                        // upstream either
};

// Keras's GRU (gates z, r, candidate; reset after; bias [2, 3 units]) or LSTM (gates i, f, candidate, o; bias [4
// units]).
class RnnCell : public Layer {
 public:
  RnnCell(int64_t in, int64_t units, RnnType type);
  int64_t units() const { return units_; }

  // Starts from `state` [batch, units], or from zero if undefined. T steps at once equal T calls that carry the state.
  RnnOutput Forward(const at::Tensor& x, const at::Tensor& state = {}) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;  // below "cell/"

 private:
  RnnType type_;
  int64_t units_;
  Parameter kernel_, recurrent_kernel_, bias_;
};

}  // namespace ddsp
