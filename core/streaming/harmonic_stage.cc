// Harmonic (upstream ddsp/synths.py), streamed: between two frames the amplitudes are linear, f0 is linear, and one
// phase runs through for ever.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/kernels/harmonic_bank.h"
#include "core/kernels/harmonic_controls.h"
#include "core/streaming/stream_stage.h"

namespace ddsp {
namespace {

class HarmonicStage : public StreamStage {
 public:
  HarmonicStage(const kernels::HarmonicBank::Options& options, ControlSlice amplitude, ControlSlice distribution,
                ControlSlice f0)
      : bank_(options), amplitude_(amplitude.offset), distribution_(distribution.offset), f0_(f0.offset) {}

  // [f0, amplitudes] of the frame at the start of the hop.
  int64_t memory_size() const override { return 1 + harmonics(); }
  // Controls of a section's frame and the hop that it would give.
  int64_t scratch_size() const override { return 2 * (1 + harmonics()) + hop(); }
  bool is_effect() const override { return false; }

  void Step(const StageStep& step, StageMemory& memory) const override {
    float* previous = memory.floats.data();
    float* current = step.scratch;
    const absl::Span<const FrameSection> sections = step.control.sections;
    Controls(sections.front().frame, current);
    if (step.control.frame_index > 0) {
      if (sections.size() == 1) {
        bank_.Hop(Frame(previous), Frame(current), memory.phase, step.output);
      } else {
        StepSections(step, previous, current, memory.phase);
      }
    }
    Controls(sections.back().frame, previous);
  }

 private:
  int harmonics() const { return bank_.options().harmonics; }
  int hop() const { return bank_.options().hop; }

  static kernels::HarmonicFrame Frame(const float* controls) { return {controls[0], controls + 1}; }

  void Controls(const float* frame, float* controls) const {
    controls[0] = frame[f0_];
    kernels::HarmonicControls(frame[amplitude_], frame + distribution_, harmonics(), controls[0],
                              static_cast<float>(bank_.options().sample_rate_hz), controls + 1);
  }

  // A change of parameters inside the hop: up to it the hop goes on towards its old end. From it on the pitch follows
  // the new one, in phase with the old, and the amplitudes are at once those of the new frame.
  void StepSections(const StageStep& step, const float* previous, float* current, double& phase) const {
    float* from = current + 1 + harmonics();
    float* hop_audio = from + 1 + harmonics();
    const float first_f0 = current[0], start_f0 = previous[0];
    double at_section = phase;  // phase at the end of what is written
    int begin = 0;
    for (const FrameSection& section : step.control.sections) {
      const bool changed = &section != &step.control.sections.front();
      if (changed) Controls(section.frame, current);
      std::copy_n(changed ? current : previous, 1 + harmonics(), from);
      from[0] = changed ? start_f0 * current[0] / first_f0 : start_f0;
      double running = at_section - Advance(from[0], current[0], begin);
      running -= std::floor(running);
      bank_.Hop(Frame(from), Frame(current), running, hop_audio);
      std::copy(hop_audio + begin, hop_audio + section.end, step.output + begin);
      at_section += Advance(from[0], current[0], section.end) - Advance(from[0], current[0], begin);
      begin = section.end;
    }
    phase = at_section - std::floor(at_section);
  }

  // Cycles that a ramp of f0 makes in the first `samples` of a hop.
  double Advance(double from_hz, double to_hz, int samples) const {
    const double ramp = (to_hz - from_hz) * (0.5 * samples * (samples - 1)) / hop();
    return (from_hz * samples + ramp) / bank_.options().sample_rate_hz;
  }

  const kernels::HarmonicBank bank_;
  const int amplitude_, distribution_, f0_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamStage>> MakeHarmonicStage(const StageContext& context) {
  if (context.node.inputs_size() != 3)
    return absl::InvalidArgumentError("Harmonic takes amplitudes, harmonic_distribution, f0_hz");
  ASSIGN_OR_RETURN(const ControlSlice amplitude, context.layout.Find(context.node.inputs(0)));
  ASSIGN_OR_RETURN(const ControlSlice distribution, context.layout.Find(context.node.inputs(1)));
  ASSIGN_OR_RETURN(const ControlSlice f0, context.layout.Find(context.node.inputs(2)));
  kernels::HarmonicBank::Options options;
  options.sample_rate_hz = context.voice.spec.sample_rate_hz();
  options.hop = context.voice.decoder_hop();
  options.harmonics = distribution.size;
  const auto method = context.node.texts().find("amp_resample_method");
  if (method != context.node.texts().end() && method->second == "linear") {
    options.ramp = kernels::AmplitudeRamp::kLinear;
  } else if (method == context.node.texts().end() || method->second == "window") {
    options.ramp = kernels::AmplitudeRamp::kHann;
  } else {
    return absl::InvalidArgumentError(absl::StrCat("amp_resample_method '", method->second, "' cannot stream"));
  }
  return std::make_unique<HarmonicStage>(options, amplitude, distribution, f0);
}

}  // namespace ddsp
