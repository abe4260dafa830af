#include "server/rpc/call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "server/rpc/status_details.h"

namespace ddsp::server {
namespace {

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  const grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
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
  handler_ = context_.router->Route(server_context_.method(), *this);
  if (handler_ != nullptr) return;
  handler_ = std::make_unique<NoHandler>();
  Finish(absl::UnimplementedError(absl::StrCat("no method ", server_context_.method())));
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

void Call::Finish(const absl::Status& status) {
  for (const auto& [key, value] : TrailersOf(status)) server_context_.AddTrailingMetadata(key, value);
  stream_.Finish(ToGrpc(status), static_cast<Completion*>(&finish_done_));
}

void Call::Finish(const google::protobuf::MessageLite& message) {
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
