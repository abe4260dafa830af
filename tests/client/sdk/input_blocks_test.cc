#include "client/sdk/input_blocks.h"

#include <numeric>

#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

constexpr int kRate = 16000;

InputBlocks Make(Codec codec, InputBlocks::Limits limits) { return InputBlocks(*MakeEncoder(codec, kRate, 0), limits); }

std::vector<float> Ramp(int samples) {
  std::vector<float> ramp(samples);
  std::iota(ramp.begin(), ramp.end(), 0.0f);
  return ramp;
}

TEST(InputBlocks, SplitsBelowTheServersLimit) {
  InputBlocks input = Make(Codec::kPcmFloat, {1 << 20, 400, 0});
  std::vector<v1::AudioBlock> blocks;
  EXPECT_EQ(*input.Add(Ramp(250), &blocks), 250);
  ASSERT_EQ(blocks.size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(blocks[i].seq(), i);
    EXPECT_EQ(blocks[i].start_sample(), 100 * i);
    EXPECT_LE(blocks[i].data().size(), 400);
  }
}

TEST(InputBlocks, StopsAtTheEndOfCredit) {
  InputBlocks input = Make(Codec::kPcmFloat, {100, 0, 0});
  std::vector<v1::AudioBlock> blocks;
  EXPECT_EQ(*input.Add(Ramp(250), &blocks), 100);
  EXPECT_EQ(*input.Add(Ramp(250), &blocks), 0);
  input.Grant(30);
  EXPECT_EQ(*input.Add(Ramp(250), &blocks), 30);
  EXPECT_EQ(input.written(), 130);
  EXPECT_EQ(blocks.back().start_sample(), 100);
}

TEST(InputBlocks, ControlsShareTheCredit) {
  InputBlocks input = Make(Codec::kPcmFloat, {1000, 0, 0});
  EXPECT_EQ(input.TakeControls(5, 320), 3);
  EXPECT_EQ(input.written(), 960);
  EXPECT_EQ(input.TakeControls(5, 320), 0);
  input.Grant(320);
  EXPECT_EQ(input.TakeControls(5, 320), 1);
}

// Every decoded sample that the caller wrote must be there once the server has skipped its idea of the delay.
TEST(InputBlocks, FillsTheLastOpusPacketAndTheDelay) {
  for (int samples : {1, 215, 216, 217, 320, 5000}) {
    InputBlocks input = Make(Codec::kOpus, {1 << 20, 0, 104});
    std::vector<v1::AudioBlock> blocks;
    EXPECT_EQ(*input.Add(std::vector<float>(samples), &blocks), samples);
    EXPECT_TRUE(*input.Complete(&blocks));
    EXPECT_EQ(blocks.size(), (samples + 104 + 319) / 320) << samples;
  }
}

TEST(InputBlocks, OpusWaitsForCreditOfAWholePacket) {
  InputBlocks input = Make(Codec::kOpus, {700, 0, 40});
  std::vector<v1::AudioBlock> blocks;
  EXPECT_EQ(*input.Add(std::vector<float>(2000), &blocks), 960);  // two packets, and one that waits
  EXPECT_EQ(blocks.size(), 2);
  EXPECT_FALSE(*input.Complete(&blocks));
  input.Grant(640);
  EXPECT_TRUE(*input.Complete(&blocks));
  EXPECT_EQ(blocks.size(), 4);  // 960 + 40 samples
}

TEST(InputBlocks, NothingWrittenIsNothingSent) {
  InputBlocks input = Make(Codec::kOpus, {700, 0, 40});
  std::vector<v1::AudioBlock> blocks;
  EXPECT_TRUE(*input.Complete(&blocks));
  EXPECT_TRUE(blocks.empty());
}

}  // namespace
}  // namespace ddsp::client
