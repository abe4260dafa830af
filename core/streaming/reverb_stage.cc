// Reverb with a fixed impulse response (upstream ddsp/effects.py; FilteredNoiseReverb once its response is drawn).
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/kernels/partitioned_convolver.h"
#include "core/streaming/stream_stage.h"

namespace ddsp {
namespace {

class ReverbStage : public StreamStage {
 public:
  ReverbStage(absl::Span<const float> impulse_response, int block, kernels::ConvolverOutput output)
      : convolver_(impulse_response, block, output) {}

  int64_t memory_size() const override { return convolver_.state_size(); }
  int64_t scratch_size() const override { return convolver_.scratch_size(); }
  int64_t tail() const override { return convolver_.tail(); }
  bool is_effect() const override { return true; }

  void Step(const StageStep& step, StageMemory& memory) const override {
    convolver_.Step(step.signals[0], memory.floats.data(), step.output, step.scratch);
  }

 private:
  const kernels::PartitionedConvolver convolver_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamStage>> MakeReverbStage(const StageContext& context) {
  if (context.node.inputs_size() != 1) return absl::InvalidArgumentError("a reverb takes one signal");
  const auto weight = context.voice.weights.find(context.node.name() + "/ir");
  if (weight == context.voice.weights.end()) {
    return absl::InvalidArgumentError(absl::StrCat("weight '", context.node.name(), "/ir' is missing"));
  }
  if (weight->second.shape.size() != 1 || weight->second.values.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("weight '", context.node.name(), "/ir' is no list of samples"));
  }
  std::vector<float> impulse_response = weight->second.values;
  impulse_response[0] = 0;  // the dry signal passes beside (upstream masks the first tap)
  const auto add_dry = context.node.numbers().find("add_dry");
  const bool dry = add_dry == context.node.numbers().end() || add_dry->second != 0;
  return std::make_unique<ReverbStage>(impulse_response, context.voice.spec.hop_size(),
                                       dry ? kernels::ConvolverOutput::kDryPlusWet : kernels::ConvolverOutput::kWet);
}

}  // namespace ddsp
