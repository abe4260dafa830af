#include "core/cuda/voice_program.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cuda/decoder_kernels.h"
#include "core/cuda/graph_kernels.h"
#include "core/streaming/stage_graph.h"

namespace ddsp::cuda {

absl::StatusOr<VoiceProgram> VoiceProgram::Compile(const Voice& voice) {
  // The CPU's form of the graph knows what is wrong with one, and how long it rings.
  absl::StatusOr<StageGraph> graph = StageGraph::Compile(voice, FrameLayout(voice.spec.decoder()));
  if (!graph.ok()) return absl::InvalidArgumentError(absl::StrCat(voice.id(), ": ", graph.status().message()));
  VoiceProgram program;
  program.hop_ = voice.spec.hop_size();
  program.frames_per_hop_ = voice.decoder_frames_per_hop();
  program.inputs_ = voice.spec.decoder().input_keys_size();
  program.tail_ = graph->tail();
  const WorkArray frames = AddDecoder(voice, program.parts_);
  ASSIGN_OR_RETURN(program.audio_, AddGraph(voice, frames, program.parts_));
  return program;
}

std::vector<Kernel> VoiceProgram::Kernels(StepMemory memory, const StepInput& input) const {
  std::vector<Kernel> kernels;
  for (int frame = 0; frame < frames_per_hop_; ++frame) {
    memory.input = input.frame(frame);
    for (const FrameKernelMaker& maker : parts_.frame_makers()) kernels.push_back(maker(memory, input.rows, frame));
  }
  for (const KernelMaker& maker : parts_.hop_makers()) kernels.push_back(maker(memory, input.rows));
  return kernels;
}

}  // namespace ddsp::cuda
