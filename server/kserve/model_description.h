// A voice as clients of this protocol see it.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "inference/grpc_service.pb.h"
#include "inference/model_config.pb.h"
#include "server/registry/hosted_voice.h"

namespace ddsp::server::kserve {

inline constexpr char kPlatform[] = "ddsp";

// `versions`: of its model, those that serve.
inference::ModelMetadataResponse DescribeModel(HostedVoice& voice, const std::vector<std::string>& versions);

enum class Processor { kCpu, kGpu };
// `idle`: after which a sequence ends by itself.
inference::ModelConfig ConfigureModel(HostedVoice& voice, absl::Duration idle, Processor processor);

}  // namespace ddsp::server::kserve
