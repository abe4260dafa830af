#include "core/streaming/decoder_step.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/kernels/layer_norm.h"

namespace ddsp {
namespace {

const std::vector<float>& Values(const Voice& voice, const std::string& name) { return voice.weights.at(name).values; }

kernels::Arithmetic ArithmeticOf(const Voice& voice) {
  return voice.spec.decoder().arithmetic() == "int16" ? kernels::Arithmetic::kInt16 : kernels::Arithmetic::kFloat32;
}

kernels::DenseLayer MakeDense(const Voice& voice, const std::string& path, kernels::Arithmetic arithmetic) {
  const Weight& kernel = voice.weights.at(path + "/kernel");
  return {arithmetic, kernel.values, Values(voice, path + "/bias"), kernel.shape[0], kernel.shape[1]};
}

kernels::GruCell MakeGru(const Voice& voice) {
  const std::string path = "decoder/rnn/rnn/cell/";
  const Weight& kernel = voice.weights.at(path + "kernel");
  return {kernel.values,
          Values(voice, path + "recurrent_kernel"),
          Values(voice, path + "bias"),
          kernel.shape[0],
          kernel.shape[1] / 3,
          ArithmeticOf(voice)};
}

void CopyColumns(const float* from, int64_t from_stride, int rows, int64_t columns, float* to, int64_t to_stride) {
  for (int r = 0; r < rows; ++r) std::copy_n(from + r * from_stride, columns, to + r * to_stride);
}

}  // namespace

DecoderStep::Stack DecoderStep::MakeStack(const Voice& voice, const std::string& path, int64_t inputs) {
  Stack stack;
  for (int i = 0; i < voice.spec.decoder().layers_per_stack(); ++i) {
    const std::string at = absl::StrCat(path, "/layer_with_weights-", i, "/layer_with_weights-");
    stack.push_back(
        {MakeDense(voice, at + "0", ArithmeticOf(voice)), Values(voice, at + "1/gamma"), Values(voice, at + "1/beta")});
  }
  return stack;
}

DecoderStep::DecoderStep(const Voice& voice)
    : gru_(MakeGru(voice)), dense_out_(MakeDense(voice, "decoder/dense_out", kernels::Arithmetic::kFloat32)) {
  for (int i = 0; i < voice.spec.decoder().input_keys_size(); ++i) {
    input_stacks_.push_back(MakeStack(voice, absl::StrCat("decoder/input_stacks/", i), 1));
    stacked_ += stack_width(input_stacks_.back());
  }
  out_stack_ = MakeStack(voice, "decoder/out_stack", stacked_ + gru_.units());
}

DecoderStep::Workspace DecoderStep::MakeWorkspace(int max_rows) const {
  int64_t widest = stack_width(out_stack_);
  for (const Stack& stack : input_stacks_) widest = std::max(widest, stack_width(stack));
  Workspace workspace;
  workspace.layer.resize(kBlockRows * widest);
  workspace.output.resize(kBlockRows * widest);
  workspace.joined.resize(max_rows * joined_width());
  workspace.gates.resize(max_rows * 3 * gru_.units());
  int64_t scratch = gru_.scratch_size(kBlockRows);
  for (const Layer& layer : out_stack_) scratch = std::max(scratch, layer.dense.scratch_size(kBlockRows));
  workspace.scratch.resize(scratch);
  return workspace;
}

void DecoderStep::ApplyStack(const Stack& stack, const float* x, int64_t x_stride, int rows, float* y, int64_t y_stride,
                             Workspace& workspace) const {
  for (const Layer& layer : stack) {
    const int64_t width = layer.dense.outputs();
    float* dense = workspace.layer.data();
    layer.dense.Apply(x, x_stride, rows, dense, width, workspace.scratch.data());
    const bool last = &layer == &stack.back();
    float* normalised = last ? y : workspace.output.data();
    kernels::LayerNormLeakyRelu(dense, rows, width, layer.gamma.data(), layer.beta.data(), normalised,
                                last ? y_stride : width);
    x = normalised;
    x_stride = width;
  }
}

void DecoderStep::Listen(const float* features, int rows, Workspace& workspace) const {
  for (int begin = 0; begin < rows; begin += kBlockRows) {
    const int count = std::min(kBlockRows, rows - begin);
    const float* block = features + static_cast<int64_t>(begin) * inputs();
    float* const stacks = &workspace.joined[begin * joined_width()];
    float* joined = stacks;
    for (int i = 0; i < inputs(); ++i) {
      const Stack& stack = input_stacks_[i];
      if (stack.empty()) {
        CopyColumns(block + i, inputs(), count, 1, joined, joined_width());
      } else {
        ApplyStack(stack, block + i, inputs(), count, joined, joined_width(), workspace);
      }
      joined += stack_width(stack);
    }
    gru_.InputGates(stacks, joined_width(), count, &workspace.gates[begin * 3 * gru_.units()],
                    workspace.scratch.data());
  }
}

void DecoderStep::Advance(int first, int rows, float* state, Workspace& workspace) const {
  const int64_t units = gru_.units();
  gru_.Update(&workspace.gates[first * 3 * units], rows, state, workspace.scratch.data());
  CopyColumns(state, units, rows, units, &workspace.joined[first * joined_width() + stacked_], joined_width());
}

void DecoderStep::Speak(int rows, float* outputs, int64_t outputs_stride, Workspace& workspace) const {
  for (int begin = 0; begin < rows; begin += kBlockRows) {
    const int count = std::min(kBlockRows, rows - begin);
    const float* last = &workspace.joined[begin * joined_width()];
    int64_t width = joined_width();
    if (!out_stack_.empty()) {
      width = stack_width(out_stack_);
      ApplyStack(out_stack_, last, joined_width(), count, workspace.output.data(), width, workspace);
      last = workspace.output.data();
    }
    dense_out_.Apply(last, width, count, outputs + begin * outputs_stride, outputs_stride, workspace.scratch.data());
  }
}

}  // namespace ddsp
