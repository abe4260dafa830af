// Sessions as they should be, of all lengths, rates, codecs and voices.
#include "client/sdk/output_blocks.h"
#include "core/base/status_macros.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/performance.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/scenario.h"

namespace ddsp::soak {
namespace {

absl::Status PlayLive(Visit& visit) {
  return Perform(visit, {.options = SomeOptions(visit),
                         .seconds = visit.Seconds(1, 15),
                         .message_seconds = visit.OneOf({0.01, 0.02, 0.02, 0.06, 0.1}),
                         .flush_chance = visit.OneOf({0.0, 0.02}),
                         .change_chance = visit.OneOf({0.0, 0.1})});
}

absl::Status PlayLong(Visit& visit) {
  return Perform(visit, {.options = SomeOptions(visit), .seconds = visit.Seconds(30, 120)});
}

absl::Status PlayAtOnce(Visit& visit) {
  return Perform(visit, {.options = SomeOptions(visit),
                         .seconds = visit.Seconds(0.1, 8),
                         .message_seconds = visit.Real(0.001, 0.5),
                         .pace = Pace::kAtOnce,
                         .flush_chance = 0.01,
                         .change_chance = 0.01});
}

absl::Status AskForFeatures(Visit& visit) {
  client::StreamOptions options = SomeOptions(visit);
  options.answer = visit.OneOf({client::Answer::kFeatures, client::Answer::kAudioAndFeatures});
  if (options.answer == client::Answer::kFeatures) options.model.clear();
  return Perform(visit, {.options = options, .seconds = visit.Seconds(1, 5)});
}

absl::Status SteerByControls(Visit& visit) {
  client::StreamOptions options = SomeOptions(visit);
  options.drive = client::Drive::kControls;
  options.input.codec = client::Codec::kPcmFloat;
  const int frame_samples = options.input.sample_rate / 50;
  ASSIGN_OR_RETURN(const auto stream, client::SynthesisStream::Open(visit.place().server, options));
  const int64_t blocks = visit.Between(1, 20);
  for (int64_t block = 0; block < blocks; ++block) {
    std::vector<client::ControlFrame> frames(10);
    for (client::ControlFrame& frame : frames) frame = {static_cast<float>(visit.Real(200, 800)), -20};
    RETURN_IF_ERROR(stream->WriteControls(frames, frame_samples));
  }
  RETURN_IF_ERROR(stream->Finish());
  ASSIGN_OR_RETURN(const Heard heard, HearOut(*stream));
  const int64_t sent = blocks * 10 * frame_samples;
  return ExpectCount("samples", client::TotalOutput(stream->started(), options.tail, sent), heard.samples);
}

// Who gives the server a credit of its own, takes what quality there is, and does not wait for `started`.
absl::Status PlayRaw(Visit& visit) {
  v1::SessionConfig config = FloatConfig(visit.Voice());
  config.set_qos(visit.OneOf({v1::QUALITY_OF_SERVICE_REALTIME, v1::QUALITY_OF_SERVICE_THROUGHPUT}));
  config.set_output_block_samples(visit.OneOf({0, 1, 160, 320, 4000}));
  config.mutable_max_block_latency()->set_nanos(100'000'000);
  RawSession session(visit.Connect());
  const auto credit = static_cast<uint64_t>(visit.OneOf({0, 8000}));
  config.set_output_credit(credit);
  session.SendConfig(config);
  for (int64_t left = visit.Between(1, 20); left > 0; --left) session.SendAudio(visit.Music(visit.Between(0, 400)));
  session.SendFlush(7);
  session.SendPing();
  session.HalfClose();
  RETURN_IF_ERROR(Expect(session.End(), {"OK"}));
  RETURN_IF_ERROR(ExpectCount("marks of flushes", 1, session.flushed()));
  return ExpectCount("samples", session.sent_samples(), session.heard_samples());
}

absl::Status PlayNothing(Visit& visit) {
  RawSession session(visit.Connect());
  session.Begin(FloatConfig(visit.Voice()));
  session.HalfClose();
  RETURN_IF_ERROR(Expect(session.End(), {"OK"}));
  return ExpectCount("samples", 0, session.heard_samples());
}

}  // namespace

Scenarios PlayScenarios() {
  return {{"play-live", 120, PlayLive},     {"play-long", 6, PlayLong},        {"play-at-once", 40, PlayAtOnce},
          {"features", 20, AskForFeatures}, {"controls", 20, SteerByControls}, {"play-raw", 20, PlayRaw},
          {"play-nothing", 10, PlayNothing}};
}

}  // namespace ddsp::soak
