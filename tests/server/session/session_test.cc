#include "server/session/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/server/support/session_harness.h"

namespace ddsp::server {
namespace {

using ddsp::testing::AudioRequest;
using ddsp::testing::Caller;
using ddsp::testing::FloatConfig;
using ddsp::testing::FramesRequest;
using ddsp::testing::House;
using ddsp::testing::kPoison;
using ddsp::testing::kVstFormat;
using ddsp::testing::Ramp;
using ddsp::testing::Request;
using Response = v1::StreamSessionResponse;

v1::StreamSessionRequest PingRequest(uint64_t time_ns) {
  v1::StreamSessionRequest request;
  request.mutable_ping()->set_client_time_ns(time_ns);
  return request;
}

v1::StreamSessionRequest GrantRequest(uint64_t samples) {
  v1::StreamSessionRequest request;
  request.mutable_credit()->set_samples(samples);
  return request;
}

TEST(Session, SaysWhatItWillDo) {
  House house;
  Caller caller(house);
  caller.Open(FloatConfig());
  const v1::SessionStarted& started = caller.started();
  EXPECT_EQ(started.model(), "violin/1");
  EXPECT_EQ(started.latency_samples(), 832u);
  EXPECT_EQ(started.tail_samples(), 700u);
  EXPECT_EQ(started.output_block_samples(), 320);
  EXPECT_EQ(started.input_credit(), 32768u);
  EXPECT_EQ(started.profile(), "neutral");
  EXPECT_EQ(started.hop_size(), 320);
  EXPECT_EQ(started.output_format().encoding(), v1::PCM_F32LE);
  EXPECT_EQ(started.session_id().size(), 16u);
}

TEST(Session, ReturnsEverySampleAndSaysGoodbye) {
  House house;
  Caller caller(house);
  caller.Open(FloatConfig());
  const std::vector<float> input = Ramp(20000);
  for (size_t at = 0; at < input.size(); at += 500) caller.Sing(absl::MakeSpan(input).subspan(at, 500));
  caller.HalfClose();
  std::vector<float> expected = input;
  expected.resize(20700, 0.0f);
  EXPECT_EQ(caller.audio(), expected);
  EXPECT_EQ(caller.outlet.finished, absl::OkStatus());
  EXPECT_EQ(caller.summary().output_samples(), 20700u);
  EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 4);
}

TEST(Session, AnEmptyStreamIsFine) {
  House house;
  Caller caller(house);
  caller.Open(FloatConfig());
  caller.HalfClose();
  EXPECT_EQ(caller.outlet.finished, absl::OkStatus());
  EXPECT_EQ(caller.outlet.messages.size(), 2u);
  EXPECT_EQ(caller.summary().ByteSizeLong(), 0u);
}

// The client need not wait for `started`.
TEST(Session, InputMayComeBeforeTheSlotIsReady) {
  House house;
  Caller caller(house);
  caller.Send(Request(FloatConfig()));
  caller.Send(PingRequest(5));
  caller.Send(AudioRequest(0, 0, Ramp(1000)));
  caller.HalfClose();
  EXPECT_TRUE(caller.outlet.messages.at(0).has_started());
  EXPECT_EQ(caller.outlet.messages.at(1).pong().client_time_ns(), 5u);
  EXPECT_EQ(caller.audio().size(), 1700u);
  EXPECT_EQ(caller.outlet.finished, absl::OkStatus());
}

// --- Bad input: code, reason, a free slot afterwards.

struct BadInput {
  const char* name;
  std::function<void(Caller&)> act;
  absl::StatusCode code;
  const char* reason;
};
void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

class BadInputTest : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, EndsWithCodeAndReasonAndAFreeSlot) {
  House house;
  Caller caller(house);
  GetParam().act(caller);
  house.RunDevice();
  EXPECT_EQ(caller.code(), GetParam().code) << *caller.outlet.finished;
  EXPECT_EQ(caller.reason(), GetParam().reason);
  for (const auto& voice : house.registry->hosted()) EXPECT_EQ(voice->slots().free_slots(), 4);
}

v1::SessionConfig Opus() {
  v1::SessionConfig config = FloatConfig();
  config.mutable_input_format()->set_encoding(v1::OPUS);
  return config;
}

v1::SessionConfig Controls() {
  v1::SessionConfig config = FloatConfig();
  config.set_input(v1::SESSION_INPUT_CONTROLS);
  return config;
}

v1::SessionConfig Stereo() {
  v1::SessionConfig config = FloatConfig();
  config.mutable_input_format()->set_channels(2);
  return config;
}

v1::SessionConfig UnusableProfile() {
  v1::SessionConfig config = FloatConfig();
  config.mutable_profile()->set_name("unusable");
  config.mutable_profile()->add_power_quantiles_db(-60);
  config.mutable_profile()->add_power_quantiles_db(-20);
  config.mutable_profile()->set_mean_pitch_midi(60);
  return config;
}

void Flood(Caller& caller) {
  caller.Open(FloatConfig());
  for (int i = 0; i < 100 && !caller.outlet.finished.has_value(); ++i) {
    caller.Send(AudioRequest(caller.seq++, caller.position, Ramp(16000)));
    caller.position += 16000;
  }
}

using absl::StatusCode;
const BadInput kBadInputs[] = {
    {"AudioBeforeConfig", [](Caller& c) { c.Sing(Ramp(10)); }, StatusCode::kFailedPrecondition, "CONFIG_NOT_FIRST"},
    {"ConfigTwice",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Open(FloatConfig());
     },
     StatusCode::kFailedPrecondition, "CONFIG_NOT_FIRST"},
    {"NothingAtAll", [](Caller& c) { c.HalfClose(); }, StatusCode::kFailedPrecondition, "CONFIG_NOT_FIRST"},
    {"UnknownModel", [](Caller& c) { c.Open(FloatConfig("kazoo")); }, StatusCode::kNotFound, "MODEL_NOT_FOUND"},
    {"UnknownVersion", [](Caller& c) { c.Open(FloatConfig("violin/2")); }, StatusCode::kNotFound, "MODEL_NOT_FOUND"},
    {"Rate", [](Caller& c) { c.Open(FloatConfig("violin", 192000)); }, StatusCode::kInvalidArgument,
     "FORMAT_UNSUPPORTED"},
    {"Channels", [](Caller& c) { c.Open(Stereo()); }, StatusCode::kInvalidArgument, "FORMAT_UNSUPPORTED"},
    {"NoEncoding", [](Caller& c) { c.Open({}); }, StatusCode::kInvalidArgument, "FORMAT_UNSUPPORTED"},
    {"NoModel", [](Caller& c) { c.Open(FloatConfig("")); }, StatusCode::kInvalidArgument, "INVALID_CONFIG"},
    {"Profile", [](Caller& c) { c.Open(UnusableProfile()); }, StatusCode::kInvalidArgument, "INVALID_CONFIG"},
    {"SequenceGap",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.seq = 1;
       c.Sing(Ramp(10));
     },
     StatusCode::kOutOfRange, "BLOCK_SEQUENCE_GAP"},
    {"SequenceRepeat",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Sing(Ramp(10));
       c.seq = 0;
       c.Sing(Ramp(10));
     },
     StatusCode::kOutOfRange, "BLOCK_SEQUENCE_GAP"},
    {"StartSample",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.position = 5;
       c.Sing(Ramp(10));
     },
     StatusCode::kOutOfRange, "BLOCK_SEQUENCE_GAP"},
    {"ControlGap",
     [](Caller& c) {
       c.Open(Controls());
       c.Send(FramesRequest(0, 320, {440}, 320));
     },
     StatusCode::kOutOfRange, "BLOCK_SEQUENCE_GAP"},
    {"TooLarge",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Sing(Ramp(16385));
     },
     StatusCode::kInvalidArgument, "BLOCK_TOO_LARGE"},
    {"Credit", Flood, StatusCode::kResourceExhausted, "CREDIT_EXCEEDED"},
    {"Nan",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Sing({0.0f, NAN});
     },
     StatusCode::kInvalidArgument, "AUDIO_NOT_FINITE"},
    {"BrokenOpus",
     [](Caller& c) {
       c.Open(Opus());
       c.Send(AudioRequest(0, 0, std::string("\xff\x3f")));
     },
     StatusCode::kInvalidArgument, "OPUS_PACKET_INVALID"},
    {"PartOfASample",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Send(AudioRequest(0, 0, std::string("abc")));
     },
     StatusCode::kInvalidArgument, "BLOCK_MALFORMED"},
    {"FramesIntoAudio",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Send(FramesRequest(0, 0, {440}, 320));
     },
     StatusCode::kInvalidArgument, "INPUT_MISMATCH"},
    {"NanControl",
     [](Caller& c) {
       c.Open(Controls());
       c.Send(FramesRequest(0, 0, {NAN}, 320));
     },
     StatusCode::kInvalidArgument, "INVALID_CONTROL"},
    {"ModelFault",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Sing(std::vector<float>(1000, kPoison));
     },
     StatusCode::kInternal, "MODEL_NUMERIC_FAULT"},
    {"Gone",
     [](Caller& c) {
       c.Open(FloatConfig());
       c.Sing(Ramp(1000));
       c.session->OnGone();
     },
     StatusCode::kCancelled, ""},
};
INSTANTIATE_TEST_SUITE_P(Table, BadInputTest, ::testing::ValuesIn(kBadInputs),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Session, ErrorsSayWhereTheStreamStopped) {
  House house;
  Caller caller(house);
  caller.Open(FloatConfig());
  caller.Sing(Ramp(2000));
  caller.seq = 7;
  caller.Sing(Ramp(10));
  EXPECT_EQ(caller.metadata("expected"), "1");
  EXPECT_EQ(caller.metadata("got"), "7");
  EXPECT_EQ(caller.metadata("input_samples"), "2000");
  EXPECT_EQ(caller.metadata("output_samples"), "960");
  EXPECT_EQ(caller.audio(), Ramp(960));  // what was due has been delivered
}

TEST(Session, BlocksOfOneSecondAreServed) {
  House house;
  Caller caller(house);
  caller.Open(FloatConfig());
  for (int i = 0; i < 20; ++i) caller.Sing(Ramp(16000));
  caller.HalfClose();
  EXPECT_EQ(caller.outlet.finished, absl::OkStatus());
  EXPECT_EQ(caller.audio().size(), 20 * 16000u + 700u);
  EXPECT_GT(caller.Count(Response::kCredit), 5);
}

TEST(Session, AGapInTheOutputIsToldAndCounted) {
  House house;
  Caller caller(house);
  caller.Open(FloatConfig());
  for (int i = 0; i < 5; ++i) {
    caller.Sing(Ramp(320));
    house.clock.Advance(absl::Milliseconds(20));
  }
  EXPECT_EQ(caller.Count(Response::kEvent), 0);
  // The first of two blocks frees output that has been made, the second waits for the device.
  caller.Send(AudioRequest(5, 1600, Ramp(320)));
  caller.Send(AudioRequest(6, 1920, Ramp(320)));
  house.clock.Advance(absl::Milliseconds(100));
  house.RunDevice();
  ASSERT_EQ(caller.Count(Response::kEvent), 1);
  const auto event = std::find_if(caller.outlet.messages.begin(), caller.outlet.messages.end(),
                                  [](const Response& message) { return message.has_event(); });
  EXPECT_EQ(event->event().kind(), v1::SessionEvent::UNDERRUN);
  EXPECT_EQ(house.metrics.ForModel("violin").underruns->Value(), 1);
}

TEST(Session, RefusesTheSessionBeyondTheLastSlot) {
  House house(/*slots=*/1);
  Caller first(house), second(house);
  first.Open(FloatConfig());
  second.Open(FloatConfig());
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  EXPECT_EQ(second.reason(), "SESSION_SLOTS_EXHAUSTED");
  EXPECT_TRUE(RetryDelayOf(*second.outlet.finished).has_value());
  EXPECT_TRUE(second.outlet.messages.empty());
}

TEST(Session, ASlotIsFreeAsSoonAsItsClientIsGone) {
  House house(/*slots=*/1);
  Caller first(house), second(house);
  first.Open(FloatConfig());
  first.Sing(Ramp(5000));
  first.session->OnGone();
  second.Open(FloatConfig());
  second.Sing(Ramp(2000));
  EXPECT_EQ(second.audio(), Ramp(960));  // nothing of the first is left in the slot
}

TEST(Session, AHopUnderWayKeepsItsSlotUntilItIsDone) {
  House house(/*slots=*/1);
  Caller first(house);
  first.Open(FloatConfig());
  first.Send(AudioRequest(0, 0, Ramp(1000)));
  DeviceWork work;
  ASSERT_TRUE(house.scheduler.Next(&work));
  first.session->OnGone();
  EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 0);
  house.device->Do(work);
  EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 1);
}

// A cancel or a deadline costs at most the tick that was gathering.
TEST(Session, AHopThatWaitsKeepsItsSlotForOneTick) {
  House house(/*slots=*/1);
  Caller first(house);
  first.Open(FloatConfig());
  first.Send(AudioRequest(0, 0, Ramp(5000)));
  first.session->OnGone();
  DeviceWork work;
  ASSERT_TRUE(house.scheduler.Next(&work));
  house.device->Do(work);
  EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 1);
  EXPECT_EQ(house.scheduler.waiting(), 0) << "it had more to say";
}

TEST(Session, ARefusalForLackOfHeadroomNamesIt) {
  House house(/*slots=*/4);
  house.load.SetCost(0, {.fixed = absl::Milliseconds(9), .each = absl::ZeroDuration()});
  Caller first(house), second(house), patient(house);
  first.Open(FloatConfig());
  EXPECT_EQ(first.Count(v1::StreamSessionResponse::kStarted), 1);
  second.Open(FloatConfig());
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  EXPECT_EQ(second.reason(), "SESSION_SLOTS_EXHAUSTED");
  EXPECT_EQ(second.metadata("demand"), "0.45") << "of those who are here";
  EXPECT_TRUE(RetryDelayOf(*second.outlet.finished).has_value());
  EXPECT_TRUE(second.outlet.messages.empty()) << "nothing before the status";
  v1::SessionConfig config = FloatConfig();
  config.set_qos(v1::QUALITY_OF_SERVICE_THROUGHPUT);
  patient.Open(config);
  EXPECT_EQ(patient.Count(v1::StreamSessionResponse::kStarted), 1) << "takes what is left";
  first.session->OnGone();
  Caller third(house);
  third.Open(FloatConfig());
  EXPECT_EQ(third.Count(v1::StreamSessionResponse::kStarted), 1);
}

TEST(Session, AFaultOfOneDoesNotTouchItsNeighbours) {
  House house;
  Caller good(house), bad(house);
  good.Open(FloatConfig());
  bad.Open(FloatConfig());
  const std::vector<float> input = Ramp(4000);
  for (int i = 0; i < 10; ++i) {
    good.Send(AudioRequest(i, i * 400, absl::MakeSpan(input).subspan(i * 400, 400)));
    bad.Sing(std::vector<float>(400, i == 5 ? kPoison : 0.1f));
  }
  good.HalfClose();
  EXPECT_EQ(bad.reason(), "MODEL_NUMERIC_FAULT");
  EXPECT_EQ(good.outlet.finished, absl::OkStatus());
  std::vector<float> audio = good.audio();
  audio.resize(4000);
  EXPECT_EQ(audio, Ramp(4000));
}

// --- Clients that are slow, silent, or both.

TEST(Session, PausesWhileNobodyReadsAndLosesNothing) {
  House house(4, {.max_output_backlog_bytes = 8000});
  Caller caller(house);
  caller.Open(FloatConfig());
  caller.outlet.deaf = true;
  caller.Sing(Ramp(16000));
  EXPECT_EQ(house.scheduler.waiting(), 0);  // paused
  caller.outlet.Listen();
  caller.HalfClose();
  std::vector<float> expected = Ramp(16000);
  expected.resize(16700, 0.0f);
  EXPECT_EQ(caller.audio(), expected);
}

TEST(Session, AClientThatSendsAndNeverReadsIsTooSlow) {
  House house(4, {.max_output_backlog_bytes = 8000});
  Caller caller(house);
  caller.Open(FloatConfig());
  caller.outlet.deaf = true;
  for (int i = 0; i < 4; ++i) caller.Sing(Ramp(16000));
  caller.outlet.Listen();
  EXPECT_EQ(caller.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(caller.reason(), "CLIENT_TOO_SLOW");
}

TEST(Session, OutputThatIsNotReadForLongEndsTheSession) {
  House house(4, {.output_stall_timeout = absl::Seconds(30)});
  Caller caller(house);
  caller.Open(FloatConfig());
  caller.outlet.deaf = true;
  caller.Sing(Ramp(2000));
  house.clock.Advance(absl::Seconds(29));
  caller.session->CheckTimeouts(house.clock.Now());
  EXPECT_FALSE(caller.outlet.finished.has_value());
  house.clock.Advance(absl::Seconds(1));
  caller.session->CheckTimeouts(house.clock.Now());
  EXPECT_EQ(caller.reason(), "CLIENT_TOO_SLOW");
  EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 4);
}

TEST(Session, WaitsForOutputCredit) {
  House house;
  Caller caller(house);
  v1::SessionConfig config = FloatConfig();
  config.set_output_credit(700);
  caller.Open(config);
  caller.Sing(Ramp(16000));
  EXPECT_EQ(caller.audio().size(), 640u);
  caller.Send(GrantRequest(1000));
  EXPECT_EQ(caller.audio(), Ramp(1600));
  caller.Send(GrantRequest(~uint64_t{0}));
  caller.Send(GrantRequest(~uint64_t{0}));
  caller.HalfClose();
  EXPECT_EQ(caller.audio().size(), 16700u);
}

// Its input has ended and all is played, but the last part waits for credit that never comes.
TEST(Session, AnEndThatWaitsForCreditEndsWithItsClient) {
  House house;
  Caller caller(house);
  v1::SessionConfig config = FloatConfig();
  config.set_output_credit(700);
  caller.Open(config);
  caller.Sing(Ramp(16000));
  caller.HalfClose();
  EXPECT_FALSE(caller.outlet.finished.has_value());
  caller.session->OnGone();
  EXPECT_EQ(caller.code(), StatusCode::kCancelled);
}

TEST(Session, AnEndThatWaitsForCreditTooLongIsTold) {
  House house(4, {.output_stall_timeout = absl::Seconds(30)});
  Caller caller(house);
  v1::SessionConfig config = FloatConfig();
  config.set_output_credit(700);
  caller.Open(config);
  caller.Sing(Ramp(16000));
  caller.HalfClose();
  house.clock.Advance(absl::Seconds(30));
  caller.session->CheckTimeouts(house.clock.Now());
  EXPECT_EQ(caller.reason(), "CLIENT_TOO_SLOW");
}

TEST(Session, PingsAreNoSubstituteForCredit) {
  House house(4, {.output_stall_timeout = absl::Seconds(30), .idle_timeout = absl::Seconds(60)});
  Caller caller(house);
  v1::SessionConfig config = FloatConfig();
  config.set_output_credit(700);
  caller.Open(config);
  caller.Sing(Ramp(16000));
  for (int i = 0; i < 3 && !caller.outlet.finished.has_value(); ++i) {
    house.clock.Advance(absl::Seconds(10));
    v1::StreamSessionRequest ping;
    ping.mutable_ping();
    caller.Send(ping);
    caller.session->CheckTimeouts(house.clock.Now());
  }
  EXPECT_EQ(caller.reason(), "CLIENT_TOO_SLOW");
}

TEST(Session, IdleClientsAreWarnedAndEnded) {
  House house(4, {.idle_timeout = absl::Seconds(60)});
  Caller caller(house);
  caller.Open(FloatConfig());
  house.clock.Advance(absl::Seconds(30));
  caller.session->CheckTimeouts(house.clock.Now());
  EXPECT_EQ(caller.outlet.messages.back().event().kind(), v1::SessionEvent::IDLE_WARNING);
  house.clock.Advance(absl::Seconds(30));
  caller.session->CheckTimeouts(house.clock.Now());
  EXPECT_EQ(caller.code(), StatusCode::kAborted);
  EXPECT_EQ(caller.reason(), "SESSION_IDLE_TIMEOUT");
  EXPECT_EQ(caller.metadata("idle_seconds"), "60");
}

TEST(Session, PingsKeepASilentClientAlive) {
  House house(4, {.idle_timeout = absl::Seconds(60)});
  Caller caller(house);
  caller.Open(FloatConfig());
  for (int i = 0; i < 10; ++i) {
    house.clock.Advance(absl::Seconds(25));
    caller.Send(PingRequest(i));
    caller.session->CheckTimeouts(house.clock.Now());
  }
  EXPECT_FALSE(caller.outlet.finished.has_value());
  EXPECT_EQ(caller.Count(Response::kPong), 10);
  EXPECT_EQ(caller.Count(Response::kEvent), 0);
}

TEST(Session, AStreamWithoutConfigIsEnded) {
  House house(4, {.config_timeout = absl::Seconds(10)});
  Caller caller(house);
  house.clock.Advance(absl::Seconds(10));
  caller.session->CheckTimeouts(house.clock.Now());
  EXPECT_EQ(caller.reason(), "SESSION_IDLE_TIMEOUT");
}

// --- The house closes.

TEST(Session, DrainTellsTheLiveAndRefusesTheNew) {
  House house;
  Caller live(house), late(house);
  live.Open(FloatConfig());
  house.roster.Drain();
  late.Open(FloatConfig());
  EXPECT_EQ(live.outlet.messages.back().event().kind(), v1::SessionEvent::DRAINING);
  EXPECT_EQ(late.code(), StatusCode::kUnavailable);
  EXPECT_EQ(late.reason(), "SERVER_DRAINING");
  EXPECT_EQ(RetryDelayOf(*late.outlet.finished), absl::ZeroDuration());
  live.Sing(Ramp(1000));
  live.HalfClose();
  EXPECT_EQ(live.outlet.finished, absl::OkStatus());
  EXPECT_EQ(live.audio().size(), 1700u);
}

TEST(Session, ASessionThatIsOpeningHearsOfTheDrainAfterItsStart) {
  House house;
  Caller caller(house);
  caller.Send(Request(FloatConfig()));
  house.roster.Drain();
  house.RunDevice();
  EXPECT_TRUE(caller.outlet.messages.at(0).has_started());
  EXPECT_EQ(caller.outlet.messages.at(1).event().kind(), v1::SessionEvent::DRAINING);
}

TEST(Session, WhatIsCutSaysWhere) {
  House house;
  Caller caller(house);
  caller.Open(FloatConfig());
  caller.Sing(Ramp(2000));
  house.roster.EndAll(MakeError(Reason::kServerDraining, "stopped"));
  EXPECT_EQ(caller.reason(), "SERVER_DRAINING");
  EXPECT_EQ(caller.metadata("input_samples"), "2000");
  EXPECT_EQ(caller.metadata("output_samples"), "960");
}

TEST(Session, FeaturesNeedNoVoice) {
  House house;
  Caller caller(house);
  v1::SessionConfig config = FloatConfig("");
  config.set_output(v1::SESSION_OUTPUT_FEATURES);
  caller.Open(config);
  std::vector<float> tone(16000);
  for (size_t i = 0; i < tone.size(); ++i) tone[i] = 0.3f * std::sin(2 * 3.14159265 * 440 * i / 16000);
  caller.Sing(tone);
  caller.HalfClose();
  EXPECT_EQ(caller.started().model(), "features");
  EXPECT_EQ(caller.summary().feature_frames(), 51u);
  EXPECT_EQ(caller.Count(Response::kAudio), 0);
  float f0 = 0;
  for (const Response& message : caller.outlet.messages) {
    if (message.has_features() && message.features().first_frame() == 25) f0 = message.features().f0_hz(0);
  }
  EXPECT_NEAR(f0, 440, 1);
}

// Isolation and chunking together: each of many streams, cut in its own way, gets exactly its own samples back.
TEST(Session, ManyStreamsShareTheDeviceAndKeepTheirSamples) {
  House house(/*slots=*/32);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < 32; ++i) {
    callers.push_back(std::make_unique<Caller>(house));
    callers.back()->Open(FloatConfig());
  }
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 32; ++i) {
      Caller& caller = *callers[i];
      const std::vector<float> block(100 + 37 * i, static_cast<float>(i + 1));
      caller.Send(AudioRequest(caller.seq++, caller.position, block));
      caller.position += block.size();
    }
    house.RunDevice();
  }
  for (int i = 0; i < 32; ++i) {
    callers[i]->HalfClose();
    std::vector<float> expected(10 * (100 + 37 * i), static_cast<float>(i + 1));
    expected.resize(expected.size() + kVstFormat.tail, 0.0f);
    EXPECT_EQ(callers[i]->audio(), expected) << "stream " << i;
  }
}

}  // namespace
}  // namespace ddsp::server
