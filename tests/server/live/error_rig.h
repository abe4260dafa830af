// A server that a test drives into an error, and what its client was told.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "tests/server/live/live_server.h"
#include "tests/server/live/raw_http2.h"
#include "tests/support/test_voice.h"

namespace ddsp::testing {

// Moved by the test alone.
class HandClock : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch() + absl::Nanoseconds(now_.load()); }
  void Advance(absl::Duration by) { now_ += absl::ToInt64Nanoseconds(by); }

 private:
  std::atomic<int64_t> now_{0};
};

// How a call ended, as a stock client of gRPC has it.
struct Ending {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string text, reason, domain;
  std::map<std::string, std::string> values;  // of google.rpc.ErrorInfo
  std::vector<std::string> fields;            // of google.rpc.BadRequest
  std::string quota_subject;                  // of google.rpc.QuotaFailure
  std::optional<absl::Duration> retry_delay;  // of google.rpc.RetryInfo
  std::string pushback;                       // the trailer grpc-retry-pushback-ms
};
Ending EndingOf(const grpc::Status& status, const grpc::ClientContext& context);
// Reads the rest.
Ending EndingOf(LiveCall& call);

// A call of one message that a server refuses.
struct Refused {
  enum class Port { kPublic, kAdmin };
  std::string method;  // "/ddsp.v1.Synthesis/StreamSession"
  std::string message;
  RawHttp2::Headers headers = {};
  Port port = Port::kPublic;
  std::shared_ptr<void> held = nullptr;  // what must last until it was refused
};
inline Refused Refuse(const std::string& method, const google::protobuf::Message& request,
                      RawHttp2::Headers headers = {}, std::shared_ptr<void> held = nullptr) {
  return {method, request.SerializeAsString(), std::move(headers), Refused::Port::kPublic, std::move(held)};
}
inline Refused RefuseAdmin(const std::string& method, const google::protobuf::Message& request) {
  return {method, request.SerializeAsString(), {}, Refused::Port::kAdmin};
}

// "Bearer player".
inline RawHttp2::Headers With(const std::string& token) { return {{"authorization", "Bearer " + token}}; }

class ErrorRig {
 public:
  ErrorRig();
  ~ErrorRig();

  // Serves what gives back what it is fed under the name "violin", in place of what served before.
  void Serve(int64_t version = 1);
  // Serves a repository with a small voice under that name.
  void ServeRepository();
  // Puts another version of it there, whose weights are cut short.
  void PublishDamaged(int version);
  // Asks everybody who they are. The keys are "player", "publisher" and "admin", of the tenant "studio" with `limits`
  // ("max_sessions: 1").
  void AskForKeys(const std::string& limits = "");

  std::shared_ptr<grpc::Channel> channel(Refused::Port port = Refused::Port::kPublic);
  std::unique_ptr<v1::Synthesis::Stub> synthesis() { return v1::Synthesis::NewStub(channel()); }
  // A session that has started.
  std::shared_ptr<LiveCall> Play(const v1::SessionConfig& config = FloatConfig(),
                                 const LiveCall::Headers& headers = {});
  // A session that has started, and then was sent these.
  Ending PlayAndSend(const std::vector<v1::StreamSessionRequest>& requests,
                     const v1::SessionConfig& config = FloatConfig());
  template <typename Response>
  Response Ask(const std::string& method, const google::protobuf::Message& request,
               Refused::Port port = Refused::Port::kPublic) {
    Response response;
    EXPECT_TRUE(response.ParseFromString(AskBytes({method, request.SerializeAsString(), {}, port}).second)) << method;
    return response;
  }
  Ending Ask(const Refused& call) { return AskBytes(call).first; }
  RawHttp2::Answer AskRaw(const Refused& call);

  // Moves the clock and lets the server look at it, until `done`.
  void PassTime(absl::Duration step, const std::function<bool()>& done);
  // So long, and returns how `call` ended.
  Ending PassTimeToTheEndOf(LiveCall& call, absl::Duration step);
  // Nobody plays any more, every slot has come back, and whoever comes is served, unless `closed`.
  void ExpectFree();

  server::ServerOptions options;
  std::function<std::unique_ptr<VoiceEngine>(int slots)> make_engine;
  bool closed = false;  // the server is not to serve another session
  std::string token;    // of that one
  HandClock clock;
  TempDir folder;
  std::unique_ptr<server::Server> server;

 private:
  std::pair<Ending, std::string> AskBytes(const Refused& call);
  bool Idle() const;
  // What was given back may still be on its way.
  std::unique_ptr<LiveCall> PlayAgain(v1::Synthesis::Stub& stub);
};

}  // namespace ddsp::testing
