// FilteredNoise (upstream ddsp/synths.py) with window_size 0, streamed by overlap-add.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/kernels/activations.h"
#include "core/kernels/noise.h"
#include "core/kernels/noise_filter.h"
#include "core/streaming/stream_stage.h"

namespace ddsp {
namespace {

class FilteredNoiseStage : public StreamStage {
 public:
  FilteredNoiseStage(int hop, ControlSlice magnitudes, float initial_bias)
      : filter_(magnitudes.size, hop), magnitudes_(magnitudes.offset), initial_bias_(initial_bias) {}

  int64_t memory_size() const override { return filter_.state_size(); }
  int64_t scratch_size() const override { return filter_.bands() + 2 * filter_.hop() + filter_.scratch_size(); }
  bool is_effect() const override { return false; }

  // Frame t filters the noise after it; the compensated delay makes what lies before it complete now.
  void Step(const StageStep& step, StageMemory& memory) const override {
    float* magnitudes = step.scratch;
    float* noise = magnitudes + filter_.bands();
    float* before_start = noise + filter_.hop();
    float* scratch = before_start + filter_.hop();
    kernels::BiasedExpSigmoid(FrameInForce(step.control.sections) + magnitudes_, initial_bias_, filter_.bands(),
                              magnitudes);
    const int64_t frame = step.control.frame_index;
    kernels::UniformNoise(step.seed, frame * filter_.hop(), absl::MakeSpan(noise, filter_.hop()));
    filter_.Step(magnitudes, noise, memory.floats.data(), frame > 0 ? step.output : before_start, scratch);
  }

 private:
  // The filter has no phase: noise sounds from half its length before its frame on. Parameters that change later
  // than that wait for the next frame, so that nothing is heard of them before their time.
  const float* FrameInForce(absl::Span<const FrameSection> sections) const {
    const int first_heard = filter_.hop() - filter_.taps() / 2;
    for (const FrameSection& section : sections) {
      if (section.end > first_heard) return section.frame;
    }
    return sections.back().frame;
  }

  const kernels::NoiseFilter filter_;
  const int magnitudes_;
  const float initial_bias_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamStage>> MakeFilteredNoiseStage(const StageContext& context) {
  if (context.node.inputs_size() != 1) return absl::InvalidArgumentError("FilteredNoise takes magnitudes");
  ASSIGN_OR_RETURN(const ControlSlice magnitudes, context.layout.Find(context.node.inputs(0)));
  if (magnitudes.size < 3)
    return absl::InvalidArgumentError(absl::StrCat("FilteredNoise needs 3 bands, not ", magnitudes.size));
  const int hop = context.voice.decoder_hop();
  if (magnitudes.size - 2 > hop) {
    return absl::InvalidArgumentError(
        absl::StrCat(magnitudes.size, " bands make a filter whose delay exceeds the hop of ", hop, " samples"));
  }
  const auto number = [&](const char* key, double absent) {
    const auto found = context.node.numbers().find(key);
    return found == context.node.numbers().end() ? absent : found->second;
  };
  if (number("window_size", 257) != 0 && number("window_size", 257) < 2 * (magnitudes.size - 1)) {
    return absl::InvalidArgumentError("a window shorter than the impulse response cannot stream yet");
  }
  return std::make_unique<FilteredNoiseStage>(hop, magnitudes, static_cast<float>(number("initial_bias", -5)));
}

}  // namespace ddsp
