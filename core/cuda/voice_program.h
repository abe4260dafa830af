// A voice compiled to the kernels of a step: decoder and graph. The decoder computes in float32, which the faster
// arithmetic that a voice may ask for on CPUs approximates.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/cuda/program_builder.h"
#include "core/models/voice.h"

namespace ddsp::cuda {

class VoiceProgram {
 public:
  // The voice is valid. Errors: those of StageGraph::Compile, which name the node; INVALID_ARGUMENT too when a hop
  // cannot be transformed.
  static absl::StatusOr<VoiceProgram> Compile(const Voice& voice);

  int hop() const { return hop_; }                        // samples
  int frames_per_hop() const { return frames_per_hop_; }  // of controls
  int inputs() const { return inputs_; }                  // features of a row
  int64_t tail() const { return tail_; }                  // samples that ring on after the input

  const std::vector<float>& constants() const { return parts_.constants(); }
  int64_t slot_floats() const { return parts_.slot_floats(); }
  int64_t work_floats() const { return parts_.work_floats(); }  // of a row

  size_t InputBytes(int rows) const { return frames_per_hop_ * StepInput::FrameBytes(rows, inputs_); }

  // The kernels of a step of at most `input.rows` rows, in order: those of each frame of controls in turn, then the
  // effects of the hop.
  std::vector<Kernel> Kernels(StepMemory memory, const StepInput& input) const;
  // Where they leave the audio, [requests, hop].
  const float* Audio(const StepMemory& memory) const { return audio_.in(memory); }

 private:
  VoiceProgram() = default;

  ProgramBuilder parts_;
  WorkArray audio_;
  int hop_ = 0, frames_per_hop_ = 0, inputs_ = 0;
  int64_t tail_ = 0;
};

}  // namespace ddsp::cuda
