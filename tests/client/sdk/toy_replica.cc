#include "tests/client/sdk/toy_replica.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <limits>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ddsp::client {
namespace {

grpc::Status Failure(grpc::StatusCode code, const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  google::rpc::Status rich;
  rich.add_details()->PackFrom(info);
  return grpc::Status(code, reason, rich.SerializeAsString());
}

}  // namespace

ToyReplica::ToyReplica(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

ToyReplica::~ToyReplica() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();  // waits for the handlers, but inside a library, where the thread sanitizer sees nothing of it
  const std::lock_guard<std::mutex> lock(mu_);
}

int ToyReplica::sessions() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return sessions_;
}

int ToyReplica::resumed() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return resumed_;
}

int ToyReplica::pings() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return pings_;
}

std::string ToyReplica::refusal() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return refusal_;
}

grpc::Status ToyReplica::StreamSession(grpc::ServerContext* context, Stream* stream) {
  if (behaviour_.fate == Fate::kRefuses) return Failure(grpc::StatusCode::UNAVAILABLE, "SERVER_DRAINING");
  ToySession session(behaviour_.session);
  v1::StreamSessionRequest request;
  int64_t begin = 0;
  while (stream->Read(&request)) {
    for (const auto& response : session.Take(request)) stream->Write(response);
    {
      const std::lock_guard<std::mutex> lock(mu_);
      pings_ += request.has_ping();
      sessions_ += request.has_config();
      resumed_ += !request.config().resume().empty();
      if (!session.refusal().empty()) refusal_ = session.refusal();
    }
    if (request.has_config()) begin = session.input_samples();
    if (behaviour_.fate != Fate::kNone && request.has_audio() &&
        session.input_samples() - begin >= behaviour_.after_samples) {
      return Meet(session, stream);
    }
  }
  for (const auto& response : session.Finish()) stream->Write(response);
  return grpc::Status::OK;
}

grpc::Status ToyReplica::Meet(ToySession& session, Stream* stream) {
  v1::StreamSessionRequest request;
  switch (behaviour_.fate) {
    case Fate::kLeaves: {
      v1::StreamSessionResponse event;
      event.mutable_event()->set_kind(v1::SessionEvent::DRAINING);
      stream->Write(event);
      stream->Write(session.Snapshot(true));
      return Failure(grpc::StatusCode::UNAVAILABLE, "SERVER_DRAINING");
    }
    case Fate::kFallsMute:
      while (stream->Read(&request)) {  // until the client goes
        const std::lock_guard<std::mutex> lock(mu_);
        pings_ += request.has_ping();
      }
      return grpc::Status::CANCELLED;
    case Fate::kFails:
      return Failure(grpc::StatusCode::INTERNAL, "MODEL_NUMERIC_FAULT");
    default:
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  }
}

}  // namespace ddsp::client
