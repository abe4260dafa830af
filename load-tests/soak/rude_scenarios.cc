// Sessions that break the protocol: each gets the error that tells what was wrong.
#include <cmath>
#include <functional>
#include <limits>

#include "load-tests/soak/outcome.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/scenario.h"

namespace ddsp::soak {
namespace {

using Ends = std::initializer_list<const char*>;

// In the middle of a session that was right so far, sends what `spoil` has made of a message.
Scenario InTheMiddle(const std::string& name, std::function<void(Visit&, RawSession&, v1::StreamSessionRequest*)> spoil,
                     const char* end) {
  return {name, 8, [spoil = std::move(spoil), end](Visit& visit) {
            RawSession session(visit.Connect());
            session.Begin(FloatConfig(visit.Voice()));
            for (int64_t left = visit.Between(0, 40); left > 0; --left) session.SendAudio(visit.Music(320));
            v1::StreamSessionRequest request;
            spoil(visit, session, &request);
            session.Send(request);
            return Expect(session.End(), {end});
          }};
}

Scenario WithConfig(const std::string& name, std::function<void(Visit&, v1::SessionConfig*)> spoil, const char* end) {
  return {name, 5, [spoil = std::move(spoil), end](Visit& visit) {
            v1::SessionConfig config = FloatConfig(visit.Voice());
            spoil(visit, &config);
            RawSession session(visit.Connect());
            session.Begin(config);
            return Expect(session.End(), {end});
          }};
}

v1::AudioBlock* NextBlock(Visit& visit, const RawSession& session, v1::StreamSessionRequest* request) {
  request->mutable_audio()->set_seq(session.next_seq());
  request->mutable_audio()->set_start_sample(session.sent_samples());
  request->mutable_audio()->set_data(FloatBytes(visit.Music(320)));
  return request->mutable_audio();
}

void SkipABlock(Visit& visit, RawSession& session, v1::StreamSessionRequest* request) {
  NextBlock(visit, session, request)->set_seq(session.next_seq() + visit.OneOf({1, 2, 1000}));
}

void MoveInTime(Visit& visit, RawSession& session, v1::StreamSessionRequest* request) {
  NextBlock(visit, session, request)->set_start_sample(session.sent_samples() + visit.OneOf({1, 320, 1 << 20}));
}

void SendNaN(Visit& visit, RawSession& session, v1::StreamSessionRequest* request) {
  std::vector<float> samples = visit.Music(320);
  samples[visit.Between(0, 319)] = visit.OneOf({NAN, INFINITY, -INFINITY});
  NextBlock(visit, session, request)->set_data(FloatBytes(samples));
}

void SendHalfASample(Visit& visit, RawSession& session, v1::StreamSessionRequest* request) {
  NextBlock(visit, session, request)->set_data(visit.Bytes(4 * visit.Between(1, 100) + visit.Between(1, 3)));
}

void SendTooMuchAtOnce(Visit& visit, RawSession& session, v1::StreamSessionRequest* request) {
  NextBlock(visit, session, request)->set_data(std::string(64 * 1024 + 4 * visit.Between(1, 1000), '\0'));
}

void TurnToNonsense(Visit& visit, RawSession& session, v1::StreamSessionRequest* request) {
  v1::ControlBlock* control = request->mutable_control();
  control->set_start_sample(session.sent_samples());
  control->mutable_parameters()->set_pitch_shift_semitones(visit.OneOf({49.0, -1e9, double{NAN}, double{INFINITY}}));
}

void SteerWhereAudioDrives(Visit&, RawSession& session, v1::StreamSessionRequest* request) {
  v1::ControlBlock* control = request->mutable_control();
  control->set_start_sample(session.sent_samples());
  control->set_frame_samples(320);
  control->add_frames()->set_f0_hz(440);
}

void CountControlsWrong(Visit& visit, RawSession& session, v1::StreamSessionRequest* request) {
  v1::ControlBlock* control = request->mutable_control();
  control->set_seq(visit.Between(1, 9));
  control->set_start_sample(session.sent_samples());
  control->mutable_parameters()->set_pitch_shift_semitones(1);
}

void ConfigureAgain(Visit& visit, RawSession&, v1::StreamSessionRequest* request) {
  *request->mutable_config() = FloatConfig(visit.Voice());
}

absl::Status StartWithAudio(Visit& visit) {
  RawSession session(visit.Connect());
  session.SendAudio(visit.Music(320));
  return Expect(session.End(), {"CONFIG_NOT_FIRST"});
}

absl::Status SayNothing(Visit& visit) {
  RawSession session(visit.Connect());
  session.HalfClose();
  return Expect(session.End(), {"CONFIG_NOT_FIRST"});
}

// A minute of audio at once. Nobody reads meanwhile, so the output may be what gives out first.
absl::Status ExceedCredit(Visit& visit) {
  RawSession session(visit.Connect());
  session.Begin(FloatConfig(visit.Voice()));
  const std::vector<float> second = visit.Music(16000);
  for (int sent = 0; sent < 60 && session.SendAudio(second); ++sent) {
  }
  session.HalfClose();
  return Expect(session.End(), {"CREDIT_EXCEEDED", "CLIENT_TOO_SLOW"});
}

absl::Status ChangeTooOften(Visit& visit) {
  RawSession session(visit.Connect());
  session.Begin(FloatConfig(visit.Voice()));
  for (int change = 0; change < 1100; ++change) {
    v1::StreamSessionRequest request;
    request.mutable_control()->set_seq(change);
    request.mutable_control()->set_start_sample(1'000'000 + change);
    request.mutable_control()->mutable_parameters()->set_pitch_shift_semitones(1);
    if (!session.Send(request)) break;
  }
  return Expect(session.End(), {"CREDIT_EXCEEDED"});
}

// Opus packets that are none.
absl::Status SendBadPackets(Visit& visit) {
  v1::SessionConfig config = FloatConfig(visit.Voice(), 48000);
  config.mutable_input_format()->set_encoding(v1::OPUS);
  config.mutable_output_format()->set_encoding(v1::PCM_S16LE);
  RawSession session(visit.Connect());
  session.Begin(config);
  v1::StreamSessionRequest request;
  // Its first byte asks for a number of frames that the second says is none.
  request.mutable_audio()->set_data(std::string("\x03\x00", 2) + visit.Bytes(visit.Between(0, 50)));
  session.Send(request);
  return Expect(session.End(), {"OPUS_PACKET_INVALID"});
}

}  // namespace

Scenarios RudeScenarios() {
  return {
      InTheMiddle("skipped-block", SkipABlock, "BLOCK_SEQUENCE_GAP"),
      InTheMiddle("moved-in-time", MoveInTime, "BLOCK_SEQUENCE_GAP"),
      InTheMiddle("not-a-number", SendNaN, "AUDIO_NOT_FINITE"),
      InTheMiddle("half-a-sample", SendHalfASample, "BLOCK_MALFORMED"),
      InTheMiddle("too-large-block", SendTooMuchAtOnce, "BLOCK_TOO_LARGE"),
      InTheMiddle("nonsense-parameter", TurnToNonsense, "INVALID_CONTROL"),
      InTheMiddle("controls-beside-audio", SteerWhereAudioDrives, "INPUT_MISMATCH"),
      InTheMiddle("controls-out-of-turn", CountControlsWrong, "BLOCK_SEQUENCE_GAP"),
      InTheMiddle("config-twice", ConfigureAgain, "CONFIG_NOT_FIRST"),
      WithConfig(
          "unknown-voice", [](Visit&, v1::SessionConfig* config) { config->set_model("kazoo"); }, "MODEL_NOT_FOUND"),
      WithConfig(
          "bad-format",
          [](Visit& visit, v1::SessionConfig* config) {
            config->mutable_input_format()->set_sample_rate_hz(visit.OneOf({0, -1, 7999, 48001, 1 << 30}));
          },
          "FORMAT_UNSUPPORTED"),
      WithConfig(
          "bad-setting",
          [](Visit& visit, v1::SessionConfig* config) {
            if (visit.Chance(0.5)) return config->set_output_block_samples(visit.OneOf({-1, 1 << 30}));
            config->mutable_parameters()->set_loudness_shift_db(visit.OneOf({61.0, double{NAN}}));
          },
          "INVALID_CONFIG"),
      {"audio-first", 5, StartWithAudio},
      {"empty-call", 5, SayNothing},
      {"over-credit", 8, ExceedCredit},
      {"changes-without-end", 3, ChangeTooOften},
      {"bad-packet", 8, SendBadPackets},
  };
}

}  // namespace ddsp::soak
