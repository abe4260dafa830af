// One frame of an RnnFcDecoder for any number of streams: the form of core/nn/rnn_fc_decoder that serves.
//
// Rows are independent to the bit: a row's result does not depend on how many others are stepped with it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/kernels/dense.h"
#include "core/kernels/gru.h"
#include "core/models/voice.h"

namespace ddsp {

class DecoderStep {
 public:
  // The voice is valid (ValidateVoice); its weights are packed here and not needed afterwards.
  explicit DecoderStep(const Voice& voice);

  int inputs() const { return static_cast<int>(input_stacks_.size()); }
  int outputs() const { return static_cast<int>(dense_out_.outputs()); }
  int state_size() const { return static_cast<int>(gru_.units()); }

  // Buffers of one step, made once.
  struct Workspace {
    std::vector<float> layer, output, joined, gru;
  };
  Workspace MakeWorkspace(int max_rows) const;

  // features [rows, inputs()], state [rows, state_size()] (replaced), outputs [rows, outputs()], all contiguous;
  // rows <= max_rows of the workspace.
  void Step(const float* features, int rows, float* state, float* outputs, Workspace& workspace) const;

 private:
  struct Layer {
    kernels::PackedDense dense;
    std::vector<float> gamma, beta;
  };
  using Stack = std::vector<Layer>;

  static Stack MakeStack(const Voice& voice, const std::string& path, int64_t inputs);
  // Writes the last layer's rows at y + r * y_stride.
  void ApplyStack(const Stack& stack, const float* x, int64_t x_stride, int rows, float* y, int64_t y_stride,
                  Workspace& workspace) const;
  int64_t stack_width(const Stack& stack) const { return stack.empty() ? 1 : stack.back().dense.outputs(); }

  std::vector<Stack> input_stacks_;
  kernels::GruCell gru_;
  Stack out_stack_;
  kernels::PackedDense dense_out_;
  int64_t stacked_ = 0;  // width of the joined input stacks
};

}  // namespace ddsp
