// The engine behind --device=cuda:N.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

struct CudaEngineOptions {
  int device = 0;   // as CUDA numbers them
  int slots = 1;    // 1 or more
  int threads = 1;  // for features, on the CPU; 1 or more
};

// Makes the device current for this thread. Errors: FAILED_PRECONDITION (this program was built without CUDA; there is
// no such device, with what there is).
absl::Status CheckCudaDevice(int device);

// A voice with golden audio has rendered it when this returns. Errors: those of CheckCudaDevice; FAILED_PRECONDITION
// (the golden audio differs; the voice was trained on features of another extractor), INVALID_ARGUMENT (a graph that
// cannot stream), RESOURCE_EXHAUSTED (slots that do not fit the device's memory).
absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeCudaVoiceEngine(std::shared_ptr<const Voice> voice,
                                                                 const CudaEngineOptions& options);

}  // namespace ddsp
