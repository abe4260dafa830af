// Messages of a client of the Open Inference Protocol, in few words.
#pragma once

#include <string>

#include "absl/types/span.h"
#include "inference/grpc_service.pb.h"

namespace ddsp::soak {

enum class Part { kStart, kMiddle, kEnd };

// A recording of its own.
inference::ModelInferRequest Infer(const std::string& voice, absl::Span<const float> audio);
inference::ModelInferRequest InferPart(const std::string& voice, int64_t sequence, Part part,
                                       absl::Span<const float> audio);
int64_t SamplesOf(const inference::ModelInferResponse& response);

}  // namespace ddsp::soak
