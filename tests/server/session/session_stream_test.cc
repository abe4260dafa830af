#include "server/session/session_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/server/support/fake_engine.h"
#include "tests/server/support/requests.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FakeEngine;
using ddsp::testing::FloatConfig;
using ddsp::testing::FloatsOf;
using ddsp::testing::kVstFormat;
using ddsp::testing::Ramp;

// A stream with its own engine, stepped at once.
class Bench {
 public:
  explicit Bench(const v1::SessionConfig& config)
      : stream_(*SessionStream::Create(*PlanSession(config, {}), kVstFormat)) {
    EXPECT_TRUE(engine_.Reset(0, {}).ok());
  }
  void Push(InputEvent event, absl::Time at = absl::UnixEpoch()) {
    stream_->Push({std::move(event), at});
    Work();
    while (stream_->HopReady()) {
      EXPECT_TRUE(engine_.Step({stream_->NextHop()}, *workspace_)[0].ok());
      stream_->CompleteHop();
      Work();
    }
  }
  std::vector<float> audio() const {
    std::vector<float> audio;
    for (const OutputItem& item : items) {
      const std::vector<float> block = FloatsOf(item.message.audio().data());
      audio.insert(audio.end(), block.begin(), block.end());
    }
    return audio;
  }
  SessionStream& stream() { return *stream_; }
  std::vector<OutputItem> items;

 private:
  void Work() {
    stream_->Absorb();
    stream_->Emit(&items);
  }
  FakeEngine engine_{1};
  const std::unique_ptr<StepWorkspace> workspace_ = engine_.MakeWorkspace();
  const std::unique_ptr<SessionStream> stream_;
};

void Feed(Bench& bench, const std::vector<float>& samples, size_t chunk) {
  for (size_t at = 0; at < samples.size(); at += chunk) {
    const size_t end = std::min(samples.size(), at + chunk);
    bench.Push(AudioIn{.samples = {samples.begin() + at, samples.begin() + end}});
  }
}

// A second of input waits for a device: blocks are due to the messages that completed them, not to the newest.
TEST(SessionStream, BlocksAreDueToTheirMessages) {
  constexpr int kMessage = 100, kMessages = 160;
  Bench bench(FloatConfig());
  const auto at = [](int64_t message) { return absl::UnixEpoch() + absl::Milliseconds(6.25) * message; };
  const std::vector<float> input = Ramp(kMessage * kMessages);
  for (int i = 0; i < kMessages; ++i) {
    const auto begin = input.begin() + i * kMessage;
    const AudioIn message{.samples = {begin, begin + kMessage}};
    if (i + 1 < kMessages) {
      bench.stream().Push({message, at(i)});
    } else {
      bench.Push(message, at(i));
    }
  }
  int64_t samples = 0;
  for (const OutputItem& item : bench.items) {
    samples += item.samples;
    EXPECT_EQ(item.due, at((samples + bench.stream().latency() - 1) / kMessage)) << samples;
  }
  EXPECT_GT(samples, 14000);
}

class ChunkTest : public ::testing::TestWithParam<int> {};

// Invariant 2, and every sample comes back with the tail behind it.
TEST_P(ChunkTest, CuttingOfTheInputDoesNotMatter) {
  const std::vector<float> input = Ramp(2000);
  Bench bench(FloatConfig());
  Feed(bench, input, GetParam());
  bench.Push(EndIn{});
  std::vector<float> expected = input;
  expected.resize(input.size() + kVstFormat.tail, 0.0f);
  EXPECT_EQ(bench.audio(), expected);
  EXPECT_TRUE(bench.stream().ended());
}
INSTANTIATE_TEST_SUITE_P(Sizes, ChunkTest, ::testing::Values(1, 7, 319, 320, 321, 997, 2000));

TEST(SessionStream, BlocksAreNumberedAndTimedAndOfOneLength) {
  Bench bench(FloatConfig());
  Feed(bench, Ramp(4000), 500);
  bench.Push(EndIn{});
  uint64_t position = 0;
  for (size_t i = 0; i + 1 < bench.items.size(); ++i) {
    const v1::AudioBlock& block = bench.items[i].message.audio();
    EXPECT_EQ(block.seq(), i);
    EXPECT_EQ(block.start_sample(), position);
    if (i + 2 < bench.items.size()) {
      EXPECT_EQ(block.data().size(), 320 * sizeof(float));
    }
    position += block.data().size() / sizeof(float);
  }
  EXPECT_EQ(position, 4000u + kVstFormat.tail);
}

TEST(SessionStream, TailCanBeCut) {
  v1::SessionConfig config = FloatConfig();
  config.set_tail(v1::TAIL_CUT);
  Bench bench(config);
  Feed(bench, Ramp(1000), 1000);
  bench.Push(EndIn{});
  EXPECT_EQ(bench.audio(), Ramp(1000));
}

// Invariant 5: the output of input sample n comes with input sample n + L, never before.
TEST(SessionStream, NothingComesBeforeItsTime) {
  v1::SessionConfig config = FloatConfig();
  config.set_output_block_samples(1);
  Bench bench(config);
  EXPECT_EQ(bench.stream().latency(), 832);
  for (int i = 0; i < 1500; ++i) {
    bench.Push(AudioIn{.samples = {static_cast<float>(i + 1)}});
    ASSERT_EQ(static_cast<int>(bench.items.size()), std::max(0, i + 1 - 832)) << i;
  }
}

TEST(SessionStream, EmptyInputEndsWithAnEmptySummary) {
  Bench bench(FloatConfig());
  bench.Push(EndIn{});
  ASSERT_EQ(bench.items.size(), 1u);
  EXPECT_EQ(bench.items[0].message.summary().ByteSizeLong(), 0u);
}

TEST(SessionStream, SummaryCountsEverything) {
  v1::SessionConfig config = FloatConfig();
  config.set_output(v1::SESSION_OUTPUT_AUDIO_AND_FEATURES);
  Bench bench(config);
  Feed(bench, Ramp(1000), 250);
  bench.Push(EndIn{});
  const v1::SessionSummary& summary = bench.items.back().message.summary();
  EXPECT_EQ(summary.input_samples(), 1000u);
  EXPECT_EQ(summary.input_blocks(), 4u);
  EXPECT_EQ(summary.output_samples(), 1000u + kVstFormat.tail);
  EXPECT_EQ(summary.output_blocks(), 6u);
  EXPECT_EQ(summary.feature_frames(), 4u);  // at 0, 320, 640, 960
}

TEST(SessionStream, FlushGivesWhatIsDueAndThenItsMark) {
  Bench bench(FloatConfig());
  Feed(bench, Ramp(1000), 1000);
  bench.Push(FlushIn{.id = 9});
  EXPECT_EQ(bench.audio(), Ramp(1000 - 832));
  ASSERT_TRUE(bench.items.back().message.has_event());
  EXPECT_EQ(bench.items.back().message.event().flush_id(), 9u);
  EXPECT_EQ(bench.items.back().message.event().kind(), v1::SessionEvent::FLUSHED);
  Feed(bench, Ramp(500), 500);
  bench.Push(EndIn{});
  EXPECT_EQ(bench.audio().size(), 1500u + kVstFormat.tail);
}

TEST(SessionStream, FeaturesAloneSendNoAudio) {
  v1::SessionConfig config = FloatConfig("");
  config.set_output(v1::SESSION_OUTPUT_FEATURES);
  Bench bench(config);
  Feed(bench, Ramp(16000), 320);
  bench.Push(EndIn{});
  int frames = 0;
  for (const OutputItem& item : bench.items) {
    EXPECT_FALSE(item.message.has_audio());
    if (item.message.has_features()) {
      EXPECT_EQ(item.message.features().first_frame(), static_cast<uint64_t>(frames));
    }
    frames += item.message.features().f0_hz_size();
  }
  EXPECT_EQ(frames, 51);
}

TEST(SessionStream, ControlsAreHeldForTheirSamples) {
  v1::SessionConfig config = FloatConfig();
  config.set_input(v1::SESSION_INPUT_CONTROLS);
  config.set_tail(v1::TAIL_CUT);
  Bench bench(config);
  bench.Push(ControlIn{.frames = ControlsIn{.frames = {{.f0_hz = 100}, {.f0_hz = 200}}, .frame_samples = 1600}});
  bench.Push(EndIn{});
  const std::vector<float> audio = bench.audio();
  ASSERT_EQ(audio.size(), 3200u);
  EXPECT_EQ(std::count(audio.begin(), audio.end(), 100.0f) + std::count(audio.begin(), audio.end(), 200.0f), 3200);
  EXPECT_EQ(audio.front(), 100.0f);
  EXPECT_EQ(audio.back(), 200.0f);
}

// A change at sample n takes effect at n.
TEST(SessionStream, ParametersChangeAtTheirSample) {
  for (const int chunk : {1, 7, 320, 3000}) {
    v1::SessionConfig config = FloatConfig();
    config.set_tail(v1::TAIL_CUT);
    Bench bench(config);
    bench.Push(ControlIn{.change = ChangeIn{.sample = 1234, .parameters = {.pitch_shift_semitones = 5}}});
    Feed(bench, std::vector<float>(3000, 1.0f), chunk);
    bench.Push(EndIn{});
    std::vector<float> expected(3000, 6.0f);
    std::fill_n(expected.begin(), 1234, 1.0f);
    EXPECT_EQ(bench.audio(), expected) << "chunks of " << chunk;
  }
}

TEST(SessionStream, OpusSendsWholePacketsAndPadsForItsDelay) {
  v1::SessionConfig config = FloatConfig();
  config.mutable_output_format()->set_encoding(v1::OPUS);
  config.set_tail(v1::TAIL_CUT);
  Bench bench(config);
  Feed(bench, std::vector<float>(960, 0.1f), 320);
  bench.Push(EndIn{});
  int64_t decoded = 0;
  const auto decoder = MakeDecoder({Encoding::kOpus, 16000});
  for (size_t i = 0; i + 1 < bench.items.size(); ++i) {
    EXPECT_EQ(bench.items[i].message.audio().start_sample(), static_cast<uint64_t>(decoded));
    decoded += *decoder->CountSamples(bench.items[i].message.audio().data());
  }
  EXPECT_EQ(decoded, 1280);  // 960 + 104, in packets of 320
  EXPECT_EQ(bench.items.back().message.summary().output_samples(), 960u);
}

TEST(SessionStream, TellsWhatInputIsUsedUp) {
  Bench bench(FloatConfig());
  bench.Push(AudioIn{.samples = Ramp(1000), .skipped = 50});
  // Steps end at 192, 512, 832 input samples.
  EXPECT_EQ(bench.stream().input_used(), 50 + 832);
}

}  // namespace
}  // namespace ddsp::server
