#include "client/sdk/output_blocks.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

using ::testing::HasSubstr;

v1::AudioBlock Block(uint64_t seq, uint64_t start, int samples, Codec codec = Codec::kPcmFloat) {
  v1::AudioBlock block;
  block.set_seq(seq);
  block.set_start_sample(start);
  block.set_data(*(*MakeEncoder(codec, 16000, 0))->Encode(std::vector<float>(samples)));
  return block;
}

OutputBlocks Make(Codec codec, int delay) { return OutputBlocks(*MakeDecoder(codec, 16000), {codec, delay}); }

TEST(OutputBlocks, TellsWhereABlockStarts) {
  OutputBlocks output = Make(Codec::kPcmFloat, 0);
  EXPECT_EQ(output.Take(Block(0, 0, 300))->start_sample, 0);
  const auto second = output.Take(Block(1, 300, 20));
  EXPECT_EQ(second->start_sample, 300);
  EXPECT_EQ(second->samples.size(), 20);
}

TEST(OutputBlocks, NoticesLostBlocksAndSamples) {
  OutputBlocks output = Make(Codec::kPcmFloat, 0);
  const auto gap = output.Take(Block(1, 0, 10));
  EXPECT_EQ(gap.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(gap.status().message()), HasSubstr("block 0 was expected, 1 came"));
  const auto hole = output.Take(Block(0, 7, 10));
  EXPECT_THAT(std::string(hole.status().message()), HasSubstr("sample 0 was expected, 7 came"));
}

TEST(OutputBlocks, TakesOffDelayAndFilling) {
  OutputBlocks output = Make(Codec::kOpus, 104);
  EXPECT_EQ(output.Take(Block(0, 0, 320, Codec::kOpus))->samples.size(), 216);
  const auto second = output.Take(Block(1, 320, 320, Codec::kOpus));
  EXPECT_EQ(second->start_sample, 216);
  EXPECT_EQ(second->samples.size(), 320);
  output.SetTotal(540);
  EXPECT_EQ(output.Take(Block(2, 640, 320, Codec::kOpus))->samples.size(), 4);
  EXPECT_TRUE(output.Take(Block(3, 960, 320, Codec::kOpus))->samples.empty());
}

TEST(OutputBlocks, KnowsWhatASessionGivesInAll) {
  StreamStarted started;
  started.input.sample_rate = 44100, started.output.sample_rate = 16000, started.tail_samples = 100;
  EXPECT_EQ(TotalOutput(started, Tail::kCut, 44100), 16000);
  EXPECT_EQ(TotalOutput(started, Tail::kRingOut, 3), 101);
  EXPECT_EQ(TotalOutput(started, Tail::kRingOut, 0), 0);
}

}  // namespace
}  // namespace ddsp::client
