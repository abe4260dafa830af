#include "client/sdk/synthesis_stream.h"

#include <cmath>
#include <future>
#include <limits>
#include <thread>

#include "client/sdk/error.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "tests/client/sdk/fake_synthesis.h"

namespace ddsp::client {
namespace {

using ::testing::HasSubstr;

std::vector<float> Sine(int samples) {
  std::vector<float> sine(samples);
  for (int n = 0; n < samples; ++n) sine[n] = 0.5f * std::sin(2 * M_PI * 220 * n / 16000);
  return sine;
}

std::unique_ptr<SynthesisStream> Open(const FakeSynthesis& server, StreamOptions options = {}) {
  options.model = "violin";
  auto stream = SynthesisStream::Open(server.address(), std::move(options));
  EXPECT_TRUE(stream.ok()) << stream.status();
  return *std::move(stream);
}

std::vector<float> Exchange(SynthesisStream& stream, const std::vector<float>& samples) {
  EXPECT_TRUE(stream.Write(samples).ok());
  EXPECT_TRUE(stream.Finish().ok());
  const auto answer = stream.ReadAllAudio();
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.value_or(std::vector<float>());
}

grpc::Status Failure(const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  google::rpc::Status rich;
  rich.add_details()->PackFrom(info);
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "no", rich.SerializeAsString());
}

TEST(SynthesisStream, BringsBackWhatTheServerAnswers) {
  FakeSynthesis server({.tail = 100});
  const auto stream = Open(server);
  EXPECT_EQ(stream->started().model, "violin/1");
  EXPECT_EQ(stream->started().profile, "neutral");
  std::vector<float> expected = Sine(20000);
  const std::vector<float> answer = Exchange(*stream, expected);
  expected.resize(20100);
  EXPECT_EQ(answer, expected);
}

TEST(SynthesisStream, SendsEverySettingInTheConfig) {
  FakeSynthesis server({.tail = 5});
  StreamOptions options;
  options.seed = 7;
  options.tail = Tail::kCut;
  options.parameters.pitch_shift_semitones = 12;
  options.profile = PerformerProfile{"alto", {-60, -20}, 57};
  options.output.codec = Codec::kPcm16;
  const auto stream = Open(server, options);
  EXPECT_EQ(stream->started().profile, "alto");
  EXPECT_EQ(Exchange(*stream, Sine(320)).size(), 320);
  const v1::SessionConfig config = server.requests()[0].config();
  EXPECT_EQ(config.seed(), 7);
  EXPECT_EQ(config.parameters().pitch_shift_semitones(), 12);
  EXPECT_FALSE(config.parameters().has_loudness_shift_db());
  EXPECT_EQ(config.output_format().encoding(), v1::PCM_S16LE);
  EXPECT_EQ(config.output_format().sample_rate_hz(), 16000);
}

// Far more than the credit, by one thread that reads only afterwards.
TEST(SynthesisStream, WritingAllAndThenReadingDoesNotDeadlock) {
  FakeSynthesis server({.input_credit = 1000, .max_block_bytes = 1024});
  const auto stream = Open(server);
  EXPECT_EQ(Exchange(*stream, Sine(100000)), Sine(100000));
  for (const auto& request : server.requests()) EXPECT_LE(request.audio().data().size(), 1024);
}

TEST(SynthesisStream, TryWriteTellsThatCreditIsSpent) {
  FakeSynthesis server({.input_credit = 500, .grants = false});
  const auto stream = Open(server);
  EXPECT_EQ(*stream->TryWrite(Sine(700)), 500);
  EXPECT_EQ(*stream->TryWrite(Sine(700)), 0);
}

TEST(SynthesisStream, ALimitOfUnreadSamplesIsGrantedAsTheyAreRead) {
  FakeSynthesis server({});
  const auto stream = Open(server, {.max_unread_samples = 3200});
  ASSERT_TRUE(stream->Write(Sine(640)).ok());
  ASSERT_TRUE(stream->Read().ok());
  ASSERT_TRUE(stream->Finish().ok());
  ASSERT_TRUE(stream->ReadAllAudio().ok());
  EXPECT_EQ(server.requests()[0].config().output_credit(), 3200);
  EXPECT_EQ(server.requests()[2].credit().samples(), 640);
}

// The shift, within half a period, at which `answer` is closest to `sine`.
int BestLag(const std::vector<float>& answer, const std::vector<float>& sine) {
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int lag = -36; lag <= 36; ++lag) {
    double error = 0;
    for (size_t n = sine.size() / 2; n < sine.size() - 400; ++n) error += std::pow(answer[n + lag] - sine[n], 2);
    if (error < least) least = error, best = lag;
  }
  return best;
}

TEST(SynthesisStream, OpusLinesUpWithTheInput) {
  for (int samples : {16000, 12345}) {
    FakeSynthesis server({.codec_delay = 40, .tail = 50});
    const auto stream = Open(server, {.input = {Codec::kOpus}, .output = {Codec::kOpus}, .opus_bitrate = 64000});
    const std::vector<float> sine = Sine(samples), answer = Exchange(*stream, sine);
    ASSERT_EQ(answer.size(), samples + 50);
    EXPECT_EQ(BestLag(answer, sine), 0);
  }
}

TEST(SynthesisStream, ControlsAndChangesGoInOrder) {
  FakeSynthesis server({});
  const auto stream = Open(server, {.drive = Drive::kControls});
  ASSERT_TRUE(stream->WriteControls({{{440, -20}, {441, -21}}}, 320).ok());
  ASSERT_TRUE(stream->ChangeParameters(640, {.loudness_shift_db = -6}).ok());
  ASSERT_TRUE(stream->WriteControls({{{442, -22}}}, 320).ok());
  ASSERT_TRUE(stream->Finish().ok());
  ASSERT_TRUE(stream->ReadAllAudio().ok());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4);
  EXPECT_EQ(requests[1].control().frames_size(), 2);
  EXPECT_EQ(requests[2].control().parameters().loudness_shift_db(), -6);
  EXPECT_EQ(requests[2].control().start_sample(), 640);
  EXPECT_EQ(requests[3].control().start_sample(), 640);
  EXPECT_EQ(requests[3].control().seq(), 2);
}

TEST(SynthesisStream, HandsOverMessagesAsTheyCome) {
  FakeSynthesis server({});
  std::vector<float> answer;
  std::promise<absl::Status> end;
  StreamOptions options;
  options.on_message = [&](StreamMessage message) {
    if (const auto* audio = std::get_if<AudioBlock>(&message)) {
      answer.insert(answer.end(), audio->samples.begin(), audio->samples.end());
    }
  };
  options.on_end = [&](const absl::Status& status) { end.set_value(status); };
  const auto stream = Open(server, options);
  ASSERT_TRUE(stream->Write(Sine(5000)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(end.get_future().get().ok());
  EXPECT_EQ(answer, Sine(5000));
}

TEST(SynthesisStream, EveryCallReturnsTheErrorThatEndedTheSession) {
  FakeSynthesis server({.grants = false, .fails_after_blocks = 1, .failure = Failure("CREDIT_EXCEEDED")});
  const auto stream = Open(server);
  ASSERT_TRUE(stream->Write(Sine(100)).ok());
  ASSERT_TRUE(stream->Write(Sine(100)).ok());
  const absl::Status status = stream->ReadAllAudio().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailsOf(status)->reason, "CREDIT_EXCEEDED");
  EXPECT_EQ(stream->Write(Sine(100)), status);
}

// The writer waits for credit that never comes; the end of the session must wake it.
TEST(SynthesisStream, AnErrorWakesAWaitingWriter) {
  FakeSynthesis server(
      {.input_credit = 10, .grants = false, .fails_after_blocks = 0, .failure = Failure("SERVER_DRAINING")});
  const auto stream = Open(server);
  const absl::Status status = stream->Write(Sine(1000));
  EXPECT_EQ(DetailsOf(status)->reason, "SERVER_DRAINING");
}

TEST(SynthesisStream, CancelWakesEveryone) {
  FakeSynthesis server({.input_credit = 10, .grants = false});
  const auto stream = Open(server);
  std::thread writer([&] { EXPECT_EQ(stream->Write(Sine(1000)).code(), absl::StatusCode::kCancelled); });
  stream->Cancel();
  while (true) {
    const auto message = stream->Read();
    if (message.ok() && message->has_value()) continue;
    EXPECT_EQ(message.status().code(), absl::StatusCode::kCancelled);
    break;
  }
  writer.join();
}

TEST(SynthesisStream, AServerThatGoesAwayEndsTheSession) {
  auto server = std::make_unique<FakeSynthesis>(FakeSynthesis::Behaviour{});
  const auto stream = Open(*server);
  ASSERT_TRUE(stream->Write(Sine(100)).ok());
  server.reset();
  EXPECT_FALSE(stream->ReadAllAudio().ok());
  EXPECT_FALSE(stream->Write(Sine(100)).ok());
}

TEST(SynthesisStream, NoticesALostBlock) {
  FakeSynthesis server({.max_block_bytes = 400, .skips_a_block = true});
  const auto stream = Open(server);
  ASSERT_TRUE(stream->Write(Sine(1000)).ok());
  EXPECT_EQ(stream->ReadAllAudio().status().code(), absl::StatusCode::kDataLoss);
}

TEST(SynthesisStream, SaysWhyItCannotOpen) {
  const auto nobody = SynthesisStream::Open("127.0.0.1:1", {});
  EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable);
  const auto rate = SynthesisStream::Open("127.0.0.1:1", {.input = {Codec::kOpus, 44100}});
  EXPECT_THAT(std::string(rate.status().message()), HasSubstr("44100"));
  FakeSynthesis silent({.answers = false});
  const auto late = SynthesisStream::Open(silent.address(), {.open_timeout = absl::Milliseconds(50)});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(SynthesisStream, WritingAfterTheEndIsRefused) {
  FakeSynthesis server({});
  const auto stream = Open(server);
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_EQ(stream->Write(Sine(1)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(stream->ReadAllAudio()->empty());
}

}  // namespace
}  // namespace ddsp::client
