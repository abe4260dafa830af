#include "client/sdk/replay_buffer.h"

#include "client/sdk/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::StreamSessionRequest Audio(uint64_t seq) {
  v1::StreamSessionRequest request;
  request.mutable_audio()->set_seq(seq);
  request.mutable_audio()->set_data(std::string(40, 'x'));
  return request;
}

v1::StreamSessionRequest Control(uint64_t seq) {
  v1::StreamSessionRequest request;
  request.mutable_control()->set_seq(seq);
  return request;
}

v1::StreamSessionRequest FlushOf(uint64_t id) {
  v1::StreamSessionRequest request;
  request.mutable_flush()->set_id(id);
  return request;
}

v1::SessionPosition At(uint64_t audio, uint64_t control) {
  v1::SessionPosition position;
  position.set_input_seq(audio);
  position.set_control_seq(control);
  return position;
}

// Sends all that is to be sent: "a3" is audio block 3, "c" control, "f" flush.
std::vector<std::string> Send(ReplayBuffer& buffer) {
  std::vector<std::string> sent;
  for (; const ReplayBuffer::Entry* entry = buffer.Next(); buffer.Sent()) {
    const v1::StreamSessionRequest& message = *entry->message;
    if (message.has_audio()) sent.push_back("a" + std::to_string(message.audio().seq()));
    if (message.has_control()) sent.push_back("c" + std::to_string(message.control().seq()));
    if (message.has_flush()) sent.push_back("f" + std::to_string(message.flush().id()));
  }
  return sent;
}

class ReplayBufferTest : public ::testing::Test {
 protected:
  // a0 c0 a1 f7 a2 c1
  ReplayBufferTest() {
    for (const auto& message : {Audio(0), Control(0), Audio(1), FlushOf(7), Audio(2), Control(1)}) {
      EXPECT_TRUE(buffer_.Add(message, message.has_audio() ? 10 : 0).ok());
    }
  }
  ReplayBuffer buffer_{1 << 20};
};

TEST_F(ReplayBufferTest, SendsEverythingOnceInOrder) {
  EXPECT_EQ(buffer_.unsent_samples(), 30);
  EXPECT_THAT(Send(buffer_), ElementsAre("a0", "c0", "a1", "f7", "a2", "c1"));
  EXPECT_EQ(buffer_.unsent_samples(), 0);
  EXPECT_THAT(Send(buffer_), ElementsAre());
}

TEST_F(ReplayBufferTest, GoesBackToTheStartAsLongAsNothingIsForgotten) {
  Send(buffer_);
  EXPECT_EQ(*buffer_.Rewind(At(0, 0)), 30);
  EXPECT_THAT(Send(buffer_), ElementsAre("a0", "c0", "a1", "f7", "a2", "c1"));
}

TEST_F(ReplayBufferTest, ForgetsWhatAPositionCoversAndSendsTheRestAgain) {
  Send(buffer_);
  buffer_.Forget(At(2, 1));
  EXPECT_EQ(*buffer_.Rewind(At(2, 1)), 10);
  EXPECT_THAT(Send(buffer_), ElementsAre("f7", "a2", "c1"));
}

TEST_F(ReplayBufferTest, CountsOnlyWhatHadBeenSentAsSentAgain) {
  buffer_.Sent();  // a0
  buffer_.Sent();  // c0
  EXPECT_EQ(*buffer_.Rewind(At(0, 0)), 10);
  EXPECT_EQ(buffer_.unsent_samples(), 30);
}

TEST_F(ReplayBufferTest, AFlushIsKeptUntilItIsAnswered) {
  Send(buffer_);
  buffer_.Forget(At(3, 2));
  EXPECT_TRUE(buffer_.ForgetFlush(7));
  EXPECT_FALSE(buffer_.ForgetFlush(7)) << "answered before";
  ASSERT_TRUE(buffer_.Rewind(At(3, 2)).ok());
  EXPECT_THAT(Send(buffer_), ElementsAre());
  EXPECT_EQ(buffer_.bytes(), 0);
}

TEST_F(ReplayBufferTest, APositionThatIsNotKeptIsNamed) {
  Send(buffer_);
  buffer_.Forget(At(2, 1));
  for (const auto& [position, word] : {std::pair(At(1, 1), "audio block 1"), std::pair(At(2, 0), "control block 0"),
                                       std::pair(At(4, 2), "audio block 4")}) {
    const absl::Status status = buffer_.Rewind(position).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(word));
  }
}

TEST(ReplayBuffer, IsFullAtItsLimit) {
  ReplayBuffer buffer(2 * Audio(1).ByteSizeLong());
  ASSERT_TRUE(buffer.Add(Audio(0), 10).ok());
  ASSERT_TRUE(buffer.Add(Audio(1), 10).ok());
  const absl::Status status = buffer.Add(Audio(2), 10);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), "REPLAY_TOO_LONG");
  buffer.Forget(At(1, 0));
  EXPECT_TRUE(buffer.Add(Audio(2), 10).ok());
}

}  // namespace
}  // namespace ddsp::client
