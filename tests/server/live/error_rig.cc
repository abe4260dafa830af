#include "tests/server/live/error_rig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/models/bundle_format.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "server/security/api_key.h"
#include "tests/server/security/test_pki.h"

namespace ddsp::testing {
namespace {

std::string KeyLine(const std::string& key, const std::string& role) {
  return absl::StrCat("key { tenant: \"studio\" role: ", role, " sha256: \"", server::HexOf(server::HashOfKey(key)),
                      "\" }\n");
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

}  // namespace

Ending EndingOf(const grpc::Status& status, const grpc::ClientContext& context) {
  Ending ending{.code = status.error_code(), .text = status.error_message()};
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::QuotaFailure quota;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      ending.reason = info.reason();
      ending.domain = info.domain();
      ending.values = {info.metadata().begin(), info.metadata().end()};
    } else if (detail.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) ending.fields.push_back(violation.field());
    } else if (detail.UnpackTo(&quota)) {
      ending.quota_subject = quota.violations(0).subject();
    } else if (detail.UnpackTo(&retry)) {
      ending.retry_delay =
          absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos());
    }
  }
  const auto& trailers = context.GetServerTrailingMetadata();
  if (const auto pushback = trailers.find("grpc-retry-pushback-ms"); pushback != trailers.end()) {
    ending.pushback.assign(pushback->second.data(), pushback->second.size());
  }
  return ending;
}

Ending EndingOf(LiveCall& call) {
  const grpc::Status status = call.Finish();
  return EndingOf(status, call.context());
}

ErrorRig::ErrorRig() : make_engine([](int slots) { return std::make_unique<FakeEngine>(slots); }) {
  options = LocalOptions(/*sessions=*/2);
  options.admin_listen = "127.0.0.1:0";
  options.max_device_load = 0;
}

ErrorRig::~ErrorRig() = default;

void ErrorRig::Serve(int64_t version) {
  std::vector<server::VoiceListing> voices(1);
  voices[0].model = "violin";
  voices[0].version = version;
  voices[0].engine = make_engine(options.max_sessions);
  auto registry = std::make_unique<server::Registry>(
      std::move(voices), std::make_unique<server::FeatureEngine>(*FeatureExtractor::Create({}), options.max_sessions));
  server.reset();
  auto started = server::Server::Start(options, std::move(registry), clock);
  ASSERT_TRUE(started.ok()) << started.status();
  server = *std::move(started);
}

void ErrorRig::ServeRepository() {
  options.model_repository = options.jobs.bundled_repository = folder.path() + "/voices";
  WriteTestBundle(options.model_repository, {.name = "violin"});
  options.jobs.data_dir = folder.path() + "/data";
  auto started = server::Server::Start(options, clock);
  ASSERT_TRUE(started.ok()) << started.status();
  server = *std::move(started);
}

void ErrorRig::PublishDamaged(int version) {
  const std::string weights =
      WriteTestBundle(options.model_repository, {.name = "violin", .seed = 2}, version) + "/" + kWeightsFile;
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 1);
}

void ErrorRig::AskForKeys(const std::string& limits) {
  options.security.keys_file = folder.path() + "/keys";
  WriteText(options.security.keys_file,
            absl::StrCat("tenant { name: \"studio\" ", limits, " }\n", KeyLine("player", "STREAM"),
                         KeyLine("publisher", "PUBLISH"), KeyLine("admin", "ADMIN")));
  token = "player";
}

std::shared_ptr<grpc::Channel> ErrorRig::channel(Refused::Port port) {
  return ChannelTo(port == Refused::Port::kPublic ? server->port() : server->admin_port());
}

std::shared_ptr<LiveCall> ErrorRig::Play(const v1::SessionConfig& config, const LiveCall::Headers& headers) {
  const auto stub = synthesis();
  auto call = std::make_shared<LiveCall>(*stub, headers);
  call->Send(Request(config));
  const auto started = call->Read();
  EXPECT_TRUE(started.has_value() && started->has_started()) << call->Finish().error_message();
  return call;
}

Ending ErrorRig::PlayAndSend(const std::vector<v1::StreamSessionRequest>& requests, const v1::SessionConfig& config) {
  const auto call = Play(config);
  for (const v1::StreamSessionRequest& request : requests) call->Send(request);
  return EndingOf(*call);
}

std::pair<Ending, std::string> ErrorRig::AskBytes(const Refused& call) {
  grpc::GenericStub stub(channel(call.port));
  grpc::ClientContext context;
  for (const auto& [name, value] : call.headers) context.AddMetadata(name, value);
  const grpc::Slice slice(call.message);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, call.method, grpc::StubOptions(), &request, &response,
                 [&](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  return {EndingOf(status, context), status.ok() ? BytesOf(response) : ""};
}

RawHttp2::Answer ErrorRig::AskRaw(const Refused& call) {
  RawHttp2 client(call.port == Refused::Port::kPublic ? server->port() : server->admin_port());
  const int stream = client.Begin(call.method, call.headers);
  client.Send(stream, call.message, RawHttp2::After::kEnd);
  return client.Read(stream);
}

void ErrorRig::PassTime(absl::Duration step, const std::function<bool()>& done) {
  while (!done()) {
    clock.Advance(step);
    server->KeepHouse();
    std::this_thread::yield();
  }
}

Ending ErrorRig::PassTimeToTheEndOf(LiveCall& call, absl::Duration step) {
  Ending ending;
  std::atomic<bool> ended = false;
  std::thread reader([&] {
    ending = EndingOf(call);
    ended = true;
  });
  PassTime(step, [&] { return ended.load(); });
  reader.join();
  return ending;
}

std::unique_ptr<LiveCall> ErrorRig::PlayAgain(v1::Synthesis::Stub& stub) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (true) {
    auto call = std::make_unique<LiveCall>(stub, LiveCall::Headers(token.empty() ? RawHttp2::Headers() : With(token)));
    call->Send(Request(FloatConfig()));
    if (const auto started = call->Read(); started.has_value() && started->has_started()) return call;
    const std::string reason = call->info().reason();
    const bool on_its_way = reason == "SESSION_SLOTS_EXHAUSTED" || reason == "SESSION_QUOTA_EXCEEDED";
    if (!on_its_way || absl::Now() > deadline) {
      ADD_FAILURE() << "nobody is here, and yet: " << call->Finish().error_message();
      return call;
    }
  }
}

bool ErrorRig::Idle() const {
  if (server->live_sessions() > 0) return false;
  for (const absl::string_view line : absl::StrSplit(server->MetricsText(), '\n')) {
    if (absl::StartsWith(line, "ddsp_sessions_active{") && !absl::EndsWith(line, " 0")) return false;
  }
  return true;
}

void ErrorRig::ExpectFree() {
  // A client is told before the server has put its call away.
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!Idle() && absl::Now() < deadline) std::this_thread::yield();
  ASSERT_TRUE(Idle()) << server->MetricsText();
  if (closed) return;
  const auto stub = synthesis();
  std::vector<std::unique_ptr<LiveCall>> calls;
  for (int i = 0; i < options.max_sessions; ++i) calls.push_back(PlayAgain(*stub));
  for (const auto& call : calls) {
    call->HalfClose();
    EXPECT_TRUE(call->Finish().ok()) << call->Finish().error_message();
  }
}

}  // namespace ddsp::testing
