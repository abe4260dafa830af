#include "core/nn/rnn_layers.h"

namespace ddsp {

Rnn::Rnn(const Options& options) : result_(options.result), forward_(options.in, options.dims, options.type) {
  if (options.direction == RnnDirection::kBoth) backward_.emplace(options.in, options.dims, options.type);
}

at::Tensor Rnn::Forward(const at::Tensor& x) const {
  const int64_t end = x.size(1) - 1;
  at::Tensor y = forward_.Forward(x).sequence;
  if (result_ == RnnResult::kLastStep) y = y.select(1, end);
  if (!backward_) return y;
  // The backward cell's last step is that of the first frame.
  at::Tensor z = backward_->Forward(x.flip(1)).sequence;
  z = result_ == RnnResult::kLastStep ? z.select(1, end) : z.flip(1);
  return at::cat({y, z}, -1);
}

void Rnn::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  forward_.VisitParameters(prefix + (backward_ ? "rnn/forward_layer/" : "rnn/"), visit);
  if (backward_) backward_->VisitParameters(prefix + "rnn/backward_layer/", visit);
}

void SingleGru::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  cell_.VisitParameters(prefix + "layer_with_weights-0/", visit);
  norm_.VisitParameters(prefix + "layer_with_weights-1/", visit);
}

RnnSandwich::RnnSandwich(const Options& options)
    : before_(options.in, options.fc_stack_ch, options.fc_stack_layers),
      rnn_({before_.out_channels(), options.rnn_ch, options.rnn_type}),
      after_(options.rnn_ch, options.fc_stack_ch, options.fc_stack_layers) {}

void RnnSandwich::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  before_.VisitParameters(prefix + "layer_with_weights-0/", visit);
  rnn_.VisitParameters(prefix + "layer_with_weights-1/", visit);
  after_.VisitParameters(prefix + "layer_with_weights-2/", visit);
}

RnnFc::RnnFc(const Options& options)
    : rnn_({options.in, options.rnn_feat, options.rnn_type, RnnDirection::kForward, options.result}),
      fc_(options.rnn_feat, options.out_feat, options.nonlinearity) {}

void RnnFc::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  rnn_.VisitParameters(prefix + "layer_with_weights-0/", visit);
  fc_.VisitParameters(prefix + "layer_with_weights-1/", visit);
}

}  // namespace ddsp
