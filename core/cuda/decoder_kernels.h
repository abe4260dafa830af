// The network of a voice as kernels: what core/streaming/decoder_step does on a CPU.
#pragma once

#include "core/cuda/program_builder.h"
#include "core/models/voice.h"

namespace ddsp::cuda {

// Adds the kernels of one frame of the decoder; returns where they write the frames, [rows, FrameLayout::size()].
WorkArray AddDecoder(const Voice& voice, ProgramBuilder& program);

}  // namespace ddsp::cuda
