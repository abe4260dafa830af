#pragma once

#include "absl/status/status.h"
#include "core/graph/graph_limits.h"
#include "ddsp/v1/graph.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

// What a client's graph may ask for. Messages are bounded by the endpoint.
inline constexpr GraphLimits kGraphServiceLimits = {
    .max_nodes = 64,
    .max_argument = int64_t{1} << 22,  // samples: 87 s at 48 kHz
    .max_elements = int64_t{1} << 28,  // 1 GiB
};

// One graph, once. Errors: INVALID_GRAPH with every problem as a violation, INVALID_GRAPH_INPUT, GRAPH_TOO_LARGE.
absl::Status RunGraph(const v1::RunGraphRequest& request, const GraphLimits& limits, v1::RunGraphResponse* response);

// ddsp.v1.Graph on the callback API.
class GraphService : public v1::Graph::CallbackService {
 public:
  // The queue outlives the service.
  explicit GraphService(WorkQueue& queue, const GraphLimits& limits = kGraphServiceLimits)
      : queue_(queue), limits_(limits) {}

  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, const v1::RunGraphRequest* request,
                                v1::RunGraphResponse* response) override;

 private:
  WorkQueue& queue_;
  const GraphLimits limits_;
};

}  // namespace ddsp::server
