// Arrays of plain values that CUDA allocates: on the device, or pinned on the host for transfers that need no copy.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace ddsp::cuda {

// OK, or UNAVAILABLE with the call and CUDA's words.
inline absl::Status ToStatus(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(call, ": ", cudaGetErrorString(error)));
}

enum class Place { kDevice, kPinned };

// Zeroed at first. The device on which it was made must be current when it goes.
template <class T, Place kPlace>
class CudaArray {
 public:
  CudaArray() = default;
  CudaArray(CudaArray&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  CudaArray& operator=(CudaArray&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~CudaArray() {
    if (data_ != nullptr) kPlace == Place::kDevice ? cudaFree(data_) : cudaFreeHost(data_);
  }

  static absl::StatusOr<CudaArray> Make(size_t count) {
    CudaArray array;
    const size_t bytes = count * sizeof(T);
    void** data = reinterpret_cast<void**>(&array.data_);
    const cudaError_t made = kPlace == Place::kDevice ? cudaMalloc(data, bytes) : cudaMallocHost(data, bytes);
    if (made != cudaSuccess) {
      return absl::ResourceExhaustedError(absl::StrCat(
          bytes, " bytes of ", kPlace == Place::kDevice ? "device" : "pinned", " memory: ", cudaGetErrorString(made)));
    }
    if (kPlace == Place::kPinned) {
      std::memset(array.data_, 0, bytes);
    } else if (const cudaError_t zeroed = cudaMemset(array.data_, 0, bytes); zeroed != cudaSuccess) {
      return ToStatus(zeroed, "cudaMemset");
    }
    return array;
  }

  T* get() const { return data_; }

 private:
  T* data_ = nullptr;
};

}  // namespace ddsp::cuda
