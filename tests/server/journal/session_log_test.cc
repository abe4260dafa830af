#include "server/journal/session_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "server/errors/errors.h"
#include "server/tracing/tracer.h"

namespace ddsp::server {
namespace {

class SessionLogTest : public ::testing::Test {
 protected:
  std::vector<nlohmann::json> Lines() {
    log_.Flush();
    std::vector<nlohmann::json> lines;
    for (const absl::string_view line : absl::StrSplit(text_, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
  }
  SessionFacts Facts() {
    SessionFacts facts{.id = "ab12", .origin = {.peer = "ipv4:10.0.0.7:5", .request_id = "r-1"}, .model = "violin/1"};
    facts.started = true;
    facts.age = absl::Seconds(3);
    facts.input_samples = 48000;
    facts.output_samples = 47168;
    facts.underruns = 2;
    return facts;
  }

  SimClock clock_;
  RateLimit refusals_{{.per_second = 1, .burst = 1}, clock_};
  std::string text_;
  Log log_{{.format = LogFormat::kJson}, [this](std::string_view lines) {
             text_ += lines;
             return true;
           }};
  SessionLog journal_{&log_, refusals_};
  std::vector<SpanRecord> spans_;
  const Tracer tracer_{{.ratio = 1}, [this](SpanRecord span) { spans_.push_back(std::move(span)); }, clock_};
};

TEST_F(SessionLogTest, TellsWhoBeganAndHowItEnded) {
  journal_.Started(Facts());
  journal_.Ended(Facts(), absl::OkStatus());
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["event"], "session.started");
  for (const auto& line : lines) {
    EXPECT_EQ(line["session_id"], "ab12");
    EXPECT_EQ(line["request_id"], "r-1");
    EXPECT_EQ(line["model"], "violin/1");
    EXPECT_EQ(line["peer"], "ipv4:10.0.0.7:5");
  }
  EXPECT_EQ(lines[0]["input"], "pcm_f32le@16000");
  EXPECT_EQ(lines[1]["event"], "session.ended");
  EXPECT_EQ(lines[1]["seconds"], 3);
  EXPECT_EQ(lines[1]["input_samples"], 48000);
  EXPECT_EQ(lines[1]["underruns"], 2);
  EXPECT_EQ(lines[1]["code"], "OK");
}

// Who goes on elsewhere has not failed, whatever the call's status says.
TEST_F(SessionLogTest, TellsHowSessionsEnded) {
  const absl::Status draining = MakeError(Reason::kServerDraining, "this server goes");
  const struct {
    std::string_view end;
    absl::Status status;
    std::string message;
  } kEnds[] = {{"client_close", absl::OkStatus(), "session ended"},
               {"migrated", draining, "session moved"},
               {"drained", draining, "session drained"},
               {"shed", MakeError(Reason::kServerOverloaded, "too slow for all"), "session sent away"},
               {"cancelled", absl::CancelledError("the client has gone"), "session cancelled"},
               {"idle", MakeError(Reason::kSessionIdleTimeout, "nothing came"), "session failed"}};
  for (const auto& end : kEnds) {
    SessionFacts facts = Facts();
    facts.end = end.end;
    journal_.Ended(facts, end.status);
  }
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), std::size(kEnds));
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["end"], std::string(kEnds[i].end));
    EXPECT_EQ(lines[i]["message"], kEnds[i].message);
    EXPECT_EQ(lines[i]["level"], "info");
  }
  EXPECT_EQ(lines[1]["reason"], "SERVER_DRAINING");
}

TEST_F(SessionLogTest, TheServersFaultIsAnError) {
  journal_.Ended(Facts(), MakeError(Reason::kModelNumericFault, "NaN at hop 7"));
  journal_.Ended(Facts(), MakeError(Reason::kSessionIdleTimeout, "nothing came"));
  const auto lines = Lines();
  EXPECT_EQ(lines.at(0)["level"], "error");
  EXPECT_EQ(lines.at(0)["reason"], "MODEL_NUMERIC_FAULT");
  EXPECT_EQ(lines.at(0)["error"], "NaN at hop 7");
  EXPECT_EQ(lines.at(1)["level"], "info");
}

TEST_F(SessionLogTest, AFloodOfRefusalsIsAFewLines) {
  SessionFacts refused = Facts();
  refused.started = false;
  const absl::Status full = MakeError(Reason::kSessionSlotsExhausted, "all taken");
  for (int i = 0; i < 1000; ++i) journal_.Ended(refused, full);
  journal_.Ended(refused, MakeError(Reason::kModelNotFound, "no kazoo"));
  clock_.Advance(absl::Seconds(1));
  journal_.Ended(refused, full);
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["event"], "session.refused");
  EXPECT_FALSE(lines[0].contains("not_told"));
  EXPECT_EQ(lines[1]["reason"], "MODEL_NOT_FOUND");
  EXPECT_EQ(lines[2]["not_told"], 999);
}

TEST_F(SessionLogTest, TracedSessionsHaveEvents) {
  SessionFacts facts = Facts();
  facts.origin.span = tracer_.Begin("StreamSession", std::nullopt);
  journal_.Started(facts);
  journal_.Playing(facts);
  journal_.Ended(facts, absl::OkStatus());
  facts.origin.span->End();
  ASSERT_EQ(spans_.size(), 1u);
  std::vector<std::string> events;
  for (const auto& event : spans_[0].events) events.emplace_back(event.name);
  EXPECT_THAT(events, ::testing::ElementsAre("session.started", "session.blocks", "session.ended"));
  EXPECT_EQ(Lines().at(0)["trace_id"], HexOf(spans_[0].context.trace_id));
}

TEST_F(SessionLogTest, WithoutALogItIsSilent) {
  SessionLog journal(nullptr, refusals_);
  journal.Started(Facts());
  journal.Ended(Facts(), absl::OkStatus());
  EXPECT_EQ(Lines().size(), 0u);
}

}  // namespace
}  // namespace ddsp::server
