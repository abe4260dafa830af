#include "server/tracing/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace ddsp::server {
namespace {

class TracerTest : public ::testing::Test {
 protected:
  Tracer Make(double ratio) {
    return Tracer(
        {.ratio = ratio}, [this](SpanRecord span) { ended_.push_back(std::move(span)); }, clock_);
  }
  SimClock clock_;
  std::vector<SpanRecord> ended_;
};

SpanContext Parent(bool sampled) {
  SpanContext context{.sampled = sampled, .state = "vendor=1"};
  context.trace_id.fill(7);
  context.span_id.fill(9);
  return context;
}

TEST_F(TracerTest, AChildIsOfItsParentsTrace) {
  const Tracer tracer = Make(0);
  const auto span = tracer.Begin("Render", Parent(true));
  ASSERT_NE(span, nullptr);
  span->Set("rpc.method", std::string("Render"));
  clock_.Advance(absl::Milliseconds(20));
  span->AddEvent("half");
  clock_.Advance(absl::Milliseconds(20));
  span->EndFailed("broken");
  ASSERT_EQ(ended_.size(), 1u);
  const SpanRecord& record = ended_[0];
  EXPECT_EQ(record.context.trace_id, Parent(true).trace_id);
  EXPECT_EQ(record.parent_id, Parent(true).span_id);
  EXPECT_NE(record.context.span_id, record.parent_id);
  EXPECT_EQ(record.context.state, "vendor=1");
  EXPECT_EQ(record.end - record.begin, absl::Milliseconds(40));
  EXPECT_EQ(record.events.at(0).time - record.begin, absl::Milliseconds(20));
  EXPECT_TRUE(record.failed);
}

TEST_F(TracerTest, TheParentDecides) {
  EXPECT_EQ(Make(1).Begin("Render", Parent(false)), nullptr);
  EXPECT_NE(Make(0).Begin("Render", Parent(true)), nullptr);
}

TEST_F(TracerTest, RootsAreSampledByTheRatio) {
  EXPECT_EQ(Make(0).Begin("Render", std::nullopt), nullptr);
  const Tracer tracer = Make(0.25);
  std::set<std::string> traces;
  for (int i = 0; i < 4000; ++i) {
    if (const auto span = tracer.Begin("Render", std::nullopt)) traces.insert(HexOf(span->context().trace_id));
  }
  // Five standard deviations of 1000.
  EXPECT_NEAR(static_cast<double>(traces.size()), 1000, 137) << "each with a trace of its own";
}

TEST_F(TracerTest, EndsOnce) {
  const Tracer tracer = Make(1);
  const auto span = tracer.Begin("Render", std::nullopt);
  span->End();
  span->EndFailed("too late");
  span->AddEvent("too late");
  EXPECT_EQ(ended_.size(), 1u);
  EXPECT_FALSE(ended_[0].failed);
  EXPECT_EQ(span->context(), ended_[0].context) << "for those who still talk of it";
}

TEST_F(TracerTest, EventsAreBounded) {
  const Tracer tracer = Make(1);
  const auto span = tracer.Begin("StreamSession", std::nullopt);
  for (int i = 0; i < 1000; ++i) span->AddEvent("block");
  span->End();
  EXPECT_EQ(ended_.at(0).events.size(), 128u);
  EXPECT_EQ(ended_.at(0).dropped_events, 872);
}

}  // namespace
}  // namespace ddsp::server
