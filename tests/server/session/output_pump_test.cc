#include "server/session/output_pump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/session/responses.h"

namespace ddsp::server {
namespace {

class NotingOutlet : public SessionOutlet {
 public:
  void Write(v1::StreamSessionResponse message, bool more) override {
    messages.push_back(std::move(message));
    more_follow.push_back(more);
  }
  void Finish(const absl::Status& status) override { finished = status; }
  void GiveUp() override { ++given_up; }

  std::vector<v1::StreamSessionResponse> messages;
  std::vector<bool> more_follow;
  std::optional<absl::Status> finished;
  int given_up = 0;
};

class OutputPumpTest : public ::testing::Test, public OutputPump::Observer {
 protected:
  void Writing(const OutputItem&) override {}
  void RoomAgain() override { ++rooms_; }

  void PushAudio(int samples) {
    std::vector<OutputItem> items(1);
    items[0].samples = samples;
    items[0].message.mutable_audio()->set_data(std::string(samples, 'x'));
    pump_.PushMedia(&items);
  }
  void WriteAll() {
    size_t before;
    do {
      before = outlet_.messages.size();
      pump_.Written(true);
    } while (outlet_.messages.size() > before);
  }

  SimClock clock_;
  NotingOutlet outlet_;
  int rooms_ = 0;
  OutputPump pump_{&outlet_, this, &clock_, 1000};
};

TEST_F(OutputPumpTest, WritesOneAtATime) {
  PushAudio(10);
  PushAudio(10);
  EXPECT_EQ(outlet_.messages.size(), 1u);
  pump_.Written(true);
  EXPECT_EQ(outlet_.messages.size(), 2u);
}

TEST_F(OutputPumpTest, UrgentOvertakesMedia) {
  PushAudio(1);  // under way
  PushAudio(2);
  pump_.PushUrgent(MakeCredit(5));
  pump_.Written(true);
  EXPECT_TRUE(outlet_.messages.back().has_credit());
  EXPECT_TRUE(outlet_.more_follow.back());
}

TEST_F(OutputPumpTest, MediaWaitsForCreditAndUrgentDoesNot) {
  pump_.SetCredit(15);
  PushAudio(10);
  PushAudio(10);
  pump_.PushUrgent(MakeCredit(5));
  WriteAll();
  EXPECT_EQ(outlet_.messages.size(), 2u);
  EXPECT_FALSE(outlet_.more_follow.back());  // nothing may be held back for a block that has no credit
  pump_.Grant(5);
  EXPECT_EQ(outlet_.messages.size(), 3u);
}

TEST_F(OutputPumpTest, FinishesWhenAllIsWritten) {
  PushAudio(1);
  PushAudio(2);
  pump_.Close(absl::OkStatus(), OutputPump::Backlog::kDeliver);
  pump_.Written(true);
  EXPECT_FALSE(outlet_.finished.has_value());
  pump_.Written(true);
  EXPECT_EQ(outlet_.finished, absl::OkStatus());
}

TEST_F(OutputPumpTest, DroppingLeavesOnlyTheWriteUnderWay) {
  PushAudio(1);
  PushAudio(2);
  pump_.Close(absl::AbortedError("enough"), OutputPump::Backlog::kDrop);
  EXPECT_FALSE(outlet_.finished.has_value());
  pump_.Written(true);
  EXPECT_EQ(outlet_.finished, absl::AbortedError("enough"));
  EXPECT_EQ(outlet_.messages.size(), 1u);
}

TEST_F(OutputPumpTest, AnErrorNeedsNoCredit) {
  pump_.SetCredit(1);
  PushAudio(2);
  pump_.Close(absl::AbortedError("enough"), OutputPump::Backlog::kDeliver);
  pump_.Written(true);
  EXPECT_EQ(outlet_.messages.size(), 1u);
  EXPECT_TRUE(outlet_.finished.has_value());
}

TEST_F(OutputPumpTest, OnlyTheFirstEndCounts) {
  pump_.Close(absl::AbortedError("first"), OutputPump::Backlog::kDrop);
  pump_.Close(absl::AbortedError("second"), OutputPump::Backlog::kDrop);
  EXPECT_EQ(outlet_.finished, absl::AbortedError("first"));
}

TEST_F(OutputPumpTest, AGoodEndThatWaitsForCreditCanBeAbandoned) {
  pump_.SetCredit(1);
  PushAudio(1);
  PushAudio(2);
  pump_.Written(true);
  pump_.Close(absl::OkStatus(), OutputPump::Backlog::kDeliver);
  EXPECT_FALSE(outlet_.finished.has_value());
  pump_.Abandon(absl::CancelledError("gone"));
  EXPECT_EQ(outlet_.finished, absl::CancelledError("gone"));
  EXPECT_EQ(outlet_.messages.size(), 1u);
}

TEST_F(OutputPumpTest, TellsFullAndRoom) {
  PushAudio(10);
  PushAudio(999);
  EXPECT_TRUE(pump_.full());
  pump_.Written(true);
  EXPECT_FALSE(pump_.full());
  EXPECT_EQ(rooms_, 1);
}

TEST_F(OutputPumpTest, StallIsMeasuredFromTheLastWrite) {
  EXPECT_EQ(pump_.stalled_since(), std::nullopt);
  clock_.Advance(absl::Seconds(5));
  PushAudio(1);
  PushAudio(2);
  clock_.Advance(absl::Seconds(3));
  EXPECT_EQ(clock_.Now() - *pump_.stalled_since(), absl::Seconds(3));
  pump_.Written(true);
  EXPECT_EQ(clock_.Now() - *pump_.stalled_since(), absl::ZeroDuration());
}

// Pongs to a client that grants nothing are no progress; each grant that lets something out is.
TEST_F(OutputPumpTest, MediaThatWaitsForCreditStalls) {
  pump_.SetCredit(10);
  PushAudio(10);
  pump_.Written(true);
  EXPECT_EQ(pump_.stalled_since(), std::nullopt);
  const absl::Time begin = clock_.Now();
  PushAudio(10);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(1));
    pump_.PushUrgent(MakeCredit(5));
    pump_.Written(true);
    EXPECT_EQ(pump_.stalled_since(), begin);
  }
  pump_.Grant(9);
  EXPECT_EQ(pump_.stalled_since(), begin);
  PushAudio(10);
  pump_.Grant(1);
  pump_.Written(true);
  EXPECT_EQ(pump_.stalled_since(), clock_.Now());
}

TEST_F(OutputPumpTest, AFailedWriteDropsTheRest) {
  PushAudio(1);
  PushAudio(2);
  pump_.Close(absl::CancelledError("gone"), OutputPump::Backlog::kDeliver);
  pump_.Written(false);
  EXPECT_EQ(outlet_.messages.size(), 1u);
  EXPECT_TRUE(outlet_.finished.has_value());
}

TEST_F(OutputPumpTest, GivesUpOnlyAWriteUnderWay) {
  pump_.GiveUp();
  EXPECT_EQ(outlet_.given_up, 0);
  PushAudio(1);
  pump_.GiveUp();
  EXPECT_EQ(outlet_.given_up, 1);
}

TEST_F(OutputPumpTest, ADetachedOutletIsLeftAlone) {
  pump_.Detach();
  PushAudio(1);
  pump_.Close(absl::OkStatus(), OutputPump::Backlog::kDeliver);
  EXPECT_TRUE(outlet_.messages.empty());
  EXPECT_FALSE(outlet_.finished.has_value());
}

}  // namespace
}  // namespace ddsp::server
