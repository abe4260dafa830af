#include "core/streaming/stream_framer.h"

#include <cmath>

#include "core/base/integer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/delay_engine.h"

namespace ddsp {
namespace {

using ::ddsp::testing::DelayEngine;

constexpr StreamFormat kVst = {16000, 320, 128, 2, 0};
// Voices that play at another rate than their features are made at.
constexpr StreamFormat kVst24 = {24000, 480, 128, 2, 0, 16000, 320};
constexpr StreamFormat kVst44 = {44100, 882, 128, 2, 0, 16000, 320};
constexpr StreamFormat kVst48 = {48000, 960, 128, 2, 0, 16000, 320};

std::unique_ptr<StreamFramer> MakeFramer(StreamFramer::Options options) { return *StreamFramer::Create(options); }

void StepAll(StreamFramer& framer, DelayEngine& engine) {
  const std::unique_ptr<StepWorkspace> workspace = engine.MakeWorkspace();
  while (framer.HopReady()) {
    const HopRequest request = framer.NextHop();
    engine.Step({request}, *workspace);
    framer.CompleteHop();
  }
}

std::vector<float> PopAll(StreamFramer& framer) {
  std::vector<float> out(framer.due());
  framer.Pop(absl::MakeSpan(out));
  return out;
}

std::vector<float> Ramp(int64_t samples) {
  std::vector<float> out(samples);
  for (int64_t n = 0; n < samples; ++n) out[n] = static_cast<float>(n + 1);
  return out;
}

std::vector<float> Stream(StreamFramer::Options options, const std::vector<float>& audio, size_t chunk) {
  DelayEngine engine(options.format);
  EXPECT_TRUE(engine.Reset(0, {}).ok());
  const auto framer = MakeFramer(options);
  std::vector<float> out;
  for (size_t at = 0; at < audio.size(); at += chunk) {
    framer->PushAudio(absl::MakeSpan(audio).subspan(at, chunk));
    StepAll(*framer, engine);
    for (const float x : PopAll(*framer)) out.push_back(x);
  }
  framer->Finish();
  StepAll(*framer, engine);
  for (const float x : PopAll(*framer)) out.push_back(x);
  EXPECT_TRUE(framer->done());
  return out;
}

TEST(StreamFramer, DeclaresTheLatencyOfTheVstRecipe) {
  EXPECT_EQ(MakeFramer({kVst})->latency(), 832);
  // 3 ms each way and rounding: 44.1 kHz in and out.
  StreamFramer::Options options{kVst};
  options.input_rate = options.output_rate = 44100;
  EXPECT_NEAR(MakeFramer(options)->latency(), 832 * 44100 / 16000.0 + 2 * 132, 4);
}

TEST(StreamFramer, GivesBackEverySampleInItsPlace) {
  for (const int64_t samples : {1, 319, 320, 321, 5000}) {
    const std::vector<float> audio = Ramp(samples);
    for (const size_t chunk : {1, 7, 319, 320, 321, 997, 5000})
      EXPECT_EQ(Stream({kVst}, audio, chunk), audio) << samples;
  }
}

// What is heard at 16 kHz and played at 48.
StreamFramer::Options Wide(const StreamFormat& format) {
  StreamFramer::Options options{format};
  options.output_rate = format.sample_rate;
  return options;
}

TEST(StreamFramer, OfUnequalRatesDeclaresTheLatencyOfBoth) {
  EXPECT_EQ(kVst48.latency(), 2496);
  EXPECT_EQ(kVst24.latency(), 1248);
  EXPECT_EQ(kVst44.latency(), 2294);  // 2293.2
  EXPECT_EQ(MakeFramer(Wide(kVst48))->latency(), 2496);
  // Only what is heard is resampled: 3 ms.
  StreamFramer::Options options = Wide(kVst48);
  options.input_rate = 48000;
  EXPECT_EQ(MakeFramer(options)->latency(), 2496 + 144);
  // Only what is played.
  options.input_rate = options.output_rate = 16000;
  EXPECT_EQ(MakeFramer(options)->latency(), 832 + 48);
}

TEST(StreamFramer, OfUnequalRatesGivesBackEverySampleInItsPlace) {
  for (const StreamFormat& format : {kVst24, kVst48}) {
    for (const int64_t samples : {2, 318, 320, 322, 5000}) {
      const std::vector<float> audio = Ramp(samples);
      std::vector<float> expected;
      for (int64_t n = 0; n < samples * format.sample_rate / 16000; ++n) {
        expected.push_back(audio[n * 16000 / format.sample_rate]);
      }
      for (const size_t chunk : {1, 7, 319, 320, 321, 997, 5000}) {
        EXPECT_EQ(Stream(Wide(format), audio, chunk), expected) << format.sample_rate << " " << samples;
      }
    }
  }
}

TEST(StreamFramer, AnEmptyStreamGivesNothing) {
  StreamFormat with_tail = kVst;
  with_tail.tail = 100;
  EXPECT_TRUE(Stream({with_tail}, {}, 1).empty());
}

TEST(StreamFramer, TheTailRingsOutOrIsCut) {
  StreamFormat format = kVst;
  format.tail = 1000;
  StreamFramer::Options options{format};
  EXPECT_EQ(Stream(options, Ramp(500), 100).size(), 1500);
  options.tail = TailPolicy::kCut;
  EXPECT_EQ(Stream(options, Ramp(500), 100).size(), 500);
}

// Invariant 5: fed one sample at a time, output sample n appears when input sample n + L has been fed, never earlier or
// later, whatever the rates. That the sample is known by then is what DeclaredLatency() claims.
TEST(StreamFramer, SamplesAppearExactlyAtTheDeclaredLatency) {
  const std::vector<std::pair<int, int>> rates = {{16000, 16000}, {48000, 48000}, {44100, 44100}, {8000, 48000},
                                                  {48000, 8000},  {22050, 16000}, {11025, 44100}, {16001, 15999}};
  for (const StreamFormat& format : {kVst, kVst24, kVst44, kVst48}) {
    for (const auto& [in, out] : rates) {
      StreamFramer::Options options{format};
      options.input_rate = in;
      options.output_rate = out;
      DelayEngine engine(format);
      ASSERT_TRUE(engine.Reset(0, {}).ok());
      const auto framer = MakeFramer(options);
      int64_t popped = 0;
      for (int64_t fed = 1; fed < in / 4; ++fed) {
        const float sample = 0.5f;
        framer->PushAudio({&sample, 1});
        StepAll(*framer, engine);
        popped += PopAll(*framer).size();
        ASSERT_EQ(popped, std::max<int64_t>(0, fed * out / in - framer->latency()))
            << in << " through " << format.sample_rate << " to " << out << " after " << fed;
      }
    }
  }
}

TEST(StreamFramer, OutputLinesUpWithTheInputAtOtherRates) {
  StreamFramer::Options options{kVst};
  options.input_rate = 44100;
  options.output_rate = 48000;
  std::vector<float> audio(20000), expected;
  for (size_t n = 0; n < audio.size(); ++n) audio[n] = std::sin(2 * M_PI * 500 * n / 44100);
  const std::vector<float> out = Stream(options, audio, 441);
  ASSERT_EQ(out.size(), 20000 * 48000L / 44100);
  for (size_t n = 500; n + 500 < out.size(); ++n) ASSERT_NEAR(out[n], std::sin(2 * M_PI * 500 * n / 48000), 2e-3) << n;
}

std::vector<float> StreamWithChange(const StreamFormat& format, int64_t change_at, size_t chunk) {
  DelayEngine engine(format);
  EXPECT_TRUE(engine.Reset(0, {}).ok());
  const auto framer = MakeFramer(Wide(format));
  const std::vector<float> zeros(3000);
  std::vector<float> out;
  bool changed = false;
  for (size_t at = 0; at < zeros.size(); at += chunk) {
    // Sent with the last message before its time.
    if (!changed && static_cast<int64_t>(at + chunk) > change_at) {
      EXPECT_TRUE(framer->ChangeParameters(std::max<int64_t>(change_at, at), {2.0, 0}).ok());
      changed = true;
    }
    framer->PushAudio(absl::MakeSpan(zeros).subspan(at, chunk));
    StepAll(*framer, engine);
    for (const float x : PopAll(*framer)) out.push_back(x);
  }
  framer->Finish();
  StepAll(*framer, engine);
  for (const float x : PopAll(*framer)) out.push_back(x);
  return out;
}

TEST(StreamFramer, AChangeTakesEffectAtItsSampleUnderAnyChunking) {
  for (const StreamFormat& format : {kVst, kVst24, kVst48}) {
    for (const int64_t at : {0, 1, 319, 320, 321, 1234, 1280}) {
      std::vector<float> expected(3000 * format.sample_rate / 16000, 0.0f);
      std::fill(expected.begin() + CeilDiv(at * format.sample_rate, 16000), expected.end(), 2.0f);
      for (const size_t chunk : {1, 7, 320, 3000})
        EXPECT_EQ(StreamWithChange(format, at, chunk), expected) << at << " chunk " << chunk;
    }
  }
}

TEST(StreamFramer, AChangeInThePastIsRefused) {
  const auto framer = MakeFramer({kVst});
  framer->PushAudio(Ramp(10));
  EXPECT_EQ(framer->ChangeParameters(9, {}).code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(framer->ChangeParameters(10, {}).ok());
  EXPECT_TRUE(framer->ChangeParameters(50, {}).ok());
  EXPECT_EQ(framer->ChangeParameters(20, {}).code(), absl::StatusCode::kOutOfRange);
}

TEST(StreamFramer, ControlsGovernTheirSamples) {
  StreamFramer::Options options{{16000, 320, 319, 1, 0}};
  options.input = StreamInput::kControls;
  DelayEngine engine(options.format);
  ASSERT_TRUE(engine.Reset(0, {}).ok());
  const auto framer = MakeFramer(options);
  EXPECT_LE(framer->latency(), 321);
  framer->PushControl({100, -20}, 640);
  framer->PushControl({200, -20}, 640);
  framer->Finish();
  StepAll(*framer, engine);
  std::vector<float> f0;
  for (const FeatureFrame& frame : framer->TakeFeatures()) f0.push_back(frame.f0_hz);
  EXPECT_EQ(framer->total_output(), 1280);
  EXPECT_EQ(PopAll(*framer).size(), 1280);
  EXPECT_THAT(f0, ::testing::SizeIs(5));  // frames 0..4; the delay engine reports those of the hop before
}

TEST(StreamFramer, CountsWhatIsNotTakenYet) {
  const auto framer = MakeFramer({kVst});
  framer->PushAudio(Ramp(100));
  EXPECT_EQ(framer->input_backlog(), 100);
  framer->PushAudio(Ramp(100));
  DelayEngine engine(kVst);
  ASSERT_TRUE(engine.Reset(0, {}).ok());
  StepAll(*framer, engine);  // one hop: 128 zeros and 192 samples
  EXPECT_EQ(framer->input_backlog(), 8);
}

TEST(StreamFramer, OfUnequalRatesCountsWhatIsNotTakenYet) {
  StreamFramer::Options options = Wide(kVst48);
  options.input_rate = 48000;
  const auto framer = MakeFramer(options);
  DelayEngine engine(kVst48);
  ASSERT_TRUE(engine.Reset(0, {}).ok());
  framer->PushAudio(Ramp(192 * 3 + 144));  // 3 ms are looked ahead
  StepAll(*framer, engine);                // one hop: 128 zeros and 192 samples
  EXPECT_EQ(framer->input_backlog(), 144);
}

TEST(StreamFramer, RefusesRatesOutsideItsRange) {
  StreamFramer::Options options{kVst};
  options.input_rate = 7999;
  EXPECT_EQ(StreamFramer::Create(options).status().message(), "input rate 7999 Hz is outside 8000..48000");
  options.input_rate = 16000;
  options.output_rate = 96000;
  EXPECT_EQ(StreamFramer::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ddsp
