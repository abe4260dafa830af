// What operators see of a server, and what they can do about it: sessions, traces, load reports, memory, log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ddsp/v1/sessions.grpc.pb.h"
#include "tests/server/live/live_server.h"
#include "tests/server/tracing/fake_collector.h"
#include "xds/data/orca/v3/orca_load_report.pb.h"
#include "xds/service/orca/v3/orca.pb.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;
using xds::data::orca::v3::OrcaLoadReport;

constexpr char kTraceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

// Keeps what is said.
class KeptLog {
 public:
  std::shared_ptr<Log> log = std::make_shared<Log>(Log::Options{.format = LogFormat::kJson}, [this](auto lines) {
    const std::lock_guard lock(mu_);
    text_ += lines;
    return true;
  });
  std::vector<nlohmann::json> Of(const std::string& event) {
    log->Flush();
    const std::lock_guard lock(mu_);
    std::vector<nlohmann::json> found;
    for (const absl::string_view line : absl::StrSplit(text_, '\n', absl::SkipEmpty())) {
      if (auto parsed = nlohmann::json::parse(line); parsed["event"] == event) found.push_back(std::move(parsed));
    }
    return found;
  }

 private:
  std::mutex mu_;
  std::string text_;
};

class ObservationTest : public ::testing::Test {
 protected:
  void Start(std::function<void(ServerOptions&)> change = [](ServerOptions&) {}) {
    ServerOptions options = LocalOptions(4);
    options.admin_listen = "127.0.0.1:0";
    options.log = kept_.log;
    options.otlp_endpoint = collector_.address();
    options.trace_ratio = 0;
    change(options);
    auto server = Server::Start(options, FakeVoices(4));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::Synthesis::NewStub(ChannelTo(server_->port()));
    sessions_ = v1::Sessions::NewStub(ChannelTo(server_->admin_port()));
  }
  std::vector<v1::Session> List() {
    grpc::ClientContext context;
    v1::ListSessionsResponse response;
    EXPECT_TRUE(sessions_->List(&context, {}, &response).ok());
    return {response.sessions().begin(), response.sessions().end()};
  }
  grpc::Status Kill(const std::string& id, const std::string& reason) {
    grpc::ClientContext context;
    v1::KillSessionRequest request;
    request.set_id(id);
    request.set_reason(reason);
    v1::Session session;
    return sessions_->Kill(&context, request, &session);
  }
  // A session that has started; its id.
  std::string Begin(LiveCall& call) {
    call.Send(Request(FloatConfig()));
    return call.Read().value().started().session_id();
  }

  KeptLog kept_;
  FakeCollector collector_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::Synthesis::Stub> stub_;
  std::unique_ptr<v1::Sessions::Stub> sessions_;
};

TEST_F(ObservationTest, ListsWhatPlays) {
  Start();
  EXPECT_TRUE(List().empty());
  LiveCall call(*stub_, {{"x-request-id", "concert-1"}});
  const std::string id = Begin(call);
  call.Send(AudioRequest(0, 0, std::vector<float>(16000, 0.1f)));
  while (!call.Read().value().has_audio()) {
  }
  const std::vector<v1::Session> sessions = List();
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions[0].id(), id);
  EXPECT_EQ(sessions[0].model(), "violin/1");
  EXPECT_EQ(sessions[0].request_id(), "concert-1");
  EXPECT_THAT(sessions[0].peer(), HasSubstr("127.0.0.1"));
  EXPECT_EQ(sessions[0].state(), v1::SESSION_PHASE_LIVE);
  EXPECT_TRUE(sessions[0].has_latency_p99());
}

TEST_F(ObservationTest, KilledSessionsSayWhy) {
  Start();
  LiveCall call(*stub_);
  const std::string id = Begin(call);
  EXPECT_TRUE(Kill(id, "moving house").ok());
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(call.Finish().error_message(), "moving house");
  EXPECT_EQ(call.info().reason(), "SESSION_KILLED");
  EXPECT_EQ(call.info().metadata().at("operator_reason"), "moving house");
  EXPECT_EQ(call.trailer("ddsp-session-id"), id);
  EXPECT_THAT(server_->MetricsText(), HasSubstr("ddsp_sessions_ended_total{model=\"violin\",reason=\"killed\"} 1"));
  // The slot is free: four more fit.
  std::vector<std::unique_ptr<LiveCall>> more;
  for (int i = 0; i < 4; ++i) {
    more.push_back(std::make_unique<LiveCall>(*stub_));
    EXPECT_NE(Begin(*more.back()), "");
  }
}

TEST_F(ObservationTest, WhatIsNotThereCannotBeKilled) {
  Start();
  EXPECT_EQ(Kill("nobody", "").error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Kill("nobody", std::string(257, 'x')).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ObservationTest, SessionsAreNotForThePublicPort) {
  Start();
  const auto stub = v1::Sessions::NewStub(ChannelTo(server_->port()));
  grpc::ClientContext context;
  v1::ListSessionsResponse response;
  EXPECT_EQ(stub->List(&context, {}, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ObservationTest, TheLogTellsOfASessionFromBeginToEnd) {
  Start();
  std::string id;
  {
    LiveCall call(*stub_, {{"x-request-id", "concert-2"}});
    id = Begin(call);
    call.HalfClose();
    EXPECT_TRUE(call.Finish().ok());
    EXPECT_EQ(call.trailer("x-request-id"), "concert-2");
    LiveCall refused(*stub_);
    refused.Send(Request(FloatConfig("kazoo")));
    EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(refused.trailer("x-request-id").size(), 32u) << "made up";
  }
  ASSERT_EQ(kept_.Of("session.started").size(), 1u);
  ASSERT_EQ(kept_.Of("session.ended").size(), 1u);
  EXPECT_EQ(kept_.Of("session.ended")[0]["session_id"], id);
  EXPECT_EQ(kept_.Of("session.ended")[0]["request_id"], "concert-2");
  ASSERT_EQ(kept_.Of("session.refused").size(), 1u);
  EXPECT_EQ(kept_.Of("session.refused")[0]["reason"], "MODEL_NOT_FOUND");
  EXPECT_TRUE(kept_.Of("call.failed").empty()) << "told once";
}

TEST_F(ObservationTest, ASessionIsOneSpan) {
  Start();
  std::string id;
  {
    LiveCall call(*stub_, {{"traceparent", kTraceparent}});
    id = Begin(call);
    call.HalfClose();
    call.Finish();
    LiveCall untraced(*stub_);
    Begin(untraced);
    untraced.HalfClose();
    untraced.Finish();
  }
  server_.reset();  // sends what waits
  const auto spans = collector_.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name(), "ddsp.v1.Synthesis/StreamSession");
  EXPECT_EQ(spans[0].parent_span_id(), "\xb7\xad\x6b\x71\x69\x20\x33\x31");
  EXPECT_EQ(AttributeOf(spans[0], "ddsp.session.id"), id);
  EXPECT_EQ(AttributeOf(spans[0], "ddsp.model"), "violin/1");
  EXPECT_EQ(AttributeOf(spans[0], "rpc.system.name"), "grpc");
  EXPECT_EQ(AttributeOf(spans[0], "rpc.response.status_code"), "OK");
  ASSERT_EQ(spans[0].events_size(), 2);
  EXPECT_EQ(spans[0].events(0).name(), "session.started");
  EXPECT_EQ(spans[0].events(1).name(), "session.ended");
}

TEST_F(ObservationTest, AUnaryCallIsOneSpan) {
  Start();
  grpc::ClientContext context;
  context.AddMetadata("traceparent", kTraceparent);
  v1::RenderRequest request;
  *request.mutable_config() = FloatConfig("kazoo");
  v1::RenderResponse response;
  EXPECT_EQ(stub_->Render(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  server_.reset();
  const auto spans = collector_.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name(), "ddsp.v1.Synthesis/Render");
  EXPECT_EQ(AttributeOf(spans[0], "error.type"), "MODEL_NOT_FOUND");
  EXPECT_EQ(spans[0].status().code(), opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
}

// As gRPC's weighted round robin does (gRFC A58): the more room, the more calls.
class WeightedRoundRobin {
 public:
  void Report(size_t server, const OrcaLoadReport& report) {
    weights_.resize(std::max(weights_.size(), server + 1), 1);
    weights_[server] = 1 / std::max(0.01, report.application_utilization());
  }
  // The next of so many: earliest deadline first, a step of each is the inverse of its weight.
  size_t Pick() {
    due_.resize(weights_.size(), 0);
    const size_t next = std::min_element(due_.begin(), due_.end()) - due_.begin();
    due_[next] += 1 / weights_[next];
    return next;
  }

 private:
  std::vector<double> weights_, due_;
};

// The stream of reports of a server. By the service's name, without a stub of it. (gRPC keeps those that come with
// trailers to itself: its own policies read them.)
class Reports {
 public:
  explicit Reports(int port) : channel_(ChannelTo(port)) {
    xds::service::orca::v3::OrcaLoadReportRequest request;
    request.mutable_report_interval()->set_nanos(1);
    reader_.reset(
        grpc::internal::ClientReaderFactory<OrcaLoadReport>::Create(channel_.get(), method_, &context_, request));
  }
  ~Reports() {
    context_.TryCancel();
    EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  OrcaLoadReport Next() {
    OrcaLoadReport report;
    EXPECT_TRUE(reader_->Read(&report));
    return report;
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const grpc::internal::RpcMethod method_{"/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics",
                                          grpc::internal::RpcMethod::SERVER_STREAMING};
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<OrcaLoadReport>> reader_;
};

TEST_F(ObservationTest, ReportsSteerAWeightedRoundRobin) {
  const auto no_bound = [](ServerOptions& options) { options.max_device_load = 0; };
  Start(no_bound);
  const std::unique_ptr<Server> busy = std::move(server_);
  const auto busy_stub = std::move(stub_);
  std::vector<std::unique_ptr<LiveCall>> playing;
  for (int i = 0; i < 2; ++i) {
    playing.push_back(std::make_unique<LiveCall>(*busy_stub));
    Begin(*playing.back());
  }
  Start(no_bound);
  playing.push_back(std::make_unique<LiveCall>(*stub_));
  Begin(*playing.back());

  WeightedRoundRobin balancer;
  balancer.Report(0, Reports(busy->port()).Next());     // two of four slots are taken
  balancer.Report(1, Reports(server_->port()).Next());  // one of four
  std::vector<int> calls(2);
  for (int i = 0; i < 300; ++i) ++calls[balancer.Pick()];
  EXPECT_NEAR(calls[0], 100, 3) << "twice as busy, half as many";
  EXPECT_NEAR(calls[1], 200, 3);
  playing.clear();
}

TEST_F(ObservationTest, ReportsAlsoComeByThemselves) {
  Start([](ServerOptions& options) { options.max_device_load = 0; });
  LiveCall playing(*stub_);
  Begin(playing);
  Reports reports(server_->port());
  EXPECT_EQ(reports.Next().named_metrics().at("slot_utilization"), 0.25);
  reports.Next();  // after a round of house-keeping
}

TEST_F(ObservationTest, MemoryIsPromisedOnce) {
  Start([](ServerOptions& options) { options.memory_budget_bytes = 1 << 20; });
  std::vector<std::unique_ptr<LiveCall>> playing;
  std::string reason;
  for (int i = 0; i < 4 && reason.empty(); ++i) {
    playing.push_back(std::make_unique<LiveCall>(*stub_));
    playing.back()->Send(Request(FloatConfig()));
    if (!playing.back()->Read().has_value()) reason = playing.back()->info().reason();
  }
  EXPECT_EQ(reason, "MEMORY_EXHAUSTED");
  EXPECT_EQ(playing.back()->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(playing.back()->trailer("grpc-retry-pushback-ms"), "1000");
  EXPECT_THAT(server_->MetricsText(),
              HasSubstr("ddsp_sessions_rejected_total{model=\"violin\",reason=\"MEMORY_EXHAUSTED\"} 1"));
  playing.front()->HalfClose();
  EXPECT_TRUE(playing.front()->Finish().ok());
  LiveCall next(*stub_);
  EXPECT_NE(Begin(next), "") << "what was given back is there again";
}

TEST_F(ObservationTest, LargeBodiesAreRefusedBeforeTheyAreRead) {
  Start([](ServerOptions& options) { options.memory_budget_bytes = 1 << 20; });
  grpc::ClientContext context;
  v1::RenderRequest request;
  *request.mutable_config() = FloatConfig();
  request.set_audio(std::string(600'000, '\0'));
  v1::RenderResponse response;
  const grpc::Status status = stub_->Render(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("memory budget"));
}

}  // namespace
}  // namespace ddsp::server
