// One frame of an RnnFcDecoder for any number of streams: the form of core/nn/rnn_fc_decoder that serves.
//
// Rows are independent to the bit: a row's result does not depend on how many others are stepped with it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/kernels/dense_layer.h"
#include "core/kernels/gru.h"
#include "core/models/voice.h"

namespace ddsp {

class DecoderStep {
 public:
  // The voice is valid (ValidateVoice); its weights are packed here and not needed afterwards.
  explicit DecoderStep(const Voice& voice);

  // Rows that go through a layer together: enough to reuse a weight while it is in the cache, few enough for the rest
  // to stay.
  static constexpr int kBlockRows = 64;

  int inputs() const { return static_cast<int>(input_stacks_.size()); }
  int outputs() const { return static_cast<int>(dense_out_.outputs()); }
  int state_size() const { return static_cast<int>(gru_.units()); }

  // Buffers of one step, made once.
  struct Workspace {
    std::vector<float> layer, output;  // [kBlockRows, widest layer]
    std::vector<float> joined;         // [rows, stacks and state]: what the output stack is given
    std::vector<float> gates;          // [rows, 3 state_size()]
    std::vector<float> scratch;        // of a layer
  };
  Workspace MakeWorkspace(int max_rows) const;

  // A step in three parts. Frames of one stream that are known at once share the first and the last, so that their
  // weights are read once; Advance() goes from frame to frame.
  //
  // features [rows, inputs()], contiguous; rows <= max_rows of the workspace.
  void Listen(const float* features, int rows, Workspace& workspace) const;
  // Rows [first, first + rows) of those listened to, at most kBlockRows; state [rows, state_size()] is replaced.
  void Advance(int first, int rows, float* state, Workspace& workspace) const;
  // Of all rows listened to, each advanced since: writes row r's controls, outputs() floats, at outputs + r *
  // outputs_stride.
  void Speak(int rows, float* outputs, int64_t outputs_stride, Workspace& workspace) const;

 private:
  struct Layer {
    kernels::DenseLayer dense;
    std::vector<float> gamma, beta;
  };
  using Stack = std::vector<Layer>;

  static Stack MakeStack(const Voice& voice, const std::string& path, int64_t inputs);
  // rows <= kBlockRows. Writes the last layer's rows at y + r * y_stride.
  void ApplyStack(const Stack& stack, const float* x, int64_t x_stride, int rows, float* y, int64_t y_stride,
                  Workspace& workspace) const;
  int64_t stack_width(const Stack& stack) const { return stack.empty() ? 1 : stack.back().dense.outputs(); }

  std::vector<Stack> input_stacks_;
  kernels::GruCell gru_;
  Stack out_stack_;
  kernels::DenseLayer dense_out_;  // in float32 always: its outputs are levels on a logarithmic scale
  int64_t stacked_ = 0;            // width of the joined input stacks
  int64_t joined_width() const { return stacked_ + gru_.units(); }
};

}  // namespace ddsp
