// Promises of a session that every client keeps (tests/client/conformance.md), for this SDK against a real server.
#include <limits>
#include <thread>

#include "client/sdk/error.h"
#include "client/sdk/synthesis_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/live_server.h"

namespace ddsp::client {
namespace {

using ::ddsp::testing::LiveServer;
using ::ddsp::testing::TestMelody;

constexpr char kVoice[] = "test-voice";

std::unique_ptr<SynthesisStream> Open(const LiveServer& server, StreamOptions options = {}) {
  options.model = kVoice;
  auto stream = SynthesisStream::Open(server.address(), std::move(options));
  EXPECT_TRUE(stream.ok()) << stream.status();
  return *std::move(stream);
}

// Reads to the FLUSHED event; returns how many samples came before it. A busy machine may tell of an underrun first.
int64_t ReadToFlushed(SynthesisStream& stream, uint64_t id) {
  int64_t samples = 0;
  while (true) {
    const auto message = stream.Read();
    EXPECT_TRUE(message.ok() && message->has_value()) << message.status();
    if (!message.ok() || !message->has_value()) return -1;
    if (const auto* audio = std::get_if<AudioBlock>(&**message)) samples += audio->samples.size();
    if (const auto* event = std::get_if<StreamEvent>(&**message)) {
      if (event->kind == StreamEvent::Kind::kUnderrun) continue;
      EXPECT_EQ(event->kind, StreamEvent::Kind::kFlushed);
      EXPECT_EQ(event->flush_id, id);
      return samples;
    }
  }
}

TEST(Promises, LatencyIsKeptTo) {
  const LiveServer server;
  const auto stream = Open(server);
  const int64_t latency = stream->started().latency_samples;
  const std::vector<float> melody = TestMelody(5003);
  int64_t written = 0, read = 0;
  for (const int64_t count : {latency, latency + 1, latency + 320, int64_t{5003}}) {
    ASSERT_TRUE(stream->Write(absl::MakeSpan(melody).subspan(written, count - written)).ok());
    written = count;
    ASSERT_TRUE(stream->Flush(count).ok());
    read += ReadToFlushed(*stream, count);
    EXPECT_EQ(read, count - latency);
  }
}

TEST(Promises, AFlushedSessionGoesOn) {
  const LiveServer server;
  const auto stream = Open(server);
  ASSERT_TRUE(stream->Write(TestMelody(16000)).ok());
  ASSERT_TRUE(stream->Flush(42).ok());
  const int64_t samples = ReadToFlushed(*stream, 42);
  ASSERT_TRUE(stream->Write(TestMelody(4000)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_EQ(samples + stream->ReadAllAudio()->size(), 20000 + stream->started().tail_samples);
}

// Twenty seconds are many times the credit.
TEST(Promises, CreditIsObeyedHoweverMuchIsWritten) {
  const LiveServer server;
  const auto stream = Open(server, {.tail = Tail::kCut});
  const std::vector<float> melody = TestMelody(320000);
  ASSERT_LT(stream->started().input_credit, static_cast<int64_t>(melody.size()));
  ASSERT_TRUE(stream->Write(melody).ok());
  ASSERT_TRUE(stream->Finish().ok());
  const auto answer = stream->ReadAllAudio();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->size(), melody.size());
}

TEST(Promises, CancellingFreesTheSlot) {
  const LiveServer server(1);
  auto stream = Open(server);
  ASSERT_TRUE(stream->Write(TestMelody(3200)).ok());
  EXPECT_EQ(SynthesisStream::Open(server.address(), {.model = kVoice}).status().code(), absl::StatusCode::kUnavailable);
  stream->Cancel();
  EXPECT_EQ(stream->ReadAllAudio().status().code(), absl::StatusCode::kCancelled);
  stream.reset();
  // The server hears of it a moment later.
  absl::Status refused = absl::UnavailableError("");
  for (const absl::Time end = absl::Now() + absl::Seconds(30); !refused.ok() && absl::Now() < end;) {
    refused = SynthesisStream::Open(server.address(), {.model = kVoice}).status();
  }
  EXPECT_TRUE(refused.ok()) << refused;
}

TEST(Promises, AFullServerSaysSo) {
  const LiveServer server(1);
  const auto stream = Open(server);
  const auto refused = SynthesisStream::Open(server.address(), {.model = kVoice});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(DetailsOf(refused.status()).has_value());
  EXPECT_EQ(DetailsOf(refused.status())->reason, "SESSION_SLOTS_EXHAUSTED");
}

struct BadConfig {
  const char* name;
  StreamOptions options;
  const char* reason;
};

class BadConfigs : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigs, AreNamed) {
  const LiveServer server;
  const absl::Status status = SynthesisStream::Open(server.address(), GetParam().options).status();
  ASSERT_TRUE(DetailsOf(status).has_value()) << status;
  EXPECT_EQ(DetailsOf(status)->reason, GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    Promises, BadConfigs,
    ::testing::Values(BadConfig{"Model", {.model = "kazoo"}, "MODEL_NOT_FOUND"},
                      BadConfig{"NoModel", {}, "INVALID_CONFIG"},
                      BadConfig{"Rate", {.model = kVoice, .input = {Codec::kPcmFloat, 96000}}, "FORMAT_UNSUPPORTED"},
                      BadConfig{
                          "Pitch", {.model = kVoice, .parameters = {.pitch_shift_semitones = 49}}, "INVALID_CONFIG"},
                      BadConfig{"Block", {.model = kVoice, .output_block_samples = -1}, "INVALID_CONFIG"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace ddsp::client
