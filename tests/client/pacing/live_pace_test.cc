#include "client/pacing/live_pace.h"

#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

using std::chrono::milliseconds;

LivePace::Stream Stream(int64_t message_samples, int64_t input_samples) {
  LivePace::Stream stream;
  stream.message_samples = message_samples;
  stream.input_samples = input_samples;
  stream.started.input.sample_rate = stream.started.output.sample_rate = 16000;
  stream.started.latency_samples = 832;
  return stream;
}

TEST(LivePace, MessagesAreDueWhenTheyAreRecorded) {
  const LivePace pace(Stream(320, 800));
  EXPECT_EQ(pace.messages(), 3);
  EXPECT_EQ(pace.Due(0) - LivePace::Time(), milliseconds(20));
  EXPECT_EQ(pace.Due(1) - LivePace::Time(), milliseconds(40));
  EXPECT_EQ(pace.Due(2) - LivePace::Time(), milliseconds(50));
}

// By the definition: sample n is due once n + latency + 1 input samples have been fed.
TEST(LivePace, FindsTheMessageThatCompletesABlock) {
  for (int64_t message : {1, 7, 320, 1000}) {
    const LivePace pace(Stream(message, 16000));
    for (int64_t end : {1, 320, 321, 640, 15168}) {
      int64_t fed = 0, sent = 0;
      for (; fed - 832 < end; ++sent) fed += message;
      EXPECT_EQ(pace.CompletedBy(end), sent - 1) << message << " " << end;
    }
    EXPECT_EQ(pace.CompletedBy(15169), std::nullopt);
  }
}

TEST(LivePace, CountsRatesAndPackets) {
  LivePace::Stream stream = Stream(960, 480000);
  stream.started.input.sample_rate = 48000;
  // 320 + 832 samples at 16 kHz take 3456 at 48 kHz: the fourth message.
  EXPECT_EQ(LivePace(stream).CompletedBy(320), 3);
  stream.started.input.codec = Codec::kOpus;
  stream.started.input_codec_delay = 312;
  EXPECT_EQ(LivePace(stream).CompletedBy(320), 3);  // 3768 samples lie in the fourth packet
  stream.started.output_codec_delay = 104;
  EXPECT_EQ(LivePace(stream).CompletedBy(320), 4);  // 4080 samples in the fifth
}

TEST(LivePace, LatencyStartsAtTheSchedule) {
  const LivePace pace(Stream(320, 16000));
  AudioBlock block{0, std::vector<float>(320), LivePace::Time() + milliseconds(85)};
  EXPECT_DOUBLE_EQ(pace.Latency(block)->count(), 0.005);  // completed by the fourth message, at 80 ms
  block.start_sample = 16000;
  EXPECT_FALSE(pace.Latency(block).has_value());
}

}  // namespace
}  // namespace ddsp::client
