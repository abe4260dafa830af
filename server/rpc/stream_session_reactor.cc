#include "server/rpc/stream_session_reactor.h"

#include <utility>

#include "server/rpc/status_details.h"

namespace ddsp::server {

StreamSessionReactor::StreamSessionReactor(grpc::CallbackServerContext* context, const SessionServices& services,
                                           SessionRoster& roster)
    : context_(context),
      record_(kStreamSessionMethod, *services.metrics, *services.clock),
      roster_(roster),
      session_(std::make_shared<Session>(services, this)) {
  roster_.Add(session_);
  StartRead(&request_);
}

void StreamSessionReactor::OnReadDone(bool ok) {
  if (!ok) {
    session_->OnHalfClose();
    return;
  }
  session_->OnRequest(request_);
  StartRead(&request_);
}

void StreamSessionReactor::OnDone() {
  session_->Detach();
  roster_.Remove(session_.get());
  delete this;
}

void StreamSessionReactor::Write(v1::StreamSessionResponse message, bool more) {
  response_ = std::move(message);
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  StartWrite(&response_, options);
}

void StreamSessionReactor::Finish(const absl::Status& status) {
  for (const auto& [key, value] : TrailersOf(status)) context_->AddTrailingMetadata(key, value);
  record_.End(status);
  ServerBidiReactor::Finish(ToGrpc(status));
}

}  // namespace ddsp::server
