// The processor graph of a voice as kernels: what core/streaming/stage_graph does on a CPU.
#pragma once

#include "absl/status/statusor.h"
#include "core/cuda/program_builder.h"
#include "core/models/voice.h"

namespace ddsp::cuda {

// Adds the kernels of a hop, from frames [rows, FrameLayout::size()]; returns where they write it, [requests, hop].
// StageGraph::Compile accepts the voice. Errors: INVALID_ARGUMENT that names the node.
absl::StatusOr<WorkArray> AddGraph(const Voice& voice, WorkArray frames, ProgramBuilder& program);

}  // namespace ddsp::cuda
