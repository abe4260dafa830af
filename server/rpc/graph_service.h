#pragma once

#include "absl/status/status.h"
#include "core/graph/graph_limits.h"
#include "ddsp/v1/graph.pb.h"
#include "server/rpc/method_table.h"
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

// ddsp.v1.Graph, worked off in the queue, which outlives the calls.
void AddGraphMethods(WorkQueue& queue, MethodTable* methods, const GraphLimits& limits = kGraphServiceLimits);

}  // namespace ddsp::server
