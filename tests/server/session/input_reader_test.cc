#include "server/session/input_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "server/errors/errors.h"
#include "tests/server/support/requests.h"

namespace ddsp::server {
namespace {

using ddsp::testing::AudioRequest;
using ddsp::testing::FloatConfig;
using ddsp::testing::FramesRequest;
using ddsp::testing::PitchRequest;

absl::Status Plenty(int64_t) { return absl::OkStatus(); }

SessionPlan AudioPlan() { return *PlanSession(FloatConfig(), {}); }

SessionPlan ControlsPlan() {
  v1::SessionConfig config = FloatConfig();
  config.set_input(v1::SESSION_INPUT_CONTROLS);
  return *PlanSession(config, {});
}

SessionPlan OpusPlan() {
  v1::SessionConfig config = FloatConfig();
  config.mutable_input_format()->set_encoding(v1::OPUS);
  return *PlanSession(config, {});
}

std::string ReasonOfAudio(InputReader& reader, const v1::StreamSessionRequest& request) {
  return ReasonOf(reader.ReadAudio(request.audio(), Plenty).status());
}

std::string ReasonOfControl(InputReader& reader, const v1::StreamSessionRequest& request) {
  return ReasonOf(reader.ReadControl(request.control(), Plenty).status());
}

const std::vector<float> kTen(10, 0.5f);

TEST(InputReader, ReadsBlocksInOrder) {
  InputReader reader(AudioPlan(), {});
  for (uint64_t seq = 0; seq < 3; ++seq) {
    const auto audio = reader.ReadAudio(AudioRequest(seq, seq * 10, kTen).audio(), Plenty);
    ASSERT_TRUE(audio.ok()) << audio.status();
    EXPECT_EQ(audio->samples, kTen);
  }
  EXPECT_EQ(reader.samples(), 30);
}

TEST(InputReader, RefusesGapsAndRepeats) {
  InputReader reader(AudioPlan(), {});
  ASSERT_EQ(ReasonOfAudio(reader, AudioRequest(0, 0, kTen)), "");
  for (const auto& [seq, start] : {std::pair(0, 0), {0, 10}, {2, 10}, {1, 9}, {1, 11}}) {
    const absl::Status error = reader.ReadAudio(AudioRequest(seq, start, kTen).audio(), Plenty).status();
    EXPECT_EQ(error.code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(ReasonOf(error), "BLOCK_SEQUENCE_GAP") << seq << " " << start;
    EXPECT_EQ(MetadataOf(error)["expected"], seq == 1 ? "10" : "1");
    EXPECT_EQ(MetadataOf(error)["got"], std::to_string(seq == 1 ? start : seq));
  }
}

TEST(InputReader, BlockSizeHasALimit) {
  const SessionLimits limits{.max_block_bytes = 64000};
  InputReader reader(AudioPlan(), limits);
  EXPECT_EQ(ReasonOfAudio(reader, AudioRequest(0, 0, std::vector<float>(16001))), "BLOCK_TOO_LARGE");
  EXPECT_EQ(ReasonOfAudio(reader, AudioRequest(0, 0, std::vector<float>(16000))), "");  // a second
}

TEST(InputReader, AsksForCreditBeforeItDecodes) {
  InputReader reader(AudioPlan(), {});
  int64_t asked = 0;
  const auto refuse = [&](int64_t samples) {
    asked = samples;
    return MakeError(Reason::kCreditExceeded, "no");
  };
  const std::vector<float> bad = {1.0f, NAN};
  EXPECT_EQ(ReasonOf(reader.ReadAudio(AudioRequest(0, 0, bad).audio(), refuse).status()), "CREDIT_EXCEEDED");
  EXPECT_EQ(asked, 2);
}

TEST(InputReader, EmptyBlocksAreBlocks) {
  InputReader reader(AudioPlan(), {});
  EXPECT_EQ(ReasonOfAudio(reader, AudioRequest(0, 0, std::string())), "");
  EXPECT_EQ(ReasonOfAudio(reader, AudioRequest(1, 0, kTen)), "");
}

TEST(InputReader, LeavesOutTheCodecsDelay) {
  InputReader reader(OpusPlan(), {});
  const auto encoder = MakeEncoder({Encoding::kOpus, 16000}, 0);
  ASSERT_EQ(reader.codec_delay(), 104);
  const auto first =
      reader.ReadAudio(AudioRequest(0, 0, encoder->Encode(std::vector<float>(40))).audio(), Plenty);  // 2.5 ms
  EXPECT_EQ(first->skipped, 40);
  EXPECT_EQ(first->samples.size(), 0u);
  EXPECT_EQ(reader.samples(), 0);
  const auto encoder_20ms = MakeEncoder({Encoding::kOpus, 16000}, 0);
  const auto second =
      reader.ReadAudio(AudioRequest(1, 40, encoder_20ms->Encode(std::vector<float>(320))).audio(), Plenty);
  EXPECT_EQ(second->skipped, 64);
  EXPECT_EQ(reader.samples(), 256);
}

TEST(InputReader, ClientMayNameItsCodecsDelay) {
  SessionPlan plan = OpusPlan();
  plan.input_codec_delay = 7;
  EXPECT_EQ(InputReader(plan, {}).codec_delay(), 7);
}

TEST(InputReader, ControlFramesAreTheClock) {
  InputReader reader(ControlsPlan(), {});
  EXPECT_EQ(ReasonOfControl(reader, FramesRequest(0, 0, {440, 441}, 320)), "");
  EXPECT_EQ(ReasonOfControl(reader, FramesRequest(1, 639, {440}, 320)), "BLOCK_SEQUENCE_GAP");
  EXPECT_EQ(ReasonOfControl(reader, FramesRequest(2, 640, {440}, 320)), "BLOCK_SEQUENCE_GAP");
  EXPECT_EQ(ReasonOfControl(reader, FramesRequest(1, 640, {440}, 1)), "");
  EXPECT_EQ(reader.samples(), 641);
}

TEST(InputReader, RefusesFramesThatCannotBePlayed) {
  InputReader reader(ControlsPlan(), {});
  for (const float f0 : {0.0f, -1.0f, NAN, INFINITY}) {
    EXPECT_EQ(ReasonOfControl(reader, FramesRequest(0, 0, {440, f0}, 320)), "INVALID_CONTROL") << f0;
  }
  EXPECT_EQ(ReasonOfControl(reader, FramesRequest(0, 0, {440}, 0)), "INVALID_CONTROL");
}

TEST(InputReader, AudioAndControlsDoNotMix) {
  InputReader audio(AudioPlan(), {}), controls(ControlsPlan(), {});
  EXPECT_EQ(ReasonOfControl(audio, FramesRequest(0, 0, {440}, 320)), "INPUT_MISMATCH");
  EXPECT_EQ(ReasonOfAudio(controls, AudioRequest(0, 0, kTen)), "INPUT_MISMATCH");
}

TEST(InputReader, ChangesAreNeitherPastNorOutOfOrder) {
  InputReader reader(AudioPlan(), {});
  ASSERT_EQ(ReasonOfAudio(reader, AudioRequest(0, 0, kTen)), "");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(0, 9, 1)), "BLOCK_SEQUENCE_GAP");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(0, 10, 1)), "");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(1, 500, 2)), "");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(2, 499, 3)), "BLOCK_SEQUENCE_GAP");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(2, ~uint64_t{0}, 3)), "BLOCK_SEQUENCE_GAP");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(2, 500, 1e9)), "INVALID_CONTROL");
}

TEST(InputReader, ChangesKeepWhatTheyDoNotSet) {
  InputReader reader(AudioPlan(), {});
  v1::StreamSessionRequest louder;
  louder.mutable_control()->set_seq(1);
  louder.mutable_control()->set_start_sample(5);
  louder.mutable_control()->mutable_parameters()->set_loudness_shift_db(6);
  ASSERT_EQ(ReasonOfControl(reader, PitchRequest(0, 5, 12)), "");
  const auto control = reader.ReadControl(louder.control(), Plenty);
  EXPECT_EQ(control->change->parameters.pitch_shift_semitones, 12);
  EXPECT_EQ(control->change->parameters.loudness_shift_db, 6);
}

TEST(InputReader, PendingChangesAreBounded) {
  InputReader reader(AudioPlan(), {.max_pending_changes = 2});
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(0, 20, 1)), "");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(1, 20, 2)), "");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(2, 20, 3)), "CREDIT_EXCEEDED");
  ASSERT_EQ(ReasonOfAudio(reader, AudioRequest(0, 0, std::vector<float>(30))), "");
  EXPECT_EQ(ReasonOfControl(reader, PitchRequest(2, 30, 3)), "");
}

}  // namespace
}  // namespace ddsp::server
