#include <type_traits>
#include <variant>

#include "core/cuda/block_team.cuh"
#include "core/cuda/launch.h"

namespace ddsp::cuda {
namespace {

template <class K>
__global__ void __launch_bounds__(K::kThreads) Run(const __grid_constant__ K kernel) {
  extern __shared__ float4 scratch[];
  BlockTeam team(reinterpret_cast<float*>(scratch));
  kernel(team, blockIdx.x);
}

template <class K>
cudaError_t AllowScratch(size_t bytes) {
  return cudaFuncSetAttribute(Run<K>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
}

template <class... Kernels>
cudaError_t AllowScratchOfAll(size_t bytes, const std::variant<Kernels...>*) {
  cudaError_t error = cudaSuccess;
  ((error = error == cudaSuccess ? AllowScratch<Kernels>(bytes) : error), ...);
  return error;
}

}  // namespace

cudaError_t AllowLargeScratch(size_t bytes) { return AllowScratchOfAll(bytes, static_cast<const Kernel*>(nullptr)); }

cudaError_t Launch(const std::vector<Kernel>& kernels, cudaStream_t stream) {
  for (const Kernel& kernel : kernels) {
    std::visit(
        [&](const auto& k) {
          using K = std::decay_t<decltype(k)>;
          Run<K><<<k.blocks(), K::kThreads, k.scratch_floats() * sizeof(float), stream>>>(k);
        },
        kernel);
  }
  return cudaGetLastError();
}

}  // namespace ddsp::cuda
