#include "client/cli/sessions_client.h"

#include <chrono>

#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "grpcpp/grpcpp.h"

namespace ddsp::client {
namespace {

constexpr std::chrono::seconds kTimeout(30);
constexpr int kPage = 1000;

}  // namespace

SessionsClient::SessionsClient(const ServerAddress& server) : stub_(v1::Sessions::NewStub(MakeChannel(server))) {}

absl::StatusOr<std::vector<v1::Session>> SessionsClient::List(const std::string& model) {
  std::vector<v1::Session> sessions;
  v1::ListSessionsRequest request;
  request.set_model(model);
  request.set_page_size(kPage);
  do {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kTimeout);
    v1::ListSessionsResponse page;
    RETURN_IF_ERROR(FromGrpc(stub_->List(&context, request, &page)));
    sessions.insert(sessions.end(), page.sessions().begin(), page.sessions().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return sessions;
}

absl::StatusOr<v1::Session> SessionsClient::Kill(const std::string& id, const std::string& reason) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  v1::KillSessionRequest request;
  request.set_id(id);
  request.set_reason(reason);
  v1::Session session;
  RETURN_IF_ERROR(FromGrpc(stub_->Kill(&context, request, &session)));
  return session;
}

}  // namespace ddsp::client
