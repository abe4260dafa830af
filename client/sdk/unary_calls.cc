#include "client/sdk/unary_calls.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"
#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "ddsp/v1/features.grpc.pb.h"
#include "ddsp/v1/graph.grpc.pb.h"
#include "ddsp/v1/session.grpc.pb.h"

namespace ddsp::client {
namespace {

// Calls `method` of a service on a connection of its own.
template <typename Service, typename Request, typename Response>
absl::StatusOr<Response> Call(const ServerAddress& server, const Request& request, absl::Duration timeout,
                              grpc::Status (Service::StubInterface::*method)(grpc::ClientContext*, const Request&,
                                                                             Response*)) {
  if (const auto bytes = static_cast<int64_t>(request.ByteSizeLong()); bytes > kMaxRequestBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the request has ", bytes, " bytes, of which a server takes ", kMaxRequestBytes, " (4 MiB)"));
  }
  const auto channel = MakeChannel(server, kMaxAnswerBytes);
  const auto stub = Service::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  Response response;
  RETURN_IF_ERROR(FromGrpc((stub.get()->*method)(&context, request, &response)));
  return response;
}

}  // namespace

absl::StatusOr<v1::RunGraphResponse> RunGraph(const ServerAddress& server, const v1::RunGraphRequest& request,
                                              absl::Duration timeout) {
  return Call<v1::Graph>(server, request, timeout, &v1::Graph::StubInterface::Run);
}

absl::StatusOr<v1::ExtractResponse> ExtractFeatures(const ServerAddress& server, const v1::ExtractRequest& request,
                                                    absl::Duration timeout) {
  return Call<v1::Features>(server, request, timeout, &v1::Features::StubInterface::Extract);
}

absl::StatusOr<v1::RenderResponse> Render(const ServerAddress& server, const v1::RenderRequest& request,
                                          absl::Duration timeout) {
  return Call<v1::Synthesis>(server, request, timeout, &v1::Synthesis::StubInterface::Render);
}

}  // namespace ddsp::client
