#include "core/cuda/graph_kernels.h"

#include <cmath>
#include <map>
#include <numbers>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/cuda/response_spectra.h"
#include "core/streaming/frame_layout.h"

namespace ddsp::cuda {
namespace {

using Node = v1::GraphSpec::Node;

double Number(const Node& node, const char* key, double absent) {
  const auto found = node.numbers().find(key);
  return found == node.numbers().end() ? absent : found->second;
}

// Share of the later frame at each sample between two (core/kernels/harmonic_bank.h).
std::vector<float> AmplitudeRamp(const Node& node, int hop) {
  const auto method = node.texts().find("amp_resample_method");
  const bool linear = method != node.texts().end() && method->second == "linear";
  std::vector<float> ramp;
  for (int m = 0; m < hop; ++m) {
    const double along = static_cast<double>(m) / hop;
    ramp.push_back(static_cast<float>(linear ? along : 0.5 - 0.5 * std::cos(std::numbers::pi * along)));
  }
  return ramp;
}

// The filter taps that each band of a noise filter makes alone, [bands, taps] (core/kernels/noise_filter.h).
std::vector<float> NoiseFilterDesign(int bands) {
  const int taps = 2 * (bands - 1);
  std::vector<float> design;
  for (int k = 0; k < bands; ++k) {
    const double share = (k == 0 || k == bands - 1 ? 1.0 : 2.0) / taps;  // inner bins stand for two of the spectrum
    for (int i = 0; i < taps; ++i) {
      const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / taps);
      design.push_back(static_cast<float>(window * share * std::cos(2 * std::numbers::pi * k * (i - taps / 2) / taps)));
    }
  }
  return design;
}

class GraphBuilder {
 public:
  GraphBuilder(const Voice& voice, WorkArray frames, ProgramBuilder& program)
      : voice_(voice), hop_(voice.spec.hop_size()), layout_(voice.spec.decoder()), frames_(frames), program_(program) {}

  absl::StatusOr<WorkArray> Build() {
    WorkArray last;
    for (const Node& node : voice_.spec.graph().nodes()) {
      absl::StatusOr<WorkArray> signal = AddNode(node);
      if (!signal.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(voice_.id(), ": node '", node.name(), "': ", signal.status().message()));
      }
      last = signals_[node.name()] = *signal;
    }
    return last;
  }

 private:
  absl::StatusOr<WorkArray> AddNode(const Node& node) {
    if (node.type() == "Harmonic") return AddHarmonic(node);
    if (node.type() == "FilteredNoise") return AddFilteredNoise(node);
    if (node.type() == "Add") return AddSum(node);
    if (node.type() == "Crop") return Signal(node, 0);  // what it removes is never made
    if (node.type() == "Reverb" || node.type() == "FilteredNoiseReverb") return AddReverb(node);
    return absl::InvalidArgumentError(absl::StrCat("processor '", node.type(), "' has no kernel for the GPU"));
  }

  WorkArray Signal(const Node& node, int input) const {
    return signals_.at(std::string(absl::StripSuffix(node.inputs(input), "/signal")));
  }

  absl::StatusOr<WorkArray> AddHarmonic(const Node& node) {
    ASSIGN_OR_RETURN(const ControlSlice amplitude, layout_.Find(node.inputs(0)));
    ASSIGN_OR_RETURN(const ControlSlice distribution, layout_.Find(node.inputs(1)));
    ASSIGN_OR_RETURN(const ControlSlice f0, layout_.Find(node.inputs(2)));
    const WorkArray output = program_.AddWork(hop_), frames = frames_;
    const int64_t ramp = program_.AddConstants(AmplitudeRamp(node, voice_.decoder_hop()));
    const int64_t phase = program_.AddSlotFloats(2), previous = program_.AddSlotFloats(1 + distribution.size);
    const int frame_width = layout_.size(), hop = hop_, frame_hop = voice_.decoder_hop();
    const double rate = voice_.spec.sample_rate_hz();
    program_.AddFrameKernel([=](const StepMemory& memory, int max_rows, int frame) -> Kernel {
      return HarmonicKernel{.memory = memory,
                            .frames = frames.in(memory),
                            .frame_width = frame_width,
                            .amplitude = amplitude.offset,
                            .distribution = distribution.offset,
                            .f0 = f0.offset,
                            .sample_rate_hz = rate,
                            .hop = frame_hop,
                            .harmonics = distribution.size,
                            .ramp = memory.constants + ramp,
                            .slot_phase = phase,
                            .slot_previous = previous,
                            .output = output.in(memory) + frame * frame_hop,
                            .output_stride = hop,
                            .max_rows = max_rows};
    });
    return output;
  }

  absl::StatusOr<WorkArray> AddFilteredNoise(const Node& node) {
    ASSIGN_OR_RETURN(const ControlSlice magnitudes, layout_.Find(node.inputs(0)));
    const WorkArray output = program_.AddWork(hop_), frames = frames_;
    const int64_t design = program_.AddConstants(NoiseFilterDesign(magnitudes.size));
    const int64_t tail =
        program_.AddSlotFloats(NoiseKernel{.bands = magnitudes.size, .hop = voice_.decoder_hop()}.tail());
    const int frame_width = layout_.size(), hop = hop_, frame_hop = voice_.decoder_hop();
    const float initial_bias = static_cast<float>(Number(node, "initial_bias", -5));
    program_.AddFrameKernel([=](const StepMemory& memory, int max_rows, int frame) -> Kernel {
      return NoiseKernel{.memory = memory,
                         .frames = frames.in(memory),
                         .frame_width = frame_width,
                         .magnitudes = magnitudes.offset,
                         .initial_bias = initial_bias,
                         .bands = magnitudes.size,
                         .hop = frame_hop,
                         .design = memory.constants + design,
                         .slot_tail = tail,
                         .output = output.in(memory) + frame * frame_hop,
                         .output_stride = hop,
                         .max_rows = max_rows};
    });
    return output;
  }

  absl::StatusOr<WorkArray> AddSum(const Node& node) {
    const WorkArray a = Signal(node, 0), b = Signal(node, 1), output = program_.AddWork(hop_);
    const int hop = hop_;
    program_.AddHopKernel([=](const StepMemory& memory, int max_rows) -> Kernel {
      return AddKernel{.memory = memory,
                       .a = a.in(memory),
                       .b = b.in(memory),
                       .output = output.in(memory),
                       .hop = hop,
                       .max_rows = max_rows};
    });
    return output;
  }

  absl::StatusOr<WorkArray> AddReverb(const Node& node) {
    std::vector<float> response = voice_.weights.at(node.name() + "/ir").values;
    response[0] = 0;  // the dry signal passes beside (upstream masks the first tap)
    ReverbKernel kernel{.hop = hop_,
                        .frames_per_hop = voice_.decoder_frames_per_hop(),
                        .dry = Number(node, "add_dry", 1) != 0 ? 1.0f : 0.0f};
    ASSIGN_OR_RETURN(kernel.fft, PlanFft(hop_));
    const std::vector<float> spectra = ResponseSpectra(response, hop_);
    kernel.partitions = static_cast<int>(spectra.size() / 2 / (hop_ + 1));
    kernel.slot_previous = program_.AddSlotFloats(hop_);
    kernel.slot_ring = program_.AddSlotFloats(static_cast<int64_t>(spectra.size()));
    const int64_t response_at = program_.AddConstants(spectra), roots_at = program_.AddConstants(FftRoots(hop_));
    const WorkArray input = Signal(node, 0), output = program_.AddWork(hop_);
    program_.AddHopKernel([=](const StepMemory& memory, int max_rows) -> Kernel {
      ReverbKernel placed = kernel;
      placed.memory = memory;
      placed.input = input.in(memory);
      placed.output = output.in(memory);
      placed.response = reinterpret_cast<const Complex*>(memory.constants + response_at);
      placed.fft.roots = reinterpret_cast<const Complex*>(memory.constants + roots_at);
      placed.max_rows = max_rows;
      return placed;
    });
    return output;
  }

  const Voice& voice_;
  const int hop_;
  const FrameLayout layout_;
  const WorkArray frames_;
  ProgramBuilder& program_;
  std::map<std::string, WorkArray> signals_;
};

}  // namespace

absl::StatusOr<WorkArray> AddGraph(const Voice& voice, WorkArray frames, ProgramBuilder& program) {
  return GraphBuilder(voice, frames, program).Build();
}

}  // namespace ddsp::cuda
