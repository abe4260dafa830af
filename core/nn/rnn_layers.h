// Layers around recurrent cells (upstream: training/nn.py, Rnn, SingleGru, RnnSandwich, RnnFc).
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "core/nn/fully_connected.h"
#include "core/nn/rnn.h"

namespace ddsp {

enum class RnnDirection { kForward, kBoth };    // kBoth: two cells, their outputs concatenated; not for streams
enum class RnnResult { kSequence, kLastStep };  // [batch, time, units], or the last step of it

// Upstream: Rnn.
class Rnn : public Layer {
 public:
  struct Options {
    int64_t in = 1, dims = 1;
    RnnType type = RnnType::kGru;
    RnnDirection direction = RnnDirection::kForward;
    RnnResult result = RnnResult::kSequence;
  };
  explicit Rnn(const Options& options);
  // x [batch, time, in] to [batch, time, dims] (2 dims for kBoth), or [batch, dims] for kLastStep.
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  RnnResult result_;
  RnnCell forward_;
  std::optional<RnnCell> backward_;
};

// A GRU and a layer normalisation. Upstream: SingleGru.
class SingleGru : public Layer {
 public:
  // [batch, time, in] to [batch, time, gru_dim].
  SingleGru(int64_t in, int64_t gru_dim) : cell_(in, gru_dim, RnnType::kGru), norm_(gru_dim) {}
  at::Tensor Forward(const at::Tensor& x) const { return norm_.Forward(cell_.Forward(x).sequence); }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  RnnCell cell_;
  LayerNormalization norm_;
};

// An RNN between two fully connected stacks. Upstream: RnnSandwich.
class RnnSandwich : public Layer {
 public:
  struct Options {
    int64_t in = 1, fc_stack_ch = 256, fc_stack_layers = 2, rnn_ch = 512;
    RnnType rnn_type = RnnType::kGru;
  };
  explicit RnnSandwich(const Options& options);
  int64_t out_channels() const { return after_.out_channels(); }
  // x [batch, time, in] to [batch, time, out_channels()].
  at::Tensor Forward(const at::Tensor& x) const { return after_.Forward(rnn_.Forward(before_.Forward(x))); }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  FcStack before_;
  Rnn rnn_;
  FcStack after_;
};

// An RNN in one direction and a fully connected layer. Upstream's `bidir` lands in another argument, so that its
// default gives the last step only: here `result` says which. Upstream: RnnFc.
class RnnFc : public Layer {
 public:
  struct Options {
    int64_t in = 1, rnn_feat = 1, out_feat = 1;
    RnnType rnn_type = RnnType::kLstm;
    Nonlinearity nonlinearity = Nonlinearity::kSigmoid;
    RnnResult result = RnnResult::kSequence;
  };
  explicit RnnFc(const Options& options);
  // x [batch, time, in] to [batch, time, out_feat], or [batch, out_feat] for kLastStep.
  at::Tensor Forward(const at::Tensor& x) const { return fc_.Forward(rnn_.Forward(x)); }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Rnn rnn_;
  Fc fc_;
};

}  // namespace ddsp
