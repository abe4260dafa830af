// Reverb with a fixed impulse response (upstream ddsp/effects.py; FilteredNoiseReverb once its response is drawn).
#include <algorithm>
#include <array>
#include <vector>

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
    if (!memory.history.empty()) Remember(step.signals[0], memory.history);
    convolver_.Step(step.signals[0], memory.floats.data(), step.output, step.scratch);
  }

  // Its memory is spectra, each sample in several: the samples are less than half of it.
  int64_t history_size() const override { return kHeader + blocks() * convolver_.block(); }

  void Save(const StageMemory& memory, StateWriter& writer) const override {
    const float* cursors = memory.floats.data();
    const auto next = static_cast<int64_t>(memory.history[0]), known = static_cast<int64_t>(memory.history[1]);
    const int64_t count = std::min(known, convolver_.replay_blocks(cursors));
    writer.Floats({cursors, kCursors});
    writer.Int(count);
    for (int64_t i = count; i > 0; --i) {
      const int64_t at = (next - i + blocks()) % blocks();
      writer.Floats(memory.history.subspan(kHeader + at * convolver_.block(), convolver_.block()));
    }
  }

  void Restore(StateReader& reader, StageMemory& memory) const override {
    std::array<float, kCursors> cursors;
    reader.Floats(absl::MakeSpan(cursors));
    const int64_t needed = convolver_.replay_blocks(cursors.data());
    const int64_t count = reader.Int(0, needed);
    float* state = memory.floats.data();
    if (count == needed) {
      const std::array<float, kCursors> rewound = convolver_.Rewind(cursors.data());
      std::copy(rewound.begin(), rewound.end(), state);
    }
    std::vector<float> block(convolver_.block()), scratch(convolver_.scratch_size());
    for (int64_t i = 0; i < count && reader.ok(); ++i) {
      reader.Floats(absl::MakeSpan(block));
      Remember(block.data(), memory.history);
      convolver_.Step(block.data(), state, block.data(), scratch.data());
    }
    if (!std::equal(cursors.begin(), cursors.end(), state)) reader.Fail("the reverb stands elsewhere");
  }

 private:
  static constexpr int kCursors = kernels::PartitionedConvolver::kCursors;
  // The history is a ring of input blocks, after the place of the next and how many there are.
  static constexpr int kHeader = 2;

  int64_t blocks() const { return convolver_.most_replay_blocks(); }

  void Remember(const float* block, absl::Span<float> history) const {
    const auto next = static_cast<int64_t>(history[0]);
    std::copy_n(block, convolver_.block(), history.begin() + kHeader + next * convolver_.block());
    history[0] = static_cast<float>((next + 1) % blocks());
    history[1] = std::min(history[1] + 1, static_cast<float>(blocks()));
  }

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
  const int hop = context.voice.spec.hop_size();
  if (!kernels::PartitionedConvolver::Supports(hop)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a reverb needs a hop with no prime factor above 5, not of ", hop, " samples"));
  }
  std::vector<float> impulse_response = weight->second.values;
  impulse_response[0] = 0;  // the dry signal passes beside (upstream masks the first tap)
  const auto add_dry = context.node.numbers().find("add_dry");
  const bool dry = add_dry == context.node.numbers().end() || add_dry->second != 0;
  return std::make_unique<ReverbStage>(impulse_response, hop,
                                       dry ? kernels::ConvolverOutput::kDryPlusWet : kernels::ConvolverOutput::kWet);
}

}  // namespace ddsp
