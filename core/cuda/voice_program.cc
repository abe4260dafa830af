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
  if (voice.decoder_frames_per_hop() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(voice.id(), ": several frames of controls in a hop have no kernels yet"));
  }
  VoiceProgram program;
  program.hop_ = voice.spec.hop_size();
  program.inputs_ = voice.spec.decoder().input_keys_size();
  program.tail_ = graph->tail();
  const WorkArray frames = AddDecoder(voice, program.parts_);
  ASSIGN_OR_RETURN(program.audio_, AddGraph(voice, frames, program.parts_));
  return program;
}

std::vector<Kernel> VoiceProgram::Kernels(const StepMemory& memory, int max_rows) const {
  std::vector<Kernel> kernels;
  for (const KernelMaker& maker : parts_.makers()) kernels.push_back(maker(memory, max_rows));
  return kernels;
}

}  // namespace ddsp::cuda
