// A session goes on elsewhere: what the client has after it was moved is what it would have had anyway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <tuple>

#include "server/session/codec.h"
#include "server/session/session.h"
#include "tests/server/support/session_harness.h"
#include "tests/support/test_voice.h"

namespace ddsp::server {
namespace {

using ddsp::testing::AudioRequest;
using ddsp::testing::Caller;
using ddsp::testing::FloatConfig;
using ddsp::testing::FloatsOf;
using ddsp::testing::FramesRequest;
using ddsp::testing::House;
using ddsp::testing::kVstFormat;
using ddsp::testing::PitchRequest;
using ddsp::testing::Ramp;
using ddsp::testing::Request;
using ddsp::testing::Resumed;
using ddsp::testing::WithSnapshots;
using ddsp::testing::WithTail;
using ::testing::HasSubstr;
using Response = v1::StreamSessionResponse;

const v1::SessionSnapshot* NewestSnapshot(const Caller& caller) {
  const v1::SessionSnapshot* newest = nullptr;
  for (const Response& message : caller.outlet.messages) {
    if (message.has_snapshot()) newest = &message.snapshot();
  }
  return newest;
}

// What a client keeps of its output: blocks that it had already are dropped.
void Collect(const Caller& caller, std::vector<float>* audio) {
  for (const Response& message : caller.outlet.messages) {
    const std::vector<float> block = FloatsOf(message.audio().data());
    const auto at = static_cast<size_t>(message.audio().start_sample());
    if (message.has_audio() && at + block.size() > audio->size()) {
      ASSERT_LE(at, audio->size()) << "samples were lost";
      audio->resize(at);
      audio->insert(audio->end(), block.begin(), block.end());
    }
  }
}

// In blocks of `size`, 20 ms of the clock for each 320 samples.
void SingTo(Caller& caller, const std::vector<float>& song, size_t end, size_t size) {
  while (caller.position < end) {
    const size_t count = std::min(size, end - static_cast<size_t>(caller.position));
    caller.house.clock.Advance(absl::Seconds(1) * static_cast<double>(count) / 16000);
    caller.Sing(absl::MakeSpan(song).subspan(caller.position, count));
  }
}

TEST(Snapshots, ComeAsOftenAsAskedFor) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  SingTo(caller, Ramp(16000 * 5), 16000 * 5, 320);
  EXPECT_GE(caller.Count(Response::kSnapshot), 4);
  EXPECT_LE(caller.Count(Response::kSnapshot), 5);
  Caller other(house);
  other.Open(FloatConfig());
  SingTo(other, Ramp(16000 * 3), 16000 * 3, 320);
  EXPECT_EQ(other.Count(Response::kSnapshot), 0);
}

// The client has all output before the position when it has the snapshot.
TEST(Snapshots, ComeInTheirPlaceAmongTheOutput) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  SingTo(caller, Ramp(16000 * 3), 16000 * 3, 500);
  uint64_t samples = 0, blocks = 0;
  for (const Response& message : caller.outlet.messages) {
    if (message.has_audio()) {
      samples += FloatsOf(message.audio().data()).size();
      ++blocks;
    }
    if (message.has_snapshot()) {
      EXPECT_EQ(message.snapshot().position().output_sample(), samples);
      EXPECT_EQ(message.snapshot().position().output_seq(), blocks);
      EXPECT_FALSE(message.snapshot().last());
    }
  }
  EXPECT_GE(caller.Count(Response::kSnapshot), 2);
}

// Of those that a deaf client has not read, only the newest is kept.
TEST(Snapshots, DoNotPileUp) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  caller.outlet.deaf = true;
  SingTo(caller, Ramp(16000 * 3), 16000 * 3, 320);
  caller.outlet.Listen();
  EXPECT_LE(caller.Count(Response::kSnapshot), 1);
}

class MovedAt : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Samples, MovedAt, ::testing::Values(0, 1, 319, 320, 321, 500, 831, 832, 833, 5000, 16000));

TEST_P(MovedAt, NoSampleIsLostOrRepeated) {
  const std::vector<float> song = Ramp(20000);
  std::vector<float> audio;
  House first, second;
  Caller before(first), after(second);
  before.Open(WithSnapshots());
  SingTo(before, song, GetParam(), 250);
  first.roster.Drain();
  ASSERT_EQ(before.reason(), "SERVER_DRAINING");
  Collect(before, &audio);
  const v1::SessionSnapshot* snapshot = NewestSnapshot(before);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_TRUE(snapshot->last());
  EXPECT_EQ(snapshot->position().input_sample(), static_cast<uint64_t>(GetParam()));
  EXPECT_EQ(snapshot->position().output_sample(), audio.size());

  after.Open(Resumed(WithSnapshots(), *snapshot));
  ASSERT_TRUE(after.started().has_resumed_at());
  EXPECT_EQ(after.started().resumed_at().SerializeAsString(), snapshot->position().SerializeAsString());
  after.GoOn(after.started().resumed_at());
  SingTo(after, song, song.size(), 250);
  after.HalfClose();
  EXPECT_EQ(after.outlet.finished, absl::OkStatus());
  Collect(after, &audio);
  EXPECT_EQ(audio, WithTail(song));
  EXPECT_EQ(after.summary().output_samples(), song.size() + kVstFormat.tail);
  EXPECT_EQ(after.summary().input_samples(), song.size());
}

// After the end of the input, and before that of the reverb: as many hops as the parameter says are played before the
// drain, another is with the device then, and one at least is left.
class MovedInTheTail : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Hops, MovedInTheTail, ::testing::Range(0, 3));

TEST_P(MovedInTheTail, NoSampleIsLostOrRepeated) {
  const std::vector<float> song = Ramp(5000);
  std::vector<float> audio;
  House first, second;
  Caller before(first), after(second);
  before.Open(WithSnapshots());
  SingTo(before, song, song.size(), 250);
  before.session->OnHalfClose();
  first.RunDevice(GetParam());
  first.roster.Drain();
  first.RunDevice();
  ASSERT_EQ(before.reason(), "SERVER_DRAINING");
  Collect(before, &audio);
  const v1::SessionSnapshot* snapshot = NewestSnapshot(before);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_TRUE(snapshot->last());
  EXPECT_EQ(snapshot->position().input_sample(), song.size());
  EXPECT_LT(audio.size(), song.size() + kVstFormat.tail);

  after.Send(Request(Resumed(WithSnapshots(), *snapshot)));
  after.session->OnHalfClose();  // before it has started
  second.RunDevice();
  EXPECT_EQ(after.outlet.finished, absl::OkStatus());
  Collect(after, &audio);
  EXPECT_EQ(audio, WithTail(song));
  EXPECT_EQ(after.summary().output_samples(), song.size() + kVstFormat.tail);
  EXPECT_EQ(after.summary().input_samples(), song.size());
}

// What a session that was moved in its tail is sent; it knows its end without being told.
v1::SessionSnapshot SnapshotInTheTail(const std::vector<float>& song, std::vector<float>* audio) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  SingTo(caller, song, song.size(), 250);
  caller.session->OnHalfClose();
  house.RunDevice(1);
  house.roster.Drain();
  house.RunDevice();
  Collect(caller, audio);
  return *NewestSnapshot(caller);
}

TEST(ResumeInTheTail, NeedsNoSecondHalfClose) {
  const std::vector<float> song = Ramp(5000);
  std::vector<float> audio;
  const v1::SessionSnapshot snapshot = SnapshotInTheTail(song, &audio);
  House house;
  Caller caller(house);
  caller.Open(Resumed(WithSnapshots(), snapshot));
  EXPECT_EQ(caller.outlet.finished, absl::OkStatus());
  Collect(caller, &audio);
  EXPECT_EQ(audio, WithTail(song));
}

TEST(ResumeInTheTail, TakesNoInput) {
  const std::vector<float> song = Ramp(5000);
  std::vector<float> audio;
  const v1::SessionSnapshot snapshot = SnapshotInTheTail(song, &audio);
  for (const auto& more : {AudioRequest(snapshot.position().input_seq(), song.size(), Ramp(100)),
                           PitchRequest(snapshot.position().control_seq(), song.size(), 2)}) {
    House house;
    Caller caller(house);
    caller.Send(Request(Resumed(WithSnapshots(), snapshot)));
    caller.Send(more);
    EXPECT_EQ(caller.code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(caller.reason(), "BLOCK_SEQUENCE_GAP");
    house.RunDevice();
    EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 4);
  }
}

TEST(ResumeInTheTail, MayMoveAgain) {
  const std::vector<float> song = Ramp(5000);
  std::vector<float> audio;
  v1::SessionSnapshot snapshot = SnapshotInTheTail(song, &audio);
  int moves = 0;
  while (true) {
    House house;
    Caller caller(house);
    caller.Send(Request(Resumed(WithSnapshots(), snapshot)));
    house.RunDevice(1);  // the reset; a hop is with the device then
    house.roster.Drain();
    house.RunDevice();
    Collect(caller, &audio);
    if (caller.outlet.finished->ok()) break;
    ASSERT_EQ(caller.reason(), "SERVER_DRAINING");
    snapshot = *NewestSnapshot(caller);
    ASSERT_LT(++moves, 10);
  }
  EXPECT_GT(moves, 0);
  EXPECT_EQ(audio, WithTail(song));
}

// A server dies; the client has a snapshot from before and what it has sent since.
TEST(Resume, WhatWasSentSinceIsSentAgain) {
  const std::vector<float> song = Ramp(40000);
  std::vector<float> audio;
  House first, second;
  Caller before(first), after(second);
  before.Open(WithSnapshots());
  SingTo(before, song, 30000, 250);
  Collect(before, &audio);
  const v1::SessionSnapshot* snapshot = NewestSnapshot(before);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_LT(snapshot->position().output_sample(), audio.size());
  after.Open(Resumed(WithSnapshots(), *snapshot));
  after.GoOn(snapshot->position());
  SingTo(after, song, song.size(), 999);
  after.HalfClose();
  Collect(after, &audio);
  EXPECT_EQ(audio, WithTail(song));
}

TEST(Resume, ManyTimesInARow) {
  const std::vector<float> song = Ramp(12000);
  std::vector<float> audio;
  v1::SessionConfig config = WithSnapshots();
  v1::SessionPosition at;
  while (at.input_sample() < 10000) {
    House house;
    Caller caller(house);
    caller.Open(config);
    caller.GoOn(at);
    SingTo(caller, song, at.input_sample() + 777, 100);
    house.roster.Drain();
    Collect(caller, &audio);
    ASSERT_NE(NewestSnapshot(caller), nullptr);
    at = NewestSnapshot(caller)->position();
    config = Resumed(WithSnapshots(), *NewestSnapshot(caller));
  }
  House house;
  Caller last(house);
  last.Open(config);
  last.GoOn(at);
  SingTo(last, song, song.size(), 100);
  last.HalfClose();
  Collect(last, &audio);
  EXPECT_EQ(audio, WithTail(song));
}

// Controls and changes that are still to come are part of it, and so are their numbers.
TEST(Resume, ChangesThatArePendingStayPending) {
  const std::vector<float> song = Ramp(8000);
  const auto play = [&](std::optional<size_t> move_at) {
    std::vector<float> audio;
    House first, second;
    Caller before(first), after(second);
    before.Open(WithSnapshots());
    before.Send(PitchRequest(0, 4321, 7));
    before.Send(PitchRequest(1, 6000, -3));
    SingTo(before, song, move_at.value_or(song.size()), 100);
    if (!move_at.has_value()) {
      before.HalfClose();
      Collect(before, &audio);
      return audio;
    }
    first.roster.Drain();
    Collect(before, &audio);
    const v1::SessionSnapshot* snapshot = NewestSnapshot(before);
    EXPECT_EQ(snapshot->position().control_seq(), 2u);
    after.Open(Resumed(WithSnapshots(), *snapshot));
    after.GoOn(snapshot->position());
    after.Send(PitchRequest(2, 6000, -3));  // at the same place: the order of numbers and times goes on
    SingTo(after, song, song.size(), 100);
    after.HalfClose();
    EXPECT_EQ(after.outlet.finished, absl::OkStatus());
    Collect(after, &audio);
    return audio;
  };
  const std::vector<float> whole = play(std::nullopt);
  EXPECT_EQ(play(2000), whole);
  EXPECT_EQ(play(4800), whole);
}

TEST(Resume, SessionsOfControlsGoOn) {
  v1::SessionConfig config = WithSnapshots();
  config.set_input(v1::SESSION_INPUT_CONTROLS);
  const auto sing = [](Caller& caller, uint64_t begin, uint64_t end) {
    for (uint64_t seq = begin; seq < end; ++seq) {
      caller.Send(FramesRequest(seq, seq * 200, {static_cast<float>(seq + 1)}, 200));
      caller.house.RunDevice();
    }
  };
  House first, second, third;
  Caller whole(third), before(first), after(second);
  whole.Open(config);
  sing(whole, 0, 60);
  whole.HalfClose();
  before.Open(config);
  sing(before, 0, 33);
  first.roster.Drain();
  const v1::SessionSnapshot* snapshot = NewestSnapshot(before);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->position().control_seq(), 33u);
  EXPECT_EQ(snapshot->position().input_sample(), 6600u);
  after.Open(Resumed(config, *snapshot));
  sing(after, 33, 60);
  after.HalfClose();
  std::vector<float> expected, audio;
  Collect(whole, &expected);
  Collect(before, &audio);
  Collect(after, &audio);
  EXPECT_EQ(audio, expected);
}

TEST(Resume, FeaturesGoOn) {
  v1::SessionConfig config = WithSnapshots(FloatConfig(""));
  config.set_output(v1::SESSION_OUTPUT_FEATURES);
  const std::vector<float> song = ddsp::testing::TestMelody(16000);
  const auto pitches = [](const Caller& caller, std::vector<float>* all) {
    for (const Response& message : caller.outlet.messages) {
      all->insert(all->end(), message.features().f0_hz().begin(), message.features().f0_hz().end());
    }
  };
  House first, second, third;
  Caller whole(third), before(first), after(second);
  whole.Open(config);
  SingTo(whole, song, song.size(), 300);
  whole.HalfClose();
  before.Open(config);
  SingTo(before, song, 7000, 300);
  first.roster.Drain();
  ASSERT_NE(NewestSnapshot(before), nullptr);
  after.Open(Resumed(config, *NewestSnapshot(before)));
  after.GoOn(after.started().resumed_at());
  SingTo(after, song, song.size(), 300);
  after.HalfClose();
  std::vector<float> expected, found;
  pitches(whole, &expected);
  pitches(before, &found);
  pitches(after, &found);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(after.summary().feature_frames(), expected.size());
}

// A snapshot may hold input that no hop has taken; it takes no credit of the new session.
TEST(Resume, CreditBeginsAnew) {
  const std::vector<float> song = Ramp(60000);
  std::vector<float> audio;
  House first, second;
  Caller before(first), after(second);
  before.Open(WithSnapshots());
  for (int i = 0; i < 2; ++i) {
    before.Send(AudioRequest(before.seq++, before.position, absl::MakeSpan(song).subspan(before.position, 15000)));
    before.position += 15000;
  }
  first.roster.Drain();
  first.RunDevice();  // a single hop, after which it is moved
  ASSERT_EQ(before.reason(), "SERVER_DRAINING");
  Collect(before, &audio);
  after.Open(Resumed(WithSnapshots(), *NewestSnapshot(before)));
  after.GoOn(after.started().resumed_at());
  EXPECT_EQ(after.position, 30000u);
  while (after.position < song.size()) after.Sing(absl::MakeSpan(song).subspan(after.position, 15000));
  after.HalfClose();
  EXPECT_EQ(after.outlet.finished, absl::OkStatus());
  Collect(after, &audio);
  EXPECT_EQ(audio, WithTail(song));
}

// --- Drain

TEST(Drain, SendsThoseWithSnapshotsAwayAndLetsOthersPlay) {
  House house;
  Caller moving(house), staying(house);
  moving.Open(WithSnapshots());
  staying.Open(FloatConfig());
  SingTo(moving, Ramp(1000), 1000, 320);
  house.roster.Drain();
  const auto& messages = moving.outlet.messages;
  ASSERT_GE(messages.size(), 3u);
  EXPECT_EQ(moving.Count(Response::kEvent), 1);
  EXPECT_TRUE(messages.back().snapshot().last());
  EXPECT_EQ(moving.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(moving.reason(), "SERVER_DRAINING");
  EXPECT_EQ(RetryDelayOf(*moving.outlet.finished), absl::ZeroDuration());
  EXPECT_FALSE(staying.outlet.finished.has_value());
  EXPECT_EQ(staying.outlet.messages.back().event().kind(), v1::SessionEvent::DRAINING);
  EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 3);
  EXPECT_THAT(house.metrics.Text(), HasSubstr("ddsp_sessions_ended_total{model=\"violin\",reason=\"migrated\"} 1"));
  staying.HalfClose();
  EXPECT_EQ(staying.outlet.finished, absl::OkStatus());
}

// It was let in before, and starts afterwards.
TEST(Drain, CatchesThoseThatAreOpening) {
  House house;
  Caller moving(house), staying(house);
  moving.Send(Request(WithSnapshots()));
  staying.Send(Request(FloatConfig()));
  house.roster.Drain();
  house.RunDevice();
  EXPECT_TRUE(moving.outlet.messages.at(0).has_started());
  EXPECT_EQ(moving.outlet.messages.at(1).event().kind(), v1::SessionEvent::DRAINING);
  EXPECT_TRUE(moving.outlet.messages.back().snapshot().last());
  EXPECT_EQ(moving.reason(), "SERVER_DRAINING");
  EXPECT_EQ(staying.outlet.messages.at(1).event().kind(), v1::SessionEvent::DRAINING);
  EXPECT_FALSE(staying.outlet.finished.has_value());
}

// Between a hop's way to the device and back nobody can be moved; after it they are.
TEST(Drain, WaitsForTheHopThatIsUnderWay) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  caller.Send(AudioRequest(0, 0, Ramp(2000)));  // a hop waits for the device
  house.roster.Drain();
  EXPECT_EQ(caller.Count(Response::kSnapshot), 0);
  house.RunDevice();
  EXPECT_EQ(caller.Count(Response::kSnapshot), 1);
  EXPECT_EQ(NewestSnapshot(caller)->position().input_sample(), 2000u);
  EXPECT_EQ(caller.reason(), "SERVER_DRAINING");
}

TEST(Drain, LetsThoseThatHaveEndedBe) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  caller.Send(AudioRequest(0, 0, Ramp(2000)));
  caller.session->OnHalfClose();
  house.RunDevice();
  house.roster.Drain();
  EXPECT_EQ(caller.outlet.finished, absl::OkStatus());
  EXPECT_EQ(caller.summary().output_samples(), 2000u + kVstFormat.tail);
  EXPECT_EQ(NewestSnapshot(caller), nullptr);
}

// A flush waits for hops; a snapshot waits for the flush.
TEST(Drain, FlushesAreAnsweredFirst) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  caller.Send(AudioRequest(0, 0, Ramp(2000)));
  v1::StreamSessionRequest flush;
  flush.mutable_flush()->set_id(5);
  caller.Send(flush);
  house.roster.Drain();
  house.RunDevice();
  ASSERT_TRUE(caller.outlet.messages.back().has_snapshot());
  const auto flushed = std::find_if(caller.outlet.messages.begin(), caller.outlet.messages.end(),
                                    [](const Response& message) { return message.event().flush_id() == 5; });
  EXPECT_NE(flushed, caller.outlet.messages.end());
}

TEST(Snapshots, AreRenewedWhileNothingComes) {
  House house;
  Caller caller(house);
  caller.Open(WithSnapshots());
  for (int second = 0; second < 50; ++second) {
    house.clock.Advance(absl::Seconds(1));
    house.roster.CheckTimeouts(house.clock.Now());
  }
  EXPECT_EQ(caller.Count(Response::kSnapshot), 1);  // at half of their lifetime
}

// --- What cannot be resumed: code, reason, a free slot afterwards.

struct Refusal {
  const char* name;
  std::function<v1::SessionConfig(House& house, v1::SessionConfig config)> change;
  absl::StatusCode code;
  const char* reason;
  const char* text;
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

std::string Resealed(House& house, const std::string& sealed, const std::function<void(v1::SessionState&)>& change) {
  v1::SessionState state = *house.snapshots.Open(sealed);
  change(state);
  return house.snapshots.Seal(state);
}

using absl::StatusCode;
const Refusal kRefusals[] = {
    {"Nonsense",
     [](House&, v1::SessionConfig config) {
       config.set_resume("nonsense");
       return config;
     },
     StatusCode::kInvalidArgument, "SNAPSHOT_INVALID", "is none"},
    {"Changed",
     [](House&, v1::SessionConfig config) {
       config.mutable_resume()->back() ^= 1;
       return config;
     },
     StatusCode::kInvalidArgument, "SNAPSHOT_INVALID", "signed"},
    {"Old",
     [](House& house, v1::SessionConfig config) {
       house.clock.Advance(absl::Seconds(61));
       return config;
     },
     StatusCode::kInvalidArgument, "SNAPSHOT_INVALID", "old"},
    {"OtherSeed",
     [](House&, v1::SessionConfig config) {
       config.set_seed(5);
       return config;
     },
     StatusCode::kInvalidArgument, "INVALID_CONFIG", "seed is not what it was"},
    {"OtherRate",
     [](House&, v1::SessionConfig config) {
       config.mutable_input_format()->set_sample_rate_hz(48000);
       return config;
     },
     StatusCode::kInvalidArgument, "INVALID_CONFIG", "input_format is not what it was"},
    {"OtherModel",
     [](House&, v1::SessionConfig config) {
       config.set_model("violin/1");
       return config;
     },
     StatusCode::kInvalidArgument, "INVALID_CONFIG", "model is not what it was"},
    {"NoMoreSnapshots",
     [](House&, v1::SessionConfig config) {
       config.clear_snapshot_interval();
       return config;
     },
     StatusCode::kInvalidArgument, "INVALID_CONFIG", "snapshot_interval"},
    {"VoiceThatIsNotHere",
     [](House& house, v1::SessionConfig config) {
       config.set_resume(Resealed(house, config.resume(), [](v1::SessionState& s) { s.set_voice("violin/2"); }));
       return config;
     },
     StatusCode::kDataLoss, "STATE_LOST", "voice"},
    {"VoiceOfOtherWeights",
     [](House& house, v1::SessionConfig config) {
       config.set_resume(Resealed(house, config.resume(), [](v1::SessionState& s) { s.set_voice_digest("ab"); }));
       return config;
     },
     StatusCode::kDataLoss, "STATE_LOST", "another voice"},
    {"StateOfAnotherForm",
     [](House& house, v1::SessionConfig config) {
       config.set_resume(Resealed(house, config.resume(), [](v1::SessionState& s) { s.mutable_engine()->pop_back(); }));
       return config;
     },
     StatusCode::kDataLoss, "STATE_LOST", "too early"},
    {"FramerOfAnotherForm",
     [](House& house, v1::SessionConfig config) {
       config.set_resume(Resealed(house, config.resume(), [](v1::SessionState& s) { s.clear_framer(); }));
       return config;
     },
     StatusCode::kDataLoss, "STATE_LOST", "too early"},
    {"CountsBeyondReason",
     [](House& house, v1::SessionConfig config) {
       config.set_resume(
           Resealed(house, config.resume(), [](v1::SessionState& s) { s.set_output_samples(~uint64_t{0}); }));
       return config;
     },
     StatusCode::kDataLoss, "STATE_LOST", "count"},
    // The end of its output would be filled up for ever.
    {"MoreOutputThanWasCoded",
     [](House& house, v1::SessionConfig config) {
       config.set_resume(
           Resealed(house, config.resume(), [](v1::SessionState& s) { s.set_output_samples(uint64_t{1} << 40); }));
       return config;
     },
     StatusCode::kDataLoss, "STATE_LOST", "coded"},
    // Changes of parameters would come before input that the framer has.
    {"InputThatDoesNotAddUp",
     [](House& house, v1::SessionConfig config) {
       config.set_resume(
           Resealed(house, config.resume(), [](v1::SessionState& s) { s.mutable_position()->set_input_sample(0); }));
       return config;
     },
     StatusCode::kDataLoss, "STATE_LOST", "do not agree"},
};

class RefusedResume : public ::testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(Reasons, RefusedResume, ::testing::ValuesIn(kRefusals),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(RefusedResume, SaysWhy) {
  House first, second;
  Caller before(first), after(second);
  before.Open(WithSnapshots());
  SingTo(before, Ramp(3000), 3000, 320);
  first.roster.Drain();
  after.Open(GetParam().change(second, Resumed(WithSnapshots(), *NewestSnapshot(before))));
  EXPECT_EQ(after.code(), GetParam().code) << *after.outlet.finished;
  EXPECT_EQ(after.reason(), GetParam().reason);
  EXPECT_THAT(after.outlet.finished->message(), HasSubstr(GetParam().text));
  for (const auto& voice : second.registry->hosted()) EXPECT_EQ(voice->slots().free_slots(), 4);
}

TEST(Resume, IsRefusedByAServerThatDrains) {
  House first, second;
  Caller before(first), after(second);
  before.Open(WithSnapshots());
  first.roster.Drain();
  second.roster.Drain();
  after.Open(Resumed(WithSnapshots(), *NewestSnapshot(before)));
  EXPECT_EQ(after.reason(), "SERVER_DRAINING");
}

TEST(Resume, IsCounted) {
  House first, second;
  Caller before(first), after(second);
  before.Open(WithSnapshots());
  first.roster.Drain();
  after.Open(Resumed(WithSnapshots(), *NewestSnapshot(before)));
  EXPECT_THAT(first.metrics.Text(), HasSubstr("ddsp_session_snapshots_total{model=\"violin\"} 1"));
  EXPECT_THAT(second.metrics.Text(), HasSubstr("ddsp_sessions_resumed_total{model=\"violin\"} 1"));
}

// --- Opus: no state of its codecs can be had, so what is promised is less: every sample is there, in its place, and
// the waveform is as near as the codec is anyway.

class OpusMoves : public ::testing::TestWithParam<std::tuple<int, int>> {};
INSTANTIATE_TEST_SUITE_P(RatesAndPackets, OpusMoves,
                         ::testing::Combine(::testing::Values(16000, 48000), ::testing::Values(60, 400)));

std::vector<float> Tune(int64_t samples, int rate) {
  std::vector<float> tune(samples);
  double phase = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const double seconds = static_cast<double>(i) / rate;
    phase += 2 * M_PI * (330 + 60 * std::sin(2 * M_PI * 1.3 * seconds)) / rate;
    tune[i] = static_cast<float>(0.2 * std::sin(phase) + 0.1 * std::sin(2 * phase) + 0.05 * std::sin(3 * phase));
  }
  return tune;
}

// A client that decodes what it is given, by one decoder for ever.
class OpusListener {
 public:
  explicit OpusListener(int rate) : decoder_(MakeDecoder({Encoding::kOpus, rate})) {}
  void Hear(const Caller& caller) {
    for (const Response& message : caller.outlet.messages) {
      if (!message.has_audio() || message.audio().seq() < next_) continue;
      EXPECT_EQ(message.audio().seq(), next_);
      EXPECT_EQ(message.audio().start_sample(), samples.size());
      EXPECT_TRUE(decoder_->Decode(message.audio().data(), &samples).ok());
      ++next_;
    }
  }
  std::vector<float> samples;

 private:
  const std::unique_ptr<BlockDecoder> decoder_;
  uint64_t next_ = 0;
};

void SendPackets(Caller& caller, const std::vector<std::string>& packets, size_t end, int length) {
  for (; caller.seq < end; caller.position += length) {
    caller.Send(AudioRequest(caller.seq, caller.position, packets[caller.seq]));
    ++caller.seq;
    caller.house.RunDevice();
  }
}

double LevelDb(absl::Span<const float> a, absl::Span<const float> b) {
  double difference = 0, level = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    level += b[i] * b[i];
  }
  return 10 * std::log10(difference / level + 1e-12);
}

TEST_P(OpusMoves, AreHeardNoMoreThanTheCodec) {
  const auto [rate, moves] = GetParam();
  const int length = rate / 50, count = 150;
  const std::vector<float> tune = Tune(int64_t{length} * count, rate);
  const auto encoder = MakeEncoder({Encoding::kOpus, rate}, 96000);
  std::vector<std::string> packets;
  for (int i = 0; i < count; ++i) packets.push_back(encoder->Encode(absl::MakeSpan(tune).subspan(i * length, length)));
  v1::SessionConfig config = WithSnapshots(FloatConfig("violin", rate));
  config.mutable_input_format()->set_encoding(v1::OPUS);
  config.set_opus_bitrate(96000);
  const auto play = [&](std::optional<size_t> move_at) {
    House first, second;
    Caller before(first), after(second);
    OpusListener ear(rate);
    before.Open(config);
    SendPackets(before, packets, move_at.value_or(count), length);
    Caller* last = &before;
    if (move_at.has_value()) {
      first.roster.Drain();
      ear.Hear(before);
      after.Open(Resumed(config, *NewestSnapshot(before)));
      after.GoOn(after.started().resumed_at());
      SendPackets(after, packets, count, length);
      last = &after;
    }
    last->HalfClose();
    EXPECT_EQ(last->outlet.finished, absl::OkStatus());
    ear.Hear(*last);
    return ear.samples;
  };
  const std::vector<float> whole = play(std::nullopt);
  const size_t at = static_cast<size_t>(moves) * 20 / 60;
  const std::vector<float> moved = play(std::min<size_t>(at, 130));
  ASSERT_EQ(moved.size(), whole.size());
  // The codec's own error, of input and output, against the difference that the move makes where it is largest.
  const size_t window = rate / 10;
  double worst = -200;
  for (size_t begin = 0; begin + window <= whole.size() - kVstFormat.tail * 3; begin += window / 2) {
    worst = std::max(
        worst, LevelDb(absl::MakeSpan(moved).subspan(begin, window), absl::MakeSpan(whole).subspan(begin, window)));
  }
  std::printf("%d Hz, moved at packet %zu: largest difference over 100 ms %.1f dB\n", rate, at, worst);
  EXPECT_LT(worst, -20);
}

}  // namespace
}  // namespace ddsp::server
