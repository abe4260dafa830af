#include "server/rpc/graph_service.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/gin/reader.h"
#include "core/graph/gin_graph.h"
#include "core/graph/graph_runner.h"
#include "core/graph/proto_graph.h"
#include "server/errors/errors.h"
#include "server/rpc/unary_call.h"

namespace ddsp::server {
namespace {

absl::StatusOr<GraphSpec> SpecOf(const v1::RunGraphRequest& request) {
  switch (request.graph_case()) {
    case v1::RunGraphRequest::kSpec:
      return GraphFromProto(request.spec());
    case v1::RunGraphRequest::kGin: {
      ASSIGN_OR_RETURN(const gin::Config config, gin::ParseConfig(request.gin(), "gin"));
      return GraphFromGin(config);
    }
    default:
      return absl::InvalidArgumentError("the request has neither spec nor gin");
  }
}

// A violation for each line of the message.
absl::Status InvalidGraph(const v1::RunGraphRequest& request, const absl::Status& error) {
  const std::string field = request.has_gin() ? "gin" : "spec";
  std::vector<FieldViolation> violations;
  for (const absl::string_view problem : absl::StrSplit(error.message(), '\n')) {
    violations.push_back({field, std::string(problem)});
  }
  return MakeFieldError(Reason::kInvalidGraph, std::string(error.message()), violations);
}

FloatArrays ToArrays(const google::protobuf::Map<std::string, v1::Tensor>& tensors) {
  FloatArrays arrays;
  for (const auto& [name, tensor] : tensors) {
    arrays[name] = {{tensor.shape().begin(), tensor.shape().end()}, {tensor.values().begin(), tensor.values().end()}};
  }
  return arrays;
}

absl::Status ToError(const absl::Status& status) {
  const std::string message(status.message());
  if (absl::IsResourceExhausted(status)) return MakeError(Reason::kGraphTooLarge, message);
  if (absl::IsInternal(status)) return MakeError(Reason::kModelNumericFault, message);
  return MakeFieldError(Reason::kInvalidGraphInput, message, {{"inputs", message}});
}

}  // namespace

absl::Status RunGraph(const v1::RunGraphRequest& request, const GraphLimits& limits, v1::RunGraphResponse* response) {
  const auto spec = SpecOf(request);
  if (!spec.ok()) return InvalidGraph(request, spec.status());
  const auto runner = GraphRunner::Create(*spec, limits);
  if (!runner.ok()) return InvalidGraph(request, runner.status());
  GraphRunner::Request call;
  call.inputs = ToArrays(request.inputs());
  call.parameters = ToArrays(request.parameters());
  call.seed = request.seed();
  if (request.results() == v1::GRAPH_RESULTS_ALL) call.results = GraphResults::kAll;
  const auto results = (*runner)->Run(call);
  if (!results.ok()) return ToError(results.status());
  for (const auto& [name, array] : *results) {
    v1::Tensor& tensor = (*response->mutable_results())[name];
    tensor.mutable_shape()->Add(array.shape.begin(), array.shape.end());
    tensor.mutable_values()->Add(array.values.begin(), array.values.end());
  }
  return absl::OkStatus();
}

void AddGraphMethods(WorkQueue& queue, MethodTable* methods, const GraphLimits& limits) {
  methods->Add("ddsp.v1.Graph", "Run", [&queue, limits](Call& call) {
    return MakeUnaryCall<v1::RunGraphRequest, v1::RunGraphResponse>(
        call, &queue, [limits](const auto& request, auto* response) { return RunGraph(request, limits, response); });
  });
}

}  // namespace ddsp::server
