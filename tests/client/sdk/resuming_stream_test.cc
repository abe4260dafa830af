#include "client/sdk/resuming_stream.h"

#include <cmath>
#include <future>
#include <mutex>
#include <thread>

#include "client/sdk/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/sdk/toy_replica.h"

namespace ddsp::client {
namespace {

using Fate = ToyReplica::Fate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<float> Sine(int samples) {
  std::vector<float> sine(samples);
  for (int n = 0; n < samples; ++n) sine[n] = 0.5f * std::sin(0.05 * n);
  return sine;
}

const ToySettings kWithSnapshots{.snapshot_every = 3000};

ResumeOptions Impatient() {
  ResumeOptions resume;
  resume.ping_interval = absl::Milliseconds(50);
  resume.dead_after = absl::Milliseconds(200);
  resume.retry = {.first_pause = absl::Milliseconds(1),
                  .longest_pause = absl::Milliseconds(10),
                  .give_up_after = absl::Milliseconds(200)};
  return resume;
}

std::unique_ptr<ResumingStream> Open(const std::string& servers, StreamOptions options = {},
                                     ResumeOptions resume = Impatient()) {
  options.model = "toy";
  auto stream = ResumingStream::Open(servers, std::move(options), std::move(resume));
  EXPECT_TRUE(stream.ok()) << stream.status();
  return *std::move(stream);
}

std::string List(const ToyReplica& a, const ToyReplica& b) { return a.address() + "," + b.address(); }

// Writes in messages of 20 ms from another thread, and reads to the end.
absl::StatusOr<std::vector<float>> Play(ResumingStream& stream, const std::vector<float>& input) {
  std::thread writer([&] {
    for (size_t at = 0; at < input.size(); at += 320) {
      const auto part = absl::MakeSpan(input).subspan(at, std::min<size_t>(320, input.size() - at));
      if (!stream.Write(part).ok()) return;
    }
    stream.Finish().IgnoreError();
  });
  absl::StatusOr<std::vector<float>> answer = stream.ReadAllAudio();
  writer.join();
  return answer;
}

void ExpectUndisturbed(ResumingStream& stream, int samples) {
  const std::vector<float> input = Sine(samples);
  const auto answer = Play(stream, input);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, ToyAnswer(input));
}

TEST(ResumingStream, WithoutTroubleItIsAnyStream) {
  ToyReplica a({.session = kWithSnapshots});
  const auto stream = Open(a.address());
  EXPECT_EQ(stream->started().model, "toy/1");
  ExpectUndisturbed(*stream, 20000);
  EXPECT_THAT(stream->resumptions(), IsEmpty());
  EXPECT_EQ(a.sessions(), 1);
}

TEST(ResumingStream, AServerThatLeavesHandsOver) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kLeaves, .after_samples = 8000});
  ToyReplica b({.session = kWithSnapshots});
  const auto stream = Open(List(a, b));
  ExpectUndisturbed(*stream, 20000);
  ASSERT_THAT(stream->resumptions(), SizeIs(1));
  const Resumption move = stream->resumptions()[0];
  EXPECT_EQ(move.from, a.address());
  EXPECT_EQ(move.to, b.address());
  EXPECT_TRUE(move.from_snapshot);
  EXPECT_EQ(move.repeated_output, 0);
  EXPECT_EQ(b.resumed(), 1);
  EXPECT_EQ(b.refusal(), "");
}

TEST(ResumingStream, ABrokenConnectionIsReplayedFromTheSnapshot) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kBreaks, .after_samples = 8000});
  ToyReplica b({.session = kWithSnapshots});
  const auto stream = Open(List(a, b));
  ExpectUndisturbed(*stream, 20000);
  ASSERT_THAT(stream->resumptions(), SizeIs(1));
  const Resumption move = stream->resumptions()[0];
  EXPECT_TRUE(absl::IsUnavailable(move.cause));
  // The newest snapshot is of sample 6400: the first message's end at or after 6000.
  EXPECT_GE(move.replayed_input, 8000 - 6400);
  EXPECT_GE(move.repeated_output, 1);
}

TEST(ResumingStream, BeforeTheFirstSnapshotItIsReplayedFromTheStart) {
  ToyReplica a({.fate = Fate::kBreaks, .after_samples = 8000});
  ToyReplica b({});
  const auto stream = Open(List(a, b));
  ExpectUndisturbed(*stream, 20000);
  ASSERT_THAT(stream->resumptions(), SizeIs(1));
  EXPECT_FALSE(stream->resumptions()[0].from_snapshot);
  EXPECT_GE(stream->resumptions()[0].replayed_input, 8000);
}

TEST(ResumingStream, AMuteServerIsAskedAndThenLeft) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kFallsMute, .after_samples = 8000});
  ToyReplica b({.session = kWithSnapshots});
  std::promise<Resumption> told;
  ResumeOptions resume = Impatient();
  resume.on_resumed = [&](const Resumption& move) { told.set_value(move); };
  const auto stream = Open(List(a, b), {}, resume);
  ExpectUndisturbed(*stream, 20000);
  const Resumption move = told.get_future().get();
  EXPECT_GE(move.detection, absl::Milliseconds(200));
  EXPECT_THAT(std::string(move.cause.message()), HasSubstr("has said nothing"));
  EXPECT_GE(a.pings(), 1);
}

// Every server leaves after a second of audio: the session wanders between them.
TEST(ResumingStream, MovesAsOftenAsItMust) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kLeaves, .after_samples = 8000});
  ToyReplica b({.session = kWithSnapshots, .fate = Fate::kBreaks, .after_samples = 8000});
  const auto stream = Open(List(a, b));
  ExpectUndisturbed(*stream, 50000);
  EXPECT_GE(stream->resumptions().size(), 6);
  EXPECT_EQ(a.refusal() + b.refusal(), "");
}

TEST(ResumingStream, OneServerIsComeBackTo) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kBreaks, .after_samples = 8000});
  const auto stream = Open(a.address());
  ExpectUndisturbed(*stream, 30000);
  EXPECT_GE(a.sessions(), 3);
}

TEST(ResumingStream, GoesRoundThoseThatRefuse) {
  ToyReplica a({.fate = Fate::kRefuses}), b({.session = kWithSnapshots});
  const auto stream = Open(List(a, b));
  ExpectUndisturbed(*stream, 2000);
  EXPECT_THAT(stream->resumptions(), IsEmpty()) << "opening elsewhere is no move";
}

TEST(ResumingStream, GivesUpWithTheLastError) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kBreaks, .after_samples = 8000});
  ToyReplica b({.fate = Fate::kRefuses});
  auto stream = Open(a.address() + "," + b.address());
  const auto first = Play(*stream, Sine(10000));
  // It came back to the first server, which broke the connection again after as many samples: it lives on.
  EXPECT_TRUE(first.ok()) << first.status();

  auto lonely = std::make_unique<ToyReplica>(ToyReplica::Behaviour{.session = kWithSnapshots});
  stream = Open(List(*lonely, b));
  ASSERT_TRUE(stream->Write(Sine(1000)).ok());
  lonely.reset();
  const absl::Status end = stream->ReadAllAudio().status();
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable) << end;
  EXPECT_EQ(stream->Write(Sine(1)), end);
}

TEST(ResumingStream, AnErrorOfTheServersOwnEndsIt) {
  ToyReplica a({.fate = Fate::kFails, .after_samples = 100}), b({});
  const auto stream = Open(List(a, b));
  EXPECT_EQ(ReasonOf(Play(*stream, Sine(5000)).status()), "MODEL_NUMERIC_FAULT");
  EXPECT_EQ(b.sessions(), 0);
}

TEST(ResumingStream, WritingAllAndThenReadingDoesNotDeadlock) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kLeaves, .after_samples = 30000}),
      b({.session = kWithSnapshots});
  const auto stream = Open(List(a, b));
  const std::vector<float> input = Sine(300000);
  ASSERT_TRUE(stream->Write(input).ok());
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*stream->ReadAllAudio(), ToyAnswer(input));
}

TEST(ResumingStream, HandsOverMessagesAsTheyCome) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kBreaks, .after_samples = 8000});
  ToyReplica b({.session = kWithSnapshots});
  std::vector<float> answer;
  std::promise<absl::Status> end;
  StreamOptions options;
  options.on_message = [&](StreamMessage message) {
    if (const auto* audio = std::get_if<AudioBlock>(&message)) {
      answer.insert(answer.end(), audio->samples.begin(), audio->samples.end());
    }
  };
  options.on_end = [&](const absl::Status& status) { end.set_value(status); };
  const auto stream = Open(List(a, b), options);
  ASSERT_TRUE(stream->Write(Sine(20000)).ok());
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(end.get_future().get().ok());
  EXPECT_EQ(answer, ToyAnswer(Sine(20000)));
}

TEST(ResumingStream, ControlsAndFlushesMoveToo) {
  ToyReplica a({.session = kWithSnapshots, .fate = Fate::kBreaks, .after_samples = 1000}),
      b({.session = kWithSnapshots});
  const auto stream = Open(List(a, b));
  ASSERT_TRUE(stream->Write(Sine(640)).ok());
  ASSERT_TRUE(stream->ChangeParameters(640, {.loudness_shift_db = -20}).ok());
  ASSERT_TRUE(stream->Write(Sine(640)).ok());
  ASSERT_TRUE(stream->Flush(9).ok());
  while (true) {
    const auto message = stream->Read();
    ASSERT_TRUE(message.ok() && message->has_value());
    if (const auto* event = std::get_if<StreamEvent>(&**message)) {
      EXPECT_EQ(event->flush_id, 9);
      break;
    }
  }
  EXPECT_EQ(a.refusal() + b.refusal(), "");
}

TEST(ResumingStream, CancelWakesEveryone) {
  ToyReplica a({});
  const auto stream = Open(a.address());
  std::thread reader([&] { EXPECT_EQ(stream->ReadAllAudio().status().code(), absl::StatusCode::kCancelled); });
  stream->Cancel();
  reader.join();
  EXPECT_EQ(stream->Write(Sine(1)).code(), absl::StatusCode::kCancelled);
}

TEST(ResumingStream, SaysWhyItCannotOpen) {
  EXPECT_EQ(ResumingStream::Open("127.0.0.1:1,127.0.0.1:1", {}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ResumingStream::Open("", {}).status().code(), absl::StatusCode::kInvalidArgument);
  ResumeOptions hasty;
  hasty.snapshot_interval = absl::Milliseconds(1);
  const absl::Status status = ResumingStream::Open("127.0.0.1:1", {}, hasty).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("snapshot_interval is 1ms"));
}

}  // namespace
}  // namespace ddsp::client
