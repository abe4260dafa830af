// The SDK against a real server and a real engine, over a real connection.
#include <cmath>
#include <limits>
#include <thread>

#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "client/sdk/synthesis_stream.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/live_server.h"

namespace ddsp::client {
namespace {

using ::ddsp::testing::LiveServer;
using ::ddsp::testing::TestMelody;

constexpr char kVoice[] = "test-voice";
constexpr float kTolerance = 1e-5f;  // chunk invariance and isolation, DESIGN 2

// One server for all tests of a suite: sessions share nothing.
class LiveSession : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new LiveServer; }
  static void TearDownTestSuite() { delete server_, server_ = nullptr; }

  static std::unique_ptr<SynthesisStream> Open(StreamOptions options = {}) {
    if (options.answer != Answer::kFeatures) options.model = kVoice;
    auto stream = SynthesisStream::Open(server_->address(), std::move(options));
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }

  // Writes `audio` in pieces of `chunk` samples while it reads.
  static std::vector<float> Play(StreamOptions options, absl::Span<const float> audio, size_t chunk) {
    const auto stream = Open(std::move(options));
    std::thread writer([&] {
      for (size_t at = 0; at < audio.size(); at += chunk) ASSERT_TRUE(stream->Write(audio.subspan(at, chunk)).ok());
      ASSERT_TRUE(stream->Finish().ok());
    });
    const auto answer = stream->ReadAllAudio();
    writer.join();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(std::vector<float>());
  }

  static std::vector<float> RenderInProcess(int input_rate, int output_rate, absl::Span<const float> audio) {
    const auto voice = LoadVoice(server_->repository() + "/" + kVoice + "/1");
    const auto engine = MakeVoiceEngine(*voice, 1);
    RenderOptions options;
    options.framer.input_rate = input_rate;
    options.framer.output_rate = output_rate;
    return Render(**engine, options, audio)->audio;
  }

  static LiveServer* server_;
};
LiveServer* LiveSession::server_ = nullptr;

float LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<float>::infinity();
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

TEST_F(LiveSession, GivesWhatTheVoiceGivesInProcess) {
  for (const auto& [in, out] : {std::pair{16000, 16000}, {44100, 44100}, {48000, 16000}, {8000, 48000}}) {
    const std::vector<float> melody = TestMelody(in, in);
    StreamOptions options;
    options.input.sample_rate = in, options.output.sample_rate = out;
    EXPECT_EQ(Play(options, melody, 1000), RenderInProcess(in, out, melody)) << in << " to " << out;
  }
}

TEST_F(LiveSession, TheCutIntoMessagesChangesNothing) {
  const std::vector<float> melody = TestMelody(5003);
  const std::vector<float> whole = Play({}, melody, melody.size());
  EXPECT_GT(*std::max_element(whole.begin(), whole.end()), 1e-3f);
  for (size_t chunk : {1, 7, 319, 320, 321, 997}) {
    EXPECT_LE(LargestDifference(Play({}, melody, chunk), whole), kTolerance) << chunk;
  }
}

TEST_F(LiveSession, NeighboursChangeNothing) {
  const std::vector<float> melody = TestMelody(16000);
  const std::vector<float> alone = Play({}, melody, 320);
  std::vector<std::thread> neighbours;
  for (int i = 1; i < 32; ++i) {
    neighbours.emplace_back([i] { Play({.seed = static_cast<uint64_t>(i)}, TestMelody(16000, 16000, i), 320 + i); });
  }
  EXPECT_LE(LargestDifference(Play({}, melody, 320), alone), kTolerance);
  for (std::thread& neighbour : neighbours) neighbour.join();
}

TEST_F(LiveSession, AParameterChangeTakesEffectAtItsSample) {
  const std::vector<float> melody = TestMelody(9000);
  constexpr int64_t kChange = 4321;
  const auto play = [&](size_t chunk) {
    const auto stream = Open();
    EXPECT_TRUE(stream->ChangeParameters(kChange, {.loudness_shift_db = -30}).ok());
    for (size_t at = 0; at < melody.size(); at += chunk) {
      EXPECT_TRUE(stream->Write(absl::MakeSpan(melody).subspan(at, chunk)).ok());
    }
    EXPECT_TRUE(stream->Finish().ok());
    return *stream->ReadAllAudio();
  };
  const std::vector<float> plain = Play({}, melody, 320), changed = play(320);
  EXPECT_LE(LargestDifference(play(1777), changed), kTolerance);
  // Not to the bit: the reverb transforms whole hops, so what comes later in one moves the rounding of what came
  // before.
  const auto same = [](float a, float b) { return std::abs(a - b) < 1e-6f; };
  const auto first = std::mismatch(plain.begin(), plain.end(), changed.begin(), same).first - plain.begin();
  EXPECT_GE(first, kChange);
  EXPECT_LT(first, kChange + 16);
}

TEST_F(LiveSession, OpusLinesUpWithPcm) {
  const std::vector<float> melody = TestMelody(32000);
  const std::vector<float> pcm = Play({}, melody, 320);
  StreamOptions options;
  options.output.codec = Codec::kOpus;
  options.opus_bitrate = 64000;
  const std::vector<float> opus = Play(options, melody, 320);
  ASSERT_EQ(opus.size(), pcm.size());
  int best = 0;
  double most = 0;
  for (int lag = -40; lag <= 40; ++lag) {
    double product = 0;
    for (size_t n = 1000; n < 30000; ++n) product += pcm[n] * opus[n + lag];
    if (product > most) most = product, best = lag;
  }
  EXPECT_EQ(best, 0);
}

TEST_F(LiveSession, OpusBothWaysGivesEverySample) {
  StreamOptions options;
  options.input.codec = options.output.codec = Codec::kOpus;
  const std::vector<float> melody = TestMelody(12345);
  EXPECT_EQ(Play(options, melody, 100).size(), Play({}, melody, 100).size());
}

TEST_F(LiveSession, FeaturesAloneNeedNoVoice) {
  const auto stream = Open({.answer = Answer::kFeatures});
  ASSERT_TRUE(stream->Write(TestMelody(16000)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  int64_t frames = 0;
  while (true) {
    const auto message = stream->Read();
    ASSERT_TRUE(message.ok()) << message.status();
    if (!message->has_value()) break;
    if (const auto* block = std::get_if<FeatureBlock>(&**message)) {
      EXPECT_EQ(block->first_frame, frames);
      EXPECT_EQ(block->frame_rate_hz, 50);
      frames += block->frames.size();
    }
  }
  EXPECT_EQ(frames, 51);
}

TEST_F(LiveSession, FeaturesAloneHaveNoUseForACodec) {
  StreamOptions options{.answer = Answer::kFeatures};
  options.input.codec = options.output.codec = Codec::kOpus;
  const auto stream = Open(options);
  ASSERT_TRUE(stream->Write(TestMelody(16000)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(stream->ReadAllAudio().ok());
}

TEST_F(LiveSession, ControlsDriveAVoiceWithoutAudio) {
  const auto stream = Open({.drive = Drive::kControls, .tail = Tail::kCut});
  ASSERT_TRUE(stream->WriteControls(std::vector<ControlFrame>(200, {440, -20}), 320).ok());
  ASSERT_TRUE(stream->Finish().ok());
  const auto audio = stream->ReadAllAudio();
  ASSERT_TRUE(audio.ok()) << audio.status();
  EXPECT_EQ(audio->size(), 200 * 320);
}

TEST_F(LiveSession, NothingInIsNothingOut) {
  const auto stream = Open();
  ASSERT_TRUE(stream->Finish().ok());
  const auto message = stream->Read();
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(std::get<StreamSummary>(**message).output_samples, 0);
  EXPECT_FALSE(stream->Read()->has_value());
}

TEST_F(LiveSession, ErrorsComeWithTheirReason) {
  const auto unknown = SynthesisStream::Open(server_->address(), {.model = "kazoo"});
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(DetailsOf(unknown.status())->reason, "MODEL_NOT_FOUND");
  const auto stream = Open();
  ASSERT_TRUE(stream->Write({{0, std::numeric_limits<float>::quiet_NaN()}}).ok());
  const absl::Status status = stream->ReadAllAudio().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DetailsOf(status)->reason, "AUDIO_NOT_FINITE");
}

}  // namespace
}  // namespace ddsp::client
