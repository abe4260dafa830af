#include "core/nn/rnn.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/nn/gru_sequence.h"

namespace ddsp {
namespace {

int64_t GatesOf(RnnType type) { return type == RnnType::kGru ? 3 : 4; }

Parameter BiasOf(RnnType type, int64_t units) {
  return type == RnnType::kGru ? Parameter({2, 3 * units}, Initializer::kZeros)
                               : Parameter({4 * units}, Initializer::kUnitForgetBias);
}

}  // namespace

absl::StatusOr<RnnType> ParseRnnType(const std::string& name) {
  if (name == "gru") return RnnType::kGru;
  if (name == "lstm") return RnnType::kLstm;
  return absl::InvalidArgumentError(absl::StrCat("rnn_type is '", name, "', expected gru or lstm"));
}

RnnCell::RnnCell(int64_t in, int64_t units, RnnType type)
    : type_(type),
      units_(units),
      kernel_({in, GatesOf(type) * units}, Initializer::kGlorotUniform),
      recurrent_kernel_({units, GatesOf(type) * units}, Initializer::kOrthogonal),
      bias_(BiasOf(type, units)) {}

RnnOutput RnnCell::Forward(const at::Tensor& x, const at::Tensor& state) const {
  DDSP_CHECK_ARGUMENT(x.dim() == 3 && x.size(1) > 0, "x has shape ", x.sizes(), ", expected [batch, time, channels]");
  const at::Tensor initial =
      state.defined() ? state : at::zeros({x.size(0), units_}, kernel_.value.options().requires_grad(false));
  const at::Tensor steps = x.transpose(0, 1);
  if (type_ == RnnType::kLstm) {
    DDSP_CHECK_ARGUMENT(!state.defined(), "an LSTM was given a state, expected none: only a GRU's can be carried");
    const at::Tensor zero = initial.unsqueeze(0);
    const auto [h, last_h, last_c] = at::lstm(
        steps, {zero, zero}, {kernel_.value.t(), recurrent_kernel_.value.t(), bias_.value, at::zeros_like(bias_.value)},
        /*has_biases=*/true, /*num_layers=*/1, /*dropout=*/0.0, /*train=*/false, /*bidirectional=*/false,
        /*batch_first=*/false);
    return {h.transpose(0, 1), {}};
  }
  const at::Tensor projected = at::matmul(steps, kernel_.value) + bias_.value[0];
  const at::Tensor h = GruSequence(projected, recurrent_kernel_.value, bias_.value[1], initial);
  return {h.transpose(0, 1), h[h.size(0) - 1]};
}

void RnnCell::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "cell/kernel", kernel_);
  visit(prefix + "cell/recurrent_kernel", recurrent_kernel_);
  visit(prefix + "cell/bias", bias_);
}

}  // namespace ddsp
