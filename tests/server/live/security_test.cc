// Who gets in, over the wire: certificates, tokens, roles, quotas, and what probes see of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "ddsp/v1/graph.grpc.pb.h"
#include "ddsp/v1/models.grpc.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "server/security/api_key.h"
#include "tests/server/live/live_server.h"
#include "tests/server/security/test_pki.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::HasSubstr;
using ::testing::Not;

struct Refusal {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string reason, quota_subject, text;
  std::map<std::string, std::string> metadata;
};

Refusal RefusalOf(const grpc::Status& status) {
  Refusal refusal{.code = status.error_code(), .text = status.error_message()};
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::QuotaFailure quota;
    if (detail.UnpackTo(&info)) {
      refusal.reason = info.reason();
      refusal.metadata = {info.metadata().begin(), info.metadata().end()};
    } else if (detail.UnpackTo(&quota)) {
      refusal.quota_subject = quota.violations(0).subject();
    }
  }
  return refusal;
}

class SecurityTest : public ::testing::Test {
 protected:
  ~SecurityTest() override {
    if (server_ == nullptr) return;
    server_->BeginDrain();
    server_->FinishDrain(absl::Seconds(5));
  }

  void Start() {
    options_.say = [this](const std::string& line) {
      const MutexLock lock(&said_mu_);
      said_ += line + "\n";
    };
    auto server = Server::Start(options_, FakeVoices(options_.max_sessions));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  void UseCertificate(const PemPair& pair) {
    options_.security.tls = {.cert_file = folder_ + "/tls.crt", .key_file = folder_ + "/tls.key", .client_ca_file = ""};
    WriteText(options_.security.tls.cert_file, pair.certificate);
    WriteText(options_.security.tls.key_file, pair.key);
  }
  void AskForClientCertificates() {
    options_.security.tls.client_ca_file = folder_ + "/ca.crt";
    WriteText(options_.security.tls.client_ca_file, authority_.certificate());
  }
  void UseKeys(const std::string& text) {
    options_.security.keys_file = folder_ + "/keys.textproto";
    WriteText(options_.security.keys_file, text);
  }
  static std::string KeyLine(const std::string& key, const std::string& rest) {
    return absl::StrCat("key { tenant: \"studio\" sha256: \"", HexOf(HashOfKey(key)), "\" ", rest, " }\n");
  }

  // A connection of its own. `client`: what the client shows; may be empty.
  std::shared_ptr<grpc::Channel> Secure(const PemPair& client = {}) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const grpc::SslCredentialsOptions options{authority_.certificate(), client.key, client.certificate};
    return grpc::CreateCustomChannel(absl::StrCat("localhost:", server_->port()), grpc::SslCredentials(options),
                                     arguments);
  }

  // A short session. Returns its status; `peer` is the server's certificate then.
  grpc::Status Play(const std::shared_ptr<grpc::Channel>& channel, const std::string& token = "",
                    std::string* peer = nullptr, const std::string& model = "violin") {
    const auto stub = v1::Synthesis::NewStub(channel);
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    const auto stream = stub->StreamSession(&context);
    v1::SessionConfig config = FloatConfig();
    config.set_model(model);
    stream->Write(Request(config));
    stream->WritesDone();
    v1::StreamSessionResponse response;
    while (stream->Read(&response)) {
    }
    grpc::Status status = stream->Finish();
    initial_metadata_ = context.GetServerInitialMetadata().size();
    const auto pushback = context.GetServerTrailingMetadata().find("grpc-retry-pushback-ms");
    pushback_ = pushback == context.GetServerTrailingMetadata().end()
                    ? ""
                    : std::string(pushback->second.data(), pushback->second.size());
    if (peer != nullptr) {
      const auto pem = context.auth_context()->FindPropertyValues("x509_pem_cert");
      *peer = pem.empty() ? "" : std::string(pem[0].data(), pem[0].size());
    }
    return status;
  }

  grpc::Status Run(const std::shared_ptr<grpc::Channel>& channel, const std::string& token) {
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    v1::RunGraphResponse response;
    return v1::Graph::NewStub(channel)->Run(&context, {}, &response);
  }

  // Of the plain port of probes.
  std::string Probe(const std::string& service) { return Health(ChannelTo(server_->health_port()), service); }

  // "SERVING", ... or the code.
  static std::string Health(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    grpc::health::v1::HealthCheckResponse response;
    request.set_service(service);
    const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC,
                                           channel);
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse,
                                          google::protobuf::MessageLite, google::protobuf::MessageLite>(
            channel.get(), method, &context, request, &response);
    return status.ok() ? grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status())
                       : absl::StrCat(status.error_code());
  }

  const std::string folder_ = FreshFolder("security_test");
  const TestAuthority authority_{"authority"}, stranger_{"stranger"};
  const PemPair one_ = authority_.Issue("one", {"DNS:localhost"}), two_ = authority_.Issue("two", {"DNS:localhost"});
  ServerOptions options_ = LocalOptions(2);
  std::unique_ptr<Server> server_;
  Mutex said_mu_;
  std::string said_, pushback_;
  size_t initial_metadata_ = 0;
};

TEST_F(SecurityTest, TlsCarriesASession) {
  UseCertificate(one_);
  Start();
  std::string peer;
  const grpc::Status status = Play(Secure(), "", &peer);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(peer, one_.certificate);
  const auto stub = v1::Synthesis::NewStub(Secure());
  EXPECT_GT(StreamThrough(*stub, FloatConfig(), Ramp(3200), 640).size(), 1000u);
  EXPECT_FALSE(Play(ChannelTo(server_->port())).ok()) << "plain text";
}

TEST_F(SecurityTest, EveryPortHasTls) {
  UseCertificate(one_);
  options_.admin_listen = "127.0.0.1:0";
  Start();
  const grpc::SslCredentialsOptions ssl{
      .pem_root_certs = authority_.certificate(), .pem_private_key = "", .pem_cert_chain = ""};
  for (const int port : {server_->port(), server_->admin_port()}) {
    const auto channel = grpc::CreateChannel(absl::StrCat("localhost:", port), grpc::SslCredentials(ssl));
    EXPECT_EQ(Health(channel, ""), "SERVING") << port;
  }
}

TEST_F(SecurityTest, AReplacedCertificateHoldsForNewConnectionsWhileASessionGoesOn) {
  UseCertificate(one_);
  Start();
  const auto stub = v1::Synthesis::NewStub(Secure());
  LiveCall live(*stub);
  live.Send(Request(FloatConfig()));
  ASSERT_TRUE(live.Read()->has_started());
  UseCertificate(two_);
  std::string peer;
  EXPECT_TRUE(Play(Secure(), "", &peer).ok());
  EXPECT_EQ(peer, two_.certificate);
  EXPECT_THAT(said_, HasSubstr("new certificate"));
  live.Send(AudioRequest(0, 0, Ramp(640)));
  live.HalfClose();
  EXPECT_TRUE(live.Finish().ok()) << live.Finish().error_message();
}

TEST_F(SecurityTest, FilesThatDoNotBelongTogetherAreNotTaken) {
  UseCertificate(one_);
  Start();
  UseCertificate({two_.certificate, one_.key});
  std::string peer;
  EXPECT_TRUE(Play(Secure(), "", &peer).ok());
  EXPECT_EQ(peer, one_.certificate);
  EXPECT_THAT(said_, HasSubstr("stay as they were"));
  options_.listen = "127.0.0.1:0";
  EXPECT_THAT(std::string(Server::Start(options_, FakeVoices(2)).status().message()), HasSubstr("--tls-key"));
}

TEST_F(SecurityTest, ClientsShowCertificates) {
  UseCertificate(one_);
  AskForClientCertificates();
  Start();
  EXPECT_TRUE(Play(Secure(authority_.Issue("client", {"DNS:client"}))).ok());
  EXPECT_EQ(Play(Secure()).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Play(Secure(stranger_.Issue("client", {"DNS:client"}))).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SecurityTest, ACertificateTellsWhoItIs) {
  UseCertificate(one_);
  AskForClientCertificates();
  UseKeys("certificate { tenant: \"studio\" role: STREAM san: \"spiffe://test/app\" }");
  Start();
  EXPECT_TRUE(Play(Secure(authority_.Issue("client", {"URI:spiffe://test/app"}))).ok());
  EXPECT_EQ(RefusalOf(Play(Secure(authority_.Issue("client", {"URI:spiffe://test/other"})))).reason, "TOKEN_MISSING");
}

TEST_F(SecurityTest, RefusesWithoutAToken) {
  UseKeys(KeyLine("k", "role: STREAM"));
  Start();
  const Refusal refusal = RefusalOf(Play(ChannelTo(server_->port())));
  EXPECT_EQ(refusal.code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(refusal.reason, "TOKEN_MISSING");
  EXPECT_EQ(initial_metadata_, 0u);
  EXPECT_EQ(server_->live_sessions(), 0);
  EXPECT_THAT(server_->MetricsText(), HasSubstr("ddsp_calls_refused_total{reason=\"TOKEN_MISSING\"} 1"));
}

TEST_F(SecurityTest, RefusesAnUnknownToken) {
  UseKeys(KeyLine("k", "role: STREAM"));
  Start();
  const Refusal refusal = RefusalOf(Play(ChannelTo(server_->port()), "another-key"));
  EXPECT_EQ(refusal.code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(refusal.reason, "TOKEN_INVALID");
  EXPECT_THAT(refusal.text, Not(HasSubstr("another-key")));
  EXPECT_EQ(server_->live_sessions(), 0);
  EXPECT_TRUE(Play(ChannelTo(server_->port()), "k").ok());
}

TEST_F(SecurityTest, RefusesWithoutTheRole) {
  UseKeys(KeyLine("k", "role: PUBLISH"));
  Start();
  const Refusal refusal = RefusalOf(Play(ChannelTo(server_->port()), "k"));
  EXPECT_EQ(refusal.code, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(refusal.reason, "ROLE_MISSING");
  EXPECT_EQ(refusal.metadata.at("role"), "stream");
  EXPECT_EQ(initial_metadata_, 0u);
  EXPECT_EQ(server_->live_sessions(), 0);
}

TEST_F(SecurityTest, StrangersLearnNothingOfWhatThereIs) {
  UseKeys(KeyLine("k", "role: STREAM"));
  Start();
  const auto channel = ChannelTo(server_->port());
  const std::string text = RefusalOf(Play(channel, "", nullptr, "violin")).text;
  EXPECT_EQ(RefusalOf(Play(channel, "", nullptr, "no-such-voice")).text, text);
  EXPECT_EQ(RefusalOf(Run(channel, "")).text, text);
  // Not even of methods that there are not: without a data dir there are no jobs, without a repository no models.
  grpc::ClientContext context;
  v1::ListModelsResponse response;
  EXPECT_EQ(RefusalOf(v1::Models::NewStub(channel)->List(&context, {}, &response)).text, text);
}

TEST_F(SecurityTest, ATenantHasItsSessions) {
  UseKeys("tenant { name: \"studio\" max_sessions: 1 }\n" + KeyLine("k", "role: STREAM"));
  Start();
  const auto channel = ChannelTo(server_->port());
  const auto stub = v1::Synthesis::NewStub(channel);
  {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer k");
    const auto stream = stub->StreamSession(&context);
    stream->Write(Request(FloatConfig()));
    v1::StreamSessionResponse response;
    ASSERT_TRUE(stream->Read(&response) && response.has_started());
    const Refusal refusal = RefusalOf(Play(channel, "k"));
    EXPECT_EQ(refusal.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(refusal.reason, "SESSION_QUOTA_EXCEEDED");
    EXPECT_EQ(refusal.quota_subject, "tenant:studio");
    EXPECT_EQ(refusal.metadata.at("limit"), "1");
    EXPECT_EQ(pushback_, "-1");
    EXPECT_EQ(initial_metadata_, 0u);
    EXPECT_EQ(server_->live_sessions(), 1);
    stream->WritesDone();
    while (stream->Read(&response)) {
    }
    EXPECT_TRUE(stream->Finish().ok());
  }
  // The client is told before the server has put the call away.
  while (server_->live_sessions() > 0) {
  }
  grpc::Status again = Play(channel, "k");
  while (RefusalOf(again).reason == "SESSION_QUOTA_EXCEEDED") again = Play(channel, "k");
  EXPECT_TRUE(again.ok()) << again.error_message();
}

// Somebody holds a call open, and never says what it is to do.
TEST_F(SecurityTest, ATenantHasItsCalls) {
  UseKeys("tenant { name: \"studio\" max_calls: 1 }\n" + KeyLine("k", "role: STREAM"));
  Start();
  const auto channel = ChannelTo(server_->port());
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer k");
  const auto held = stub.PrepareCall(&context, "/ddsp.v1.Graph/Run", &queue);
  void* tag = nullptr;
  bool ok = false;
  held->StartCall(nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  // It is on its way before, but the server may not have seen it yet.
  Refusal refusal = RefusalOf(Run(channel, "k"));
  while (refusal.reason != "CALL_QUOTA_EXCEEDED") refusal = RefusalOf(Run(channel, "k"));
  EXPECT_EQ(refusal.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refusal.quota_subject, "tenant:studio");
  EXPECT_TRUE(Play(channel, "k").ok()) << "sessions are counted apart";
  context.TryCancel();
  while (refusal.reason == "CALL_QUOTA_EXCEEDED") refusal = RefusalOf(Run(channel, "k"));
  EXPECT_EQ(refusal.reason, "INVALID_GRAPH") << "it is answered again: what it asks for is no graph";
  grpc::Status status;
  held->Finish(&status, nullptr);
  EXPECT_TRUE(queue.Next(&tag, &ok));
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
}

TEST_F(SecurityTest, ATokenOfAnIssuerPlays) {
  const std::shared_ptr<EVP_PKEY> key = MakeCurveKey();
  options_.security.jwt = {
      .keys_file = folder_ + "/issuer.pem", .algorithm = "ES256", .issuer = "i", .audience = "ddsp"};
  WriteText(options_.security.jwt.keys_file, PublicPem(key.get()));
  Start();
  const auto token = [&](int64_t expires) {
    return SignToken(
        absl::StrCat("{\"iss\":\"i\",\"aud\":\"ddsp\",\"sub\":\"a\",\"roles\":[\"stream\"],\"exp\":", expires, "}"),
        JWT_ALG_ES256, PrivatePem(key.get()));
  };
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  const grpc::Status played = Play(ChannelTo(server_->port()), token(now + 600));
  EXPECT_TRUE(played.ok()) << played.error_message();
  EXPECT_EQ(RefusalOf(Play(ChannelTo(server_->port()), token(now - 600))).reason, "TOKEN_INVALID");
}

TEST_F(SecurityTest, KeysAreReplacedWhileItServes) {
  UseKeys(KeyLine("old", "role: STREAM"));
  Start();
  UseKeys(KeyLine("brand-new", "role: STREAM"));
  server_->KeepHouse();
  EXPECT_TRUE(Play(ChannelTo(server_->port()), "brand-new").ok());
  EXPECT_EQ(RefusalOf(Play(ChannelTo(server_->port()), "old")).reason, "TOKEN_INVALID");
  EXPECT_THAT(said_, Not(HasSubstr("brand-new")));
}

TEST_F(SecurityTest, ProbesNeedNeitherCertificateNorToken) {
  UseCertificate(one_);
  UseKeys(KeyLine("k", "role: STREAM"));
  options_.health_listen = "127.0.0.1:0";
  Start();
  for (const char* service : {"", "liveness", "readiness"}) EXPECT_EQ(Probe(service), "SERVING") << service;
  EXPECT_EQ(Probe("model/violin"), absl::StrCat(grpc::StatusCode::NOT_FOUND)) << "no news for strangers";
  server_->AnnounceDrain();
  EXPECT_EQ(Probe("readiness"), "NOT_SERVING");
  EXPECT_EQ(Probe("liveness"), "SERVING");
}

}  // namespace
}  // namespace ddsp::server
