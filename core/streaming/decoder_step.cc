#include "core/streaming/decoder_step.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/kernels/layer_norm.h"

namespace ddsp {
namespace {

const std::vector<float>& Values(const Voice& voice, const std::string& name) { return voice.weights.at(name).values; }

kernels::PackedDense MakeDense(const Voice& voice, const std::string& path) {
  const Weight& kernel = voice.weights.at(path + "/kernel");
  return {kernel.values, Values(voice, path + "/bias"), kernel.shape[0], kernel.shape[1]};
}

kernels::GruCell MakeGru(const Voice& voice) {
  const std::string path = "decoder/rnn/rnn/cell/";
  const Weight& kernel = voice.weights.at(path + "kernel");
  return {kernel.values, Values(voice, path + "recurrent_kernel"), Values(voice, path + "bias"), kernel.shape[0],
          kernel.shape[1] / 3};
}

void CopyColumns(const float* from, int64_t from_stride, int rows, int64_t columns, float* to, int64_t to_stride) {
  for (int r = 0; r < rows; ++r) std::copy_n(from + r * from_stride, columns, to + r * to_stride);
}

}  // namespace

DecoderStep::Stack DecoderStep::MakeStack(const Voice& voice, const std::string& path, int64_t inputs) {
  Stack stack;
  for (int i = 0; i < voice.spec.decoder().layers_per_stack(); ++i) {
    const std::string at = absl::StrCat(path, "/layer_with_weights-", i, "/layer_with_weights-");
    stack.push_back({MakeDense(voice, at + "0"), Values(voice, at + "1/gamma"), Values(voice, at + "1/beta")});
  }
  return stack;
}

DecoderStep::DecoderStep(const Voice& voice) : gru_(MakeGru(voice)), dense_out_(MakeDense(voice, "decoder/dense_out")) {
  for (int i = 0; i < voice.spec.decoder().input_keys_size(); ++i) {
    input_stacks_.push_back(MakeStack(voice, absl::StrCat("decoder/input_stacks/", i), 1));
    stacked_ += stack_width(input_stacks_.back());
  }
  out_stack_ = MakeStack(voice, "decoder/out_stack", stacked_ + gru_.units());
}

DecoderStep::Workspace DecoderStep::MakeWorkspace(int max_rows) const {
  int64_t widest = 1;
  for (const Stack& stack : input_stacks_) widest = std::max(widest, stack_width(stack));
  widest = std::max(widest, stack_width(out_stack_));
  Workspace workspace;
  workspace.layer.resize(max_rows * widest);
  workspace.output.resize(max_rows * widest);
  workspace.joined.resize(max_rows * (stacked_ + gru_.units()));
  workspace.gru.resize(gru_.scratch_size(max_rows));
  return workspace;
}

void DecoderStep::ApplyStack(const Stack& stack, const float* x, int64_t x_stride, int rows, float* y, int64_t y_stride,
                             Workspace& workspace) const {
  for (const Layer& layer : stack) {
    const int64_t width = layer.dense.outputs();
    float* dense = workspace.layer.data();
    layer.dense.Apply(x, x_stride, rows, dense, width);
    const bool last = &layer == &stack.back();
    float* normalised = last ? y : workspace.output.data();
    kernels::LayerNormLeakyRelu(dense, rows, width, layer.gamma.data(), layer.beta.data(), normalised,
                                last ? y_stride : width);
    x = normalised;
    x_stride = width;
  }
}

void DecoderStep::Step(const float* features, int rows, float* state, float* outputs, Workspace& workspace) const {
  const int64_t joined_width = stacked_ + gru_.units();
  float* joined = workspace.joined.data();
  int64_t column = 0;
  for (int i = 0; i < inputs(); ++i) {
    const Stack& stack = input_stacks_[i];
    if (stack.empty()) {
      CopyColumns(features + i, inputs(), rows, 1, joined + column, joined_width);
    } else {
      ApplyStack(stack, features + i, inputs(), rows, joined + column, joined_width, workspace);
    }
    column += stack_width(stack);
  }
  gru_.Step(joined, joined_width, rows, state, workspace.gru.data());
  CopyColumns(state, gru_.units(), rows, gru_.units(), joined + stacked_, joined_width);
  if (out_stack_.empty()) {
    dense_out_.Apply(joined, joined_width, rows, outputs, dense_out_.outputs());
    return;
  }
  const int64_t width = stack_width(out_stack_);
  ApplyStack(out_stack_, joined, joined_width, rows, workspace.output.data(), width, workspace);
  dense_out_.Apply(workspace.output.data(), width, rows, outputs, dense_out_.outputs());
}

}  // namespace ddsp
