#include "core/cuda/decoder_kernels.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace ddsp::cuda {
namespace {

// Columns of an array, or of the step's features.
struct Columns {
  WorkArray array;
  int64_t first = 0, stride = 0;

  float* in(const StepMemory& memory) const { return array.in(memory) + first; }
};

class DecoderBuilder {
 public:
  DecoderBuilder(const Voice& voice, ProgramBuilder& program)
      : voice_(voice), spec_(voice.spec.decoder()), program_(program) {}

  WorkArray Build() {
    const int inputs = spec_.input_keys_size(), units = spec_.rnn_channels(), layers = spec_.layers_per_stack();
    const int input_width = layers > 0 ? spec_.channels() : 1, stacked = inputs * input_width;
    const Columns joined = Array(stacked + units), state = Array(units);
    int outputs = 0;
    for (const auto& split : spec_.output_splits()) outputs += split.size();
    const Columns frames = Array(outputs + 1);
    const int64_t slot_state = program_.AddSlotFloats(units);

    AddGather(slot_state, units, state, frames);
    for (int i = 0; i < inputs; ++i) AddInput(i, {joined.array, i * input_width, joined.stride});
    AddGru(joined, stacked, state, slot_state);
    if (layers == 0) {
      AddDense("decoder/dense_out", joined, frames);
    } else {
      const Columns hidden = Array(spec_.channels());
      AddStack("decoder/out_stack", joined, hidden);
      AddDense("decoder/dense_out", hidden, frames);
    }
    return frames.array;
  }

 private:
  Columns Array(int64_t width) { return {program_.AddWork(width), 0, width}; }

  int64_t Constants(const std::string& name) { return program_.AddConstants(voice_.weights.at(name).values); }

  void AddGather(int64_t slot_state, int units, const Columns& state, const Columns& frames) {
    program_.AddFrameKernel([=](const StepMemory& memory, int max_rows, int) -> Kernel {
      return GatherKernel{.memory = memory,
                          .slot_state = slot_state,
                          .units = units,
                          .state = state.in(memory),
                          .frames = frames.in(memory),
                          .frame_width = static_cast<int>(frames.stride),
                          .max_rows = max_rows};
    });
  }

  // `x` gives the first row's first value.
  template <class X>
  void AddProduct(int64_t kernel, int64_t bias, int inputs, int outputs, X x, int64_t x_stride, const Columns& y) {
    program_.AddFrameKernel([=](const StepMemory& memory, int max_rows, int) -> Kernel {
      return DenseKernel{.x = x(memory),
                         .x_stride = x_stride,
                         .kernel = memory.constants + kernel,
                         .bias = memory.constants + bias,
                         .y = y.in(memory),
                         .y_stride = y.stride,
                         .inputs = inputs,
                         .outputs = outputs,
                         .counts = memory.input.counts,
                         .max_rows = max_rows};
    });
  }

  void AddDense(const std::string& path, const Columns& x, const Columns& y) {
    const Weight& kernel = voice_.weights.at(path + "/kernel");
    AddProduct(
        Constants(path + "/kernel"), Constants(path + "/bias"), static_cast<int>(kernel.shape[0]),
        static_cast<int>(kernel.shape[1]), [x](const StepMemory& memory) { return x.in(memory); }, x.stride, y);
  }

  // The stack of one feature, into columns of the joined array.
  void AddInput(int i, const Columns& y) {
    const int inputs = spec_.input_keys_size();
    const auto feature = [i](const StepMemory& memory) { return memory.input.features + i; };
    if (spec_.layers_per_stack() == 0) {  // the feature itself
      AddProduct(program_.AddConstants({1.0f}), program_.AddConstants({0.0f}), 1, 1, feature, inputs, y);
      return;
    }
    const std::string path = absl::StrCat("decoder/input_stacks/", i), first = Layer(path, 0);
    const Columns dense = Array(spec_.channels());
    AddProduct(Constants(first + "0/kernel"), Constants(first + "0/bias"), 1, spec_.channels(), feature, inputs, dense);
    AddRestOfStack(path, dense, y);
  }

  void AddStack(const std::string& path, const Columns& x, const Columns& y) {
    const Columns dense = Array(spec_.channels());
    AddDense(Layer(path, 0) + "0", x, dense);
    AddRestOfStack(path, dense, y);
  }

  // From the first layer's product on.
  void AddRestOfStack(const std::string& path, const Columns& dense, const Columns& y) {
    const Columns between = Array(spec_.channels());
    for (int i = 0; i < spec_.layers_per_stack(); ++i) {
      if (i > 0) AddDense(Layer(path, i) + "0", between, dense);
      const bool last = i + 1 == spec_.layers_per_stack();
      AddLayerNorm(Layer(path, i) + "1", dense, last ? y : between);
    }
  }

  static std::string Layer(const std::string& path, int i) {
    return absl::StrCat(path, "/layer_with_weights-", i, "/layer_with_weights-");
  }

  void AddLayerNorm(const std::string& path, const Columns& x, const Columns& y) {
    const int64_t gamma = Constants(path + "/gamma"), beta = Constants(path + "/beta");
    program_.AddFrameKernel([=](const StepMemory& memory, int max_rows, int) -> Kernel {
      return LayerNormKernel{.x = x.in(memory),
                             .gamma = memory.constants + gamma,
                             .beta = memory.constants + beta,
                             .y = y.in(memory),
                             .y_stride = y.stride,
                             .width = static_cast<int>(x.stride),
                             .counts = memory.input.counts,
                             .max_rows = max_rows};
    });
  }

  // The new state goes to the columns of `joined` after the `stacked` that are its input.
  void AddGru(const Columns& joined, int stacked, const Columns& state, int64_t slot_state) {
    const std::string path = "decoder/rnn/rnn/cell/";
    const int units = spec_.rnn_channels();
    const Columns a = Array(3 * units), b = Array(3 * units);
    const int64_t bias = Constants(path + "bias");
    AddProduct(
        Constants(path + "kernel"), bias, stacked, 3 * units,
        [joined](const StepMemory& memory) { return joined.in(memory); }, joined.stride, a);
    AddProduct(
        Constants(path + "recurrent_kernel"), bias + 3 * units, units, 3 * units,
        [state](const StepMemory& memory) { return state.in(memory); }, state.stride, b);
    program_.AddFrameKernel([=](const StepMemory& memory, int max_rows, int) -> Kernel {
      return GruGatesKernel{.memory = memory,
                            .a = a.in(memory),
                            .b = b.in(memory),
                            .state = state.in(memory),
                            .output = joined.in(memory) + stacked,
                            .output_stride = joined.stride,
                            .slot_state = slot_state,
                            .units = units,
                            .max_rows = max_rows};
    });
  }

  const Voice& voice_;
  const v1::DecoderSpec& spec_;
  ProgramBuilder& program_;
};

}  // namespace

WorkArray AddDecoder(const Voice& voice, ProgramBuilder& program) { return DecoderBuilder(voice, program).Build(); }

}  // namespace ddsp::cuda
