// The only part of the device that needs CUDA's compiler.
#pragma once

#include <cuda_runtime_api.h>

#include <vector>

#include "core/cuda/kernel.h"

namespace ddsp::cuda {

// Once for each device, before anything is captured: lets kernels use as much scratch as the device has.
cudaError_t AllowLargeScratch(size_t bytes);

// Queues the kernels, in order.
cudaError_t Launch(const std::vector<Kernel>& kernels, cudaStream_t stream);

}  // namespace ddsp::cuda
