#include "client/cli/models_client.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/status_macros.h"
#include "grpcpp/grpcpp.h"

namespace ddsp::client {
namespace {

std::string VersionName(const std::string& model, int64_t version) {
  return version == 0 ? absl::StrCat("models/", model) : absl::StrCat("models/", model, "/versions/", version);
}

std::string AliasName(const std::string& model, const std::string& alias) {
  return absl::StrCat("models/", model, "/aliases/", alias);
}

}  // namespace

ModelsClient::ModelsClient(const ServerAddress& server, absl::Duration timeout)
    : stub_(v1::Models::NewStub(MakeChannel(server))), timeout_(timeout) {}

template <typename Request, typename Response>
absl::StatusOr<Response> ModelsClient::Call(grpc::Status (v1::Models::Stub::*method)(grpc::ClientContext*,
                                                                                     const Request&, Response*),
                                            const Request& request, Cancellation* cancellation) {
  grpc::ClientContext context;
  const Cancellation::Call cancellable(cancellation, &context);
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout_));
  Response response;
  RETURN_IF_ERROR(FromGrpc((stub_.get()->*method)(&context, request, &response)));
  return response;
}

absl::StatusOr<std::vector<v1::Model>> ModelsClient::List(Cancellation* cancellation) {
  std::vector<v1::Model> models;
  v1::ListModelsRequest request;
  do {
    ASSIGN_OR_RETURN(const v1::ListModelsResponse page, Call(&v1::Models::Stub::List, request, cancellation));
    models.insert(models.end(), page.models().begin(), page.models().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return models;
}

absl::Status ModelsClient::Watch(const std::string& model, Cancellation* cancellation,
                                 absl::FunctionRef<void(const v1::Model&)> take) {
  grpc::ClientContext context;
  const Cancellation::Call cancellable(cancellation, &context);
  v1::WatchModelsRequest request;
  if (!model.empty()) request.set_name(absl::StrCat("models/", model));
  const auto reader = stub_->Watch(&context, request);
  v1::WatchModelsResponse response;
  while (reader->Read(&response)) take(response.model());
  return FromGrpc(reader->Finish());
}

absl::StatusOr<v1::Model> ModelsClient::Load(const std::string& model, int64_t version) {
  v1::LoadModelRequest request;
  request.set_name(VersionName(model, version));
  return Call(&v1::Models::Stub::Load, request);
}

absl::StatusOr<v1::Model> ModelsClient::Unload(const std::string& model, int64_t version) {
  v1::UnloadModelRequest request;
  request.set_name(VersionName(model, version));
  return Call(&v1::Models::Stub::Unload, request);
}

absl::StatusOr<v1::Model> ModelsClient::SetAlias(const std::string& model, const std::string& alias, int64_t version) {
  v1::SetAliasRequest request;
  request.set_name(AliasName(model, alias));
  request.set_version(version);
  return Call(&v1::Models::Stub::SetAlias, request);
}

absl::StatusOr<v1::Model> ModelsClient::DeleteAlias(const std::string& model, const std::string& alias) {
  v1::DeleteAliasRequest request;
  request.set_name(AliasName(model, alias));
  return Call(&v1::Models::Stub::DeleteAlias, request);
}

}  // namespace ddsp::client
