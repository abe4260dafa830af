#include "core/nn/rnn_fc_decoder.h"

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

int64_t StacksOut(const RnnFcDecoder::Options& options) {
  int64_t channels = 0;
  for (const auto& input : options.inputs) channels += options.layers_per_stack > 0 ? options.ch : input.channels;
  return channels;
}

int64_t SplitsTotal(const RnnFcDecoder::Options& options) {
  int64_t channels = 0;
  for (const auto& split : options.output_splits) channels += split.channels;
  return channels;
}

absl::Status Validate(const RnnFcDecoder::Options& options) {
  std::vector<std::string> problems;
  const auto positive = [&](const std::string& name, int64_t value) {
    if (value < 1) problems.push_back(absl::StrCat(name, " is ", value, ", expected 1 or more"));
  };
  positive("rnn_channels", options.rnn_channels);
  positive("ch", options.ch);
  if (options.layers_per_stack < 0)
    problems.push_back(absl::StrCat("layers_per_stack is ", options.layers_per_stack, ", expected 0 or more"));
  if (options.inputs.empty()) problems.push_back("inputs is empty");
  if (options.output_splits.empty()) problems.push_back("output_splits is empty");
  for (const auto& input : options.inputs) positive(absl::StrCat("channels of input ", input.key), input.channels);
  for (const auto& split : options.output_splits)
    positive(absl::StrCat("channels of output ", split.key), split.channels);
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("RnnFcDecoder: ", absl::StrJoin(problems, "; ")));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RnnFcDecoder>> RnnFcDecoder::Create(const Options& options) {
  RETURN_IF_ERROR(Validate(options));
  return absl::WrapUnique(new RnnFcDecoder(options));
}

RnnFcDecoder::RnnFcDecoder(const Options& options)
    : options_(options),
      rnn_(StacksOut(options), options.rnn_channels, options.rnn_type),
      out_stack_(StacksOut(options) + options.rnn_channels, options.ch, options.layers_per_stack),
      dense_out_(out_stack_.out_channels(), SplitsTotal(options)) {
  for (const Feature& input : options.inputs)
    input_stacks_.emplace_back(input.channels, options.ch, options.layers_per_stack);
}

absl::StatusOr<RnnFcDecoder::Output> RnnFcDecoder::Forward(const NamedTensors& inputs, const at::Tensor& state) const {
  std::vector<at::Tensor> features;
  for (const Feature& input : options_.inputs) {
    ASSIGN_OR_RETURN(const at::Tensor x, Lookup(inputs, input.key));
    if (x.dim() != 3 || x.size(2) != input.channels) {
      return absl::InvalidArgumentError(absl::StrCat("input '", input.key, "' has shape [",
                                                     absl::StrJoin(x.sizes(), ","), "], expected [batch, time, ",
                                                     input.channels, "]"));
    }
    features.push_back(x);
  }
  return CatchTorch([&] {
    for (size_t i = 0; i < features.size(); ++i) features[i] = input_stacks_[i].Forward(features[i]);
    const RnnOutput rnn = rnn_.Forward(at::cat(features, -1), state);
    features.push_back(rnn.sequence);
    const at::Tensor y = dense_out_.Forward(out_stack_.Forward(at::cat(features, -1)));
    Output output;
    output.state = rnn.state;
    int64_t start = 0;
    for (const Feature& split : options_.output_splits) {
      output.controls[split.key] = y.narrow(-1, start, split.channels);
      start += split.channels;
    }
    return output;
  });
}

void RnnFcDecoder::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  for (size_t i = 0; i < input_stacks_.size(); ++i) {
    input_stacks_[i].VisitParameters(absl::StrCat(prefix, "input_stacks/", i, "/"), visit);
  }
  rnn_.VisitParameters(prefix + "rnn/rnn/", visit);
  out_stack_.VisitParameters(prefix + "out_stack/", visit);
  dense_out_.VisitParameters(prefix + "dense_out/", visit);
}

}  // namespace ddsp
