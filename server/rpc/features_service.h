#pragma once

#include "absl/status/status.h"
#include "ddsp/v1/features.pb.h"
#include "server/rpc/method_table.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

// Errors: FORMAT_UNSUPPORTED, BLOCK_MALFORMED, AUDIO_NOT_FINITE, INVALID_CONFIG for the frame rate.
absl::Status ExtractFeatures(const v1::ExtractRequest& request, v1::ExtractResponse* response);

// ddsp.v1.Features, worked off in the queue, which outlives the calls.
void AddFeaturesMethods(WorkQueue& queue, MethodTable* methods);

}  // namespace ddsp::server
