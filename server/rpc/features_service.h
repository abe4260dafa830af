#pragma once

#include "absl/status/status.h"
#include "ddsp/v1/features.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

// Errors: FORMAT_UNSUPPORTED, BLOCK_MALFORMED, AUDIO_NOT_FINITE, INVALID_CONFIG for the frame rate.
absl::Status ExtractFeatures(const v1::ExtractRequest& request, v1::ExtractResponse* response);

// ddsp.v1.Features on the callback API.
class FeaturesService : public v1::Features::CallbackService {
 public:
  // The queue outlives the service.
  explicit FeaturesService(WorkQueue& queue) : queue_(queue) {}

  grpc::ServerUnaryReactor* Extract(grpc::CallbackServerContext* context, const v1::ExtractRequest* request,
                                    v1::ExtractResponse* response) override;

 private:
  WorkQueue& queue_;
};

}  // namespace ddsp::server
