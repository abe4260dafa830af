#include "server/rpc/call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"
#include "server/rpc/status_details.h"

namespace ddsp::server {
namespace {

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  const grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

Credentials CredentialsOf(const grpc::ServerContext& context) {
  Credentials credentials;
  const auto& metadata = context.client_metadata();
  if (const auto found = metadata.find("authorization"); found != metadata.end()) {
    credentials.authorization = std::string(found->second.data(), found->second.size());
  }
  const std::shared_ptr<const grpc::AuthContext> connection = context.auth_context();
  // Of a connection in plain text nothing is known.
  if (connection == nullptr || !connection->IsPeerAuthenticated()) return credentials;
  for (const grpc::string_ref& name : connection->FindPropertyValues(GRPC_X509_SAN_PROPERTY_NAME)) {
    credentials.certificate_names.emplace_back(name.data(), name.size());
  }
  return credentials;
}

// Ends a call that nobody handles.
class NoHandler : public CallHandler {
 public:
  void OnRead(grpc::ByteBuffer*) override {}
};

}  // namespace

bool Parse(grpc::ByteBuffer* bytes, google::protobuf::MessageLite* message) {
  grpc::ProtoBufferReader reader(bytes);
  return reader.status().ok() && message->ParseFromZeroCopyStream(&reader);
}

void Call::Await(const Context& context) {
  Call* call = new Call(context);
  call->server_context_.AsyncNotifyWhenDone(static_cast<Completion*>(&call->ended_));
  context.service->RequestCall(&call->server_context_, &call->stream_, context.queue, context.queue,
                               static_cast<Completion*>(&call->arrived_));
}

Call::Call(const Context& context)
    : context_(context),
      entry_(*context.ledger),
      stream_(&server_context_),
      arrived_(this, &Call::Arrived),
      read_done_(this, &Call::ReadDone),
      write_done_(this, &Call::WriteDone),
      finish_done_(this, &Call::FinishDone),
      ended_(this, &Call::Ended) {}

void Call::Arrived(bool ok) {
  if (!ok) {
    delete this;  // the server shuts down; of what never began the end is not told
    return;
  }
  Await(context_);
  entry_.Begin();
  const std::string& method = server_context_.method();
  record_.Begin(context_.services, method, context_.router->Knows(method), server_context_.client_metadata(),
                server_context_.peer());
  absl::Status refused = PassGate();
  if (refused.ok()) {
    handler_ = context_.router->Route(method, *this);
    if (handler_ != nullptr) return;
    const std::string asked = Echo(method);
    refused = MakeError(Reason::kMethodNotFound, absl::StrCat("no method ", asked), {{"method", asked}});
  }
  handler_ = std::make_unique<NoHandler>();
  Finish(refused);
}

absl::Status Call::PassGate() {
  if (context_.gate == nullptr || context_.gate->is_open()) return absl::OkStatus();
  absl::StatusOr<Pass> pass = context_.gate->Admit(server_context_.method(), CredentialsOf(server_context_));
  if (pass.ok()) pass_ = *std::move(pass);
  return pass.status();
}

absl::StatusOr<TenantQuotas::Lease> Call::TakeSession() const {
  if (context_.gate == nullptr) return TenantQuotas::Lease();
  return context_.gate->Take(pass_.caller, Charge::kSession);
}

std::string Call::Header(const std::string& name) const {
  const auto& headers = server_context_.client_metadata();
  const auto found = headers.find(name);
  return found == headers.end() ? "" : std::string(found->second.data(), found->second.size());
}

void Call::Read() {
  ++under_way_;
  stream_.Read(&received_, static_cast<Completion*>(&read_done_));
}

void Call::ReadDone(bool ok) {
  handler_->OnRead(ok ? &received_ : nullptr);
  Release();
}

void Call::Write(const google::protobuf::MessageLite& message, bool more) {
  ++under_way_;
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  stream_.Write(Serialize(message), options, static_cast<Completion*>(&write_done_));
}

void Call::WriteDone(bool ok) {
  handler_->OnWritten(ok);
  Release();
}

void Call::EndRecord(const absl::Status& status) {
  for (const auto& [key, value] : record_.End(status)) server_context_.AddTrailingMetadata(key, value);
}

void Call::Finish(const absl::Status& status) {
  EndRecord(status);
  const bool tell_reason = context_.router->ErrorTextOf(server_context_.method()) == ErrorText::kReasonAndMessage;
  for (const auto& [key, value] : TrailersOf(status)) server_context_.AddTrailingMetadata(key, value);
  stream_.Finish(ToGrpc(tell_reason ? WithReasonInText(status) : status), static_cast<Completion*>(&finish_done_));
}

void Call::Finish(const google::protobuf::MessageLite& message) {
  EndRecord(absl::OkStatus());
  stream_.WriteAndFinish(Serialize(message), grpc::WriteOptions(), grpc::Status::OK,
                         static_cast<Completion*>(&finish_done_));
}

void Call::FinishDone(bool) { Release(); }

void Call::Ended(bool) {
  if (server_context_.IsCancelled()) {
    cancelled_ = true;
    handler_->OnCancel();
  }
  Release();
}

void Call::Release() {
  if (--under_way_ == 0) delete this;
}

}  // namespace ddsp::server
