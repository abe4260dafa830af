// A server in this process on ports of the system's choice, and clients of it without the SDK.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "ddsp/v1/session.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/registry/feature_engine.h"
#include "server/server.h"
#include "tests/server/support/fake_engine.h"
#include "tests/server/support/requests.h"

namespace ddsp::testing {

inline server::ServerOptions LocalOptions(int sessions) {
  server::ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.metrics_listen = options.admin_listen = "";  // each costs time at the end
  options.max_sessions = sessions;
  return options;
}

inline std::unique_ptr<server::Registry> FakeVoices(int slots) {
  std::vector<server::VoiceListing> voices(1);
  voices[0].model = "violin";
  voices[0].version = 1;
  voices[0].engine = std::make_unique<FakeEngine>(slots);
  return std::make_unique<server::Registry>(
      std::move(voices), std::make_unique<server::FeatureEngine>(*FeatureExtractor::Create({}), slots));
}

inline void AwaitSessions(const server::Server& server, int sessions) {
  while (server.live_sessions() != sessions) std::this_thread::yield();
}

// Of the metric with its labels.
inline double MetricOf(const server::Server& server, const std::string& name) {
  for (const absl::string_view line : absl::StrSplit(server.MetricsText(), '\n')) {
    if (absl::StartsWith(line, name + " ")) return std::stod(std::string(line.substr(name.size() + 1)));
  }
  return 0;
}

// One call of StreamSession. Writing and reading are blocking.
class LiveCall {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  explicit LiveCall(v1::Synthesis::Stub& stub, const Headers& headers = {}) {
    for (const auto& [key, value] : headers) context_.AddMetadata(key, value);
    stream_ = stub.StreamSession(&context_);
  }
  ~LiveCall() {
    if (status_.has_value()) return;
    context_.TryCancel();
    Finish();
  }

  // False when the call has ended.
  bool Send(const v1::StreamSessionRequest& request) { return stream_->Write(request); }
  std::optional<v1::StreamSessionResponse> Read() {
    v1::StreamSessionResponse response;
    if (!stream_->Read(&response)) return std::nullopt;
    return response;
  }
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  // Reads the rest.
  const grpc::Status& Finish() {
    while (auto response = Read()) rest.push_back(*std::move(response));
    if (!status_.has_value()) status_ = stream_->Finish();
    return *status_;
  }
  google::rpc::ErrorInfo info() {
    google::rpc::Status details;
    google::rpc::ErrorInfo info;
    details.ParseFromString(Finish().error_details());
    for (const auto& detail : details.details()) {
      if (detail.UnpackTo(&info)) break;
    }
    return info;
  }
  std::string trailer(const std::string& key) {
    const auto found = context_.GetServerTrailingMetadata().find(key);
    return found == context_.GetServerTrailingMetadata().end()
               ? ""
               : std::string(found->second.data(), found->second.size());
  }
  grpc::ClientContext& context() { return context_; }

  std::vector<v1::StreamSessionResponse> rest;  // what Finish() read

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamSessionRequest, v1::StreamSessionResponse>> stream_;
  std::optional<grpc::Status> status_;
};

inline std::shared_ptr<grpc::Channel> ChannelTo(int port) {
  // A global subchannel pool would let tests share connections.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments);
}

// Sends `samples` in `chunk`s while reading; returns the audio. Obeys the server's credit.
inline std::vector<float> StreamThrough(v1::Synthesis::Stub& stub, const v1::SessionConfig& config,
                                        const std::vector<float>& samples, size_t chunk) {
  LiveCall call(stub);
  call.Send(Request(config));
  const auto started = call.Read();
  if (!started.has_value() || !started->has_started()) return {};
  std::vector<float> audio;
  uint64_t credit = started->started().input_credit(), seq = 0;
  const auto take = [&](const v1::StreamSessionResponse& response) {
    credit += response.credit().samples();
    const std::vector<float> block = FloatsOf(response.audio().data());
    audio.insert(audio.end(), block.begin(), block.end());
  };
  for (size_t at = 0; at < samples.size(); at += chunk) {
    const size_t size = std::min(chunk, samples.size() - at);
    while (credit < size) take(*call.Read());
    credit -= size;
    call.Send(AudioRequest(seq++, at, absl::MakeSpan(samples).subspan(at, size)));
  }
  call.HalfClose();
  call.Finish();
  for (const v1::StreamSessionResponse& response : call.rest) take(response);
  return audio;
}

}  // namespace ddsp::testing
