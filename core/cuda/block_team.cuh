// A team (device_code.h) that is the threads of a block on a GPU. Blocks are whole warps.
#pragma once

#include <cuda_runtime.h>

namespace ddsp::cuda {

class BlockTeam {
 public:
  // The registers of this thread, under the interface of an array over all threads.
  template <class T>
  struct Registers {
    T value;
    __device__ T& operator[](int) { return value; }
  };

  // `scratch` lies in shared memory.
  __device__ explicit BlockTeam(float* scratch) : scratch_(scratch) {}

  __device__ float* scratch() const { return scratch_; }

  template <class T>
  __device__ Registers<T> PerThread() const {
    return {};
  }

  template <class Body>
  __device__ void ForEach(int count, Body body) const {
    for (int i = threadIdx.x; i < count; i += blockDim.x) body(i);
    __syncthreads();
  }

  template <class Term>
  __device__ float Sum(int count, Term term) const {
    constexpr int kWarp = 32;
    __shared__ float of_warp[kWarp];
    float sum = 0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) sum += term(i);
    sum = SumOfWarp(sum);
    if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = sum;
    __syncthreads();
    sum = 0;
    for (int warp = 0; warp < blockDim.x / kWarp; ++warp) sum += of_warp[warp];
    __syncthreads();  // before of_warp is written again
    return sum;
  }

 private:
  static __device__ float SumOfWarp(float sum) {
    for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, distance);
    return sum;
  }

  float* scratch_;
};

}  // namespace ddsp::cuda
