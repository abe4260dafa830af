#include "server/rpc/call_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using ::testing::HasSubstr;

constexpr char kRender[] = "/ddsp.v1.Synthesis/Render";

std::string TrailerOf(const CallRecord::Trailers& trailers, const std::string& key) {
  for (const auto& [name, value] : trailers) {
    if (name == key) return value;
  }
  return "(none)";
}

class CallRecordTest : public ::testing::Test {
 protected:
  const SpanRecord& span() { return spans_.at(0); }
  std::string Attribute(const std::string& key) {
    for (const auto& attribute : span().attributes) {
      if (attribute.key == key) return std::get<std::string>(attribute.value);
    }
    return "(none)";
  }
  CallRecord Begin(const CallRecord::Metadata& metadata, const std::string& method = kRender, bool is_known = true) {
    CallRecord record;
    record.Begin(&services_, method, is_known, metadata, "ipv4:10.0.0.7:5");
    return record;
  }

  SimClock clock_;
  ServerMetrics metrics_;
  std::vector<SpanRecord> spans_;
  const Tracer tracer_{{.ratio = 0}, [this](SpanRecord span) { spans_.push_back(std::move(span)); }, clock_};
  MemoryBudget memory_{100};
  CallServices services_{.metrics = &metrics_, .clock = &clock_, .tracer = &tracer_, .memory = &memory_};
};

TEST_F(CallRecordTest, GivesTheClientItsOwnId) {
  CallRecord record = Begin({{"x-request-id", "job-7/part.2"}});
  EXPECT_EQ(record.request_id(), "job-7/part.2");
  record.SetSession("ab12");
  const auto trailers = record.End(absl::OkStatus());
  EXPECT_EQ(TrailerOf(trailers, "x-request-id"), "job-7/part.2");
  EXPECT_EQ(TrailerOf(trailers, "ddsp-session-id"), "ab12");
}

TEST_F(CallRecordTest, MakesUpAnIdWhereThereIsNone) {
  CallRecord first = Begin({}), second = Begin({});
  EXPECT_EQ(first.request_id().size(), 32u);
  EXPECT_NE(first.request_id(), second.request_id());
  EXPECT_EQ(TrailerOf(first.End(absl::OkStatus()), "ddsp-session-id"), "(none)");
}

TEST(AcceptedRequestId, IsNothingThatHarmsALogOrAHeader) {
  EXPECT_EQ(AcceptedRequestId("a-Z_0.9:/+=@"), "a-Z_0.9:/+=@");
  for (const std::string& bad :
       {std::string(""), std::string("a b"), std::string("a\nb"), std::string("\xff"), std::string(129, 'a')}) {
    EXPECT_EQ(AcceptedRequestId(bad), "");
  }
}

TEST_F(CallRecordTest, CountsByMethodAndStatus) {
  CallRecord record = Begin({});
  clock_.Advance(absl::Seconds(3));
  record.End(MakeError(Reason::kSessionSlotsExhausted, "full"));
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("grpc_server_call_started_total{method=\"ddsp.v1.Synthesis/Render\"} 1"));
  EXPECT_THAT(text, HasSubstr("grpc_server_call_duration_seconds_sum{method=\"ddsp.v1.Synthesis/Render\",status="
                              "\"UNAVAILABLE\"} 3"));
  EXPECT_EQ(metrics_.calls_failed(), 1);
}

// A client must not make series of ours.
TEST_F(CallRecordTest, MethodsThatAreNotThereAreOne) {
  Begin({}, "/made.up/Name", false).End(absl::UnimplementedError("no such method"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("grpc_server_call_started_total{method=\"other\"} 1"));
  EXPECT_THAT(metrics_.Text(), ::testing::Not(HasSubstr("made.up")));
}

TEST_F(CallRecordTest, TracesWhatItsCallerTraces) {
  CallRecord record = Begin({{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                             {"tracestate", "vendor=1"},
                             {"x-request-id", "r"}});
  clock_.Advance(absl::Seconds(1));
  record.End(MakeError(Reason::kModelNotFound, "no kazoo"));
  ASSERT_EQ(spans_.size(), 1u);
  EXPECT_EQ(HexOf(span().context.trace_id), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(HexOf(span().parent_id), "b7ad6b7169203331");
  EXPECT_EQ(span().context.state, "vendor=1");
  EXPECT_EQ(span().name, "ddsp.v1.Synthesis/Render");
  EXPECT_EQ(Attribute("rpc.system.name"), "grpc");
  EXPECT_EQ(Attribute("rpc.method"), "ddsp.v1.Synthesis/Render");
  EXPECT_EQ(Attribute("rpc.response.status_code"), "NOT_FOUND");
  EXPECT_EQ(Attribute("error.type"), "MODEL_NOT_FOUND");
  EXPECT_EQ(Attribute("ddsp.request.id"), "r");
  EXPECT_TRUE(span().failed);
  EXPECT_EQ(span().end - span().begin, absl::Seconds(1));
}

TEST_F(CallRecordTest, WithoutACallersTraceTheRatioDecides) {
  EXPECT_EQ(Begin({}).span(), nullptr);
  EXPECT_EQ(Begin({{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}}).span(), nullptr);
}

TEST_F(CallRecordTest, ReportsTheLoadWithEachEnd) {
  services_.load_report = [] { return std::string("report"); };
  EXPECT_EQ(TrailerOf(Begin({}).End(absl::OkStatus()), "endpoint-load-metrics-bin"), "report");
}

TEST_F(CallRecordTest, KeepsNoMoreThanTheBudget) {
  {
    CallRecord record = Begin({});
    EXPECT_TRUE(record.Keep(60).ok());
    EXPECT_TRUE(record.Keep(40).ok());
    EXPECT_EQ(ReasonOf(record.Keep(1)), "MEMORY_EXHAUSTED");
    EXPECT_EQ(memory_.used(MemoryUse::kCalls), 100);
  }
  EXPECT_EQ(memory_.used(), 0);
}

TEST_F(CallRecordTest, NobodyNeedsToKeepRecords) {
  CallRecord record;
  record.Begin(nullptr, kRender, true, {}, "peer");
  EXPECT_TRUE(record.Keep(1 << 30).ok());
  EXPECT_EQ(TrailerOf(record.End(absl::OkStatus()), "x-request-id").size(), 32u);
}

}  // namespace
}  // namespace ddsp::server
