#include "server/tracing/otlp_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/security/test_pki.h"
#include "tests/server/tracing/fake_collector.h"

namespace ddsp::server {
namespace {

using ddsp::testing::AttributeOf;
using ddsp::testing::FakeCollector;
using ddsp::testing::TestAuthority;

SpanRecord SomeSpan(const std::string& name) {
  SpanRecord span{
      .name = name, .begin = absl::UnixEpoch() + absl::Seconds(1), .end = absl::UnixEpoch() + absl::Seconds(3)};
  span.context.trace_id.fill(1);
  span.context.span_id.fill(2);
  span.parent_id.fill(3);
  return span;
}

OtlpExporter::Options To(const std::string& endpoint) {
  return {.endpoint = endpoint, .interval = absl::Milliseconds(10), .attempts = 1};
}

TEST(OtlpExporter, SendsWhatTheProtocolWants) {
  FakeCollector collector;
  OtlpExporter exporter(To("http://" + collector.address()), {.version = "9", .instance = "pod-1"});
  SpanRecord span = SomeSpan("ddsp.v1.Synthesis/Render");
  span.attributes = {{"rpc.system.name", std::string("grpc")}, {"blocks", int64_t{5}}, {"share", 0.5}, {"ok", true}};
  span.events = {{.time = span.begin, .name = "session.started", .attributes = {{"n", int64_t{1}}}}};
  span.failed = true;
  span.error = "no room";
  exporter.Take(span);
  exporter.Flush();
  const auto requests = collector.requests();
  ASSERT_EQ(requests.size(), 1u);
  const auto& resource = requests[0].resource_spans(0);
  EXPECT_EQ(AttributeOf(resource.resource(), "service.name"), "ddsp-server");
  EXPECT_EQ(AttributeOf(resource.resource(), "service.instance.id"), "pod-1");
  const FakeCollector::Span& sent = resource.scope_spans(0).spans(0);
  EXPECT_EQ(sent.trace_id(), std::string(16, '\1'));
  EXPECT_EQ(sent.span_id(), std::string(8, '\2'));
  EXPECT_EQ(sent.parent_span_id(), std::string(8, '\3'));
  EXPECT_EQ(sent.name(), "ddsp.v1.Synthesis/Render");
  EXPECT_EQ(sent.kind(), FakeCollector::Span::SPAN_KIND_SERVER);
  EXPECT_EQ(sent.start_time_unix_nano(), 1'000'000'000u);
  EXPECT_EQ(sent.end_time_unix_nano(), 3'000'000'000u);
  EXPECT_EQ(AttributeOf(sent, "rpc.system.name"), "grpc");
  EXPECT_EQ(AttributeOf(sent, "blocks"), "5");
  EXPECT_EQ(sent.events(0).name(), "session.started");
  EXPECT_EQ(sent.status().code(), opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(sent.status().message(), "no room");
  EXPECT_EQ(exporter.counts().sent, 1);
}

TEST(OtlpExporter, ARootHasNoParent) {
  FakeCollector collector;
  OtlpExporter exporter(To(collector.address()), {});
  SpanRecord root = SomeSpan("root");
  root.parent_id = {};
  exporter.Take(root);
  exporter.Flush();
  EXPECT_EQ(collector.spans().at(0).parent_span_id(), "");
  EXPECT_FALSE(collector.spans().at(0).has_status());
}

TEST(OtlpExporter, SendsInBatches) {
  FakeCollector collector;
  OtlpExporter::Options options = To(collector.address());
  options.max_batch = 10;
  OtlpExporter exporter(options, {});
  for (int i = 0; i < 25; ++i) exporter.Take(SomeSpan("span"));
  exporter.Flush();
  EXPECT_EQ(collector.spans().size(), 25u);
  EXPECT_GE(collector.requests().size(), 3u);
}

TEST(OtlpExporter, CountsWhatACollectorThatIsAwayDoesNotGet) {
  int port = 0;
  {
    FakeCollector gone;
    port = std::stoi(gone.address().substr(gone.address().find(':') + 1));
  }
  OtlpExporter exporter(To("127.0.0.1:" + std::to_string(port)), {});
  for (int i = 0; i < 3; ++i) exporter.Take(SomeSpan("span"));
  exporter.Flush();
  EXPECT_EQ(exporter.counts().dropped, 3);
  EXPECT_EQ(exporter.counts().sent, 0);
}

// Theorem: a collector that does not answer holds up nobody, and what finds no room is counted.
TEST(OtlpExporter, WhoEndsSpansNeverWaits) {
  FakeCollector collector;
  collector.Hold();
  OtlpExporter::Options options = To(collector.address());
  options.max_queue = 20;
  options.timeout = absl::Minutes(5);
  OtlpExporter exporter(options, {});
  exporter.Take(SomeSpan("held"));
  collector.AwaitCall();
  for (int i = 0; i < 100; ++i) exporter.Take(SomeSpan("span"));
  EXPECT_EQ(exporter.counts().dropped, 80);
  collector.Answer();
  exporter.Flush();
  EXPECT_EQ(exporter.counts().sent, 21);
}

TEST(OtlpExporter, TriesAgainWhatMayPass) {
  FakeCollector collector;
  collector.Say(grpc::Status(grpc::StatusCode::UNAVAILABLE, "later"));
  OtlpExporter::Options options = To(collector.address());
  options.attempts = 100;
  options.first_wait = absl::Milliseconds(1);
  OtlpExporter exporter(options, {});
  exporter.Take(SomeSpan("span"));
  collector.AwaitCall();
  collector.Say(grpc::Status::OK);
  exporter.Flush();
  EXPECT_EQ(exporter.counts().sent, 1);
  EXPECT_GE(collector.calls(), 2);
}

TEST(OtlpExporter, DropsWhatACollectorRefuses) {
  FakeCollector collector;
  collector.Say(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no"));
  OtlpExporter::Options options = To(collector.address());
  options.attempts = 100;
  OtlpExporter exporter(options, {});
  exporter.Take(SomeSpan("span"));
  exporter.Flush();
  EXPECT_EQ(collector.calls(), 1);
  EXPECT_EQ(exporter.counts().dropped, 1);
}

std::shared_ptr<grpc::ServerCredentials> CertifiedBy(const TestAuthority& authority) {
  const ddsp::testing::PemPair pair = authority.Issue("collector", {"IP:127.0.0.1"});
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({pair.key, pair.certificate});
  return grpc::SslServerCredentials(options);
}

TEST(OtlpExporter, SendsByTlsToWhomItsAuthorityKnows) {
  const TestAuthority ours("ours"), theirs("theirs");
  FakeCollector collector(CertifiedBy(ours)), stranger(CertifiedBy(theirs));
  const auto send = [&](const std::string& address, const std::string& ca) {
    OtlpExporter::Options options = To(address);
    options.ca_certificates = ca;
    OtlpExporter exporter(options, {});
    exporter.Take(SomeSpan("span"));
    exporter.Flush();
    return exporter.counts().sent;
  };
  EXPECT_EQ(send("https://" + collector.address(), ours.certificate()), 1);
  EXPECT_EQ(send("https://" + stranger.address(), ours.certificate()), 0);
  EXPECT_EQ(send("https://" + collector.address(), ""), 0) << "the system does not know it";
  EXPECT_EQ(send("http://" + collector.address(), ""), 0);
  EXPECT_EQ(collector.spans().size(), 1u);
  EXPECT_EQ(stranger.spans().size(), 0u);
}

TEST(OtlpExporter, LastSpansGoOutAtTheEnd) {
  FakeCollector collector;
  {
    OtlpExporter::Options options = To(collector.address());
    options.interval = absl::Hours(1);
    OtlpExporter exporter(options, {});
    exporter.Take(SomeSpan("last"));
  }
  EXPECT_EQ(collector.spans().size(), 1u);
}

}  // namespace
}  // namespace ddsp::server
