// A Synthesis service in this process that plays toy sessions, and stops doing so in one of several ways.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <mutex>
#include <string>

#include "ddsp/v1/session.grpc.pb.h"
#include "tests/client/sdk/toy_session.h"

namespace ddsp::client {

class ToyReplica : public v1::Synthesis::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::StreamSessionResponse, v1::StreamSessionRequest>;
  enum class Fate {
    kNone,
    kLeaves,     // a last snapshot, then SERVER_DRAINING
    kBreaks,     // the call ends as one does whose connection is cut
    kFallsMute,  // says nothing any more
    kFails,      // an error of the server's own
    kRefuses,    // every session, as one that drains does
  };
  struct Behaviour {
    ToySettings session{};
    Fate fate = Fate::kNone;
    int64_t after_samples = 0;  // of a session's input: when its fate comes; counted anew for each session
  };
  explicit ToyReplica(Behaviour behaviour);
  ~ToyReplica() override;

  std::string address() const { return address_; }
  int sessions() const;  // that were started
  int resumed() const;   // of these, from a snapshot
  int pings() const;
  std::string refusal() const;  // what a client did wrong

  grpc::Status StreamSession(grpc::ServerContext* context, Stream* stream) override;

 private:
  grpc::Status Meet(ToySession& session, Stream* stream);

  const Behaviour behaviour_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  mutable std::mutex mu_;
  int sessions_ = 0, resumed_ = 0, pings_ = 0;
  std::string refusal_;
};

}  // namespace ddsp::client
