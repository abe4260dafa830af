#include "server/session/session_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "google/rpc/error_details.pb.h"
#include "server/errors/errors.h"
#include "tests/server/support/requests.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FloatConfig;

std::vector<std::string> FieldsAtFault(const absl::Status& error) {
  google::rpc::BadRequest bad;
  const auto payload = error.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  if (payload.has_value()) bad.ParseFromString(std::string(*payload));
  std::vector<std::string> fields;
  for (const auto& violation : bad.field_violations()) fields.push_back(violation.field());
  return fields;
}

struct BadConfig {
  const char* name;
  std::function<void(v1::SessionConfig&)> spoil;
  const char* reason;
  const char* field;
};

void PrintTo(const BadConfig& config, std::ostream* out) { *out << config.name; }

class BadConfigTest : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigTest, NamesReasonAndField) {
  v1::SessionConfig config = FloatConfig();
  GetParam().spoil(config);
  const absl::Status error = PlanSession(config, {}).status();
  EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(error), GetParam().reason);
  EXPECT_THAT(FieldsAtFault(error), ::testing::ElementsAre(GetParam().field));
}

void SetProfile(v1::SessionConfig& config, std::initializer_list<float> quantiles) {
  for (const float quantile : quantiles) config.mutable_profile()->add_power_quantiles_db(quantile);
  config.mutable_profile()->set_mean_pitch_midi(60);
}

constexpr char kFormat[] = "FORMAT_UNSUPPORTED", kConfig[] = "INVALID_CONFIG";
const BadConfig kBadConfigs[] = {
    {"RateTooLow",
     [](auto& c) {
       c.mutable_input_format()->set_sample_rate_hz(7999);
       c.mutable_output_format()->set_sample_rate_hz(8000);
     },
     kFormat, "input_format.sample_rate_hz"},
    {"RateTooHigh", [](auto& c) { c.mutable_output_format()->set_sample_rate_hz(96000); }, kFormat,
     "output_format.sample_rate_hz"},
    {"Stereo", [](auto& c) { c.mutable_input_format()->set_channels(2); }, kFormat, "input_format.channels"},
    {"UnknownEncoding", [](auto& c) { c.mutable_output_format()->set_encoding(static_cast<v1::AudioEncoding>(77)); },
     kFormat, "output_format.encoding"},
    {"OpusRate",
     [](auto& c) {
       c.mutable_output_format()->set_encoding(v1::OPUS);
       c.mutable_output_format()->set_sample_rate_hz(44100);
     },
     kFormat, "output_format.sample_rate_hz"},
    {"NoModel", [](auto& c) { c.clear_model(); }, kConfig, "model"},
    {"UnknownInput", [](auto& c) { c.set_input(static_cast<v1::SessionInput>(9)); }, kConfig, "input"},
    {"UnknownOutput", [](auto& c) { c.set_output(static_cast<v1::SessionOutput>(9)); }, kConfig, "output"},
    {"FeaturesOfControls",
     [](auto& c) {
       c.set_input(v1::SESSION_INPUT_CONTROLS);
       c.set_output(v1::SESSION_OUTPUT_AUDIO_AND_FEATURES);
     },
     kConfig, "output"},
    {"UnknownTail", [](auto& c) { c.set_tail(static_cast<v1::Tail>(5)); }, kConfig, "tail"},
    {"UnknownQos", [](auto& c) { c.set_qos(static_cast<v1::QualityOfService>(5)); }, kConfig, "qos"},
    {"PitchOutOfRange", [](auto& c) { c.mutable_parameters()->set_pitch_shift_semitones(49); }, kConfig,
     "parameters.pitch_shift_semitones"},
    {"PitchNan", [](auto& c) { c.mutable_parameters()->set_pitch_shift_semitones(NAN); }, kConfig,
     "parameters.pitch_shift_semitones"},
    {"LoudnessInfinite", [](auto& c) { c.mutable_parameters()->set_loudness_shift_db(INFINITY); }, kConfig,
     "parameters.loudness_shift_db"},
    {"NegativeBlock", [](auto& c) { c.set_output_block_samples(-1); }, kConfig, "output_block_samples"},
    {"HugeBlock", [](auto& c) { c.set_output_block_samples(1 << 20); }, kConfig, "output_block_samples"},
    {"BlockIsNoOpusPacket",
     [](auto& c) {
       c.mutable_output_format()->set_encoding(v1::OPUS);
       c.set_output_block_samples(321);
     },
     kConfig, "output_block_samples"},
    {"NegativeLatency", [](auto& c) { c.mutable_max_block_latency()->set_seconds(-1); }, kConfig, "max_block_latency"},
    {"Bitrate", [](auto& c) { c.set_opus_bitrate(1); }, kConfig, "opus_bitrate"},
    {"CodecDelay", [](auto& c) { c.set_input_codec_delay_samples(1000000); }, kConfig, "input_codec_delay_samples"},
    {"AdjustOfALiveStream", [](auto& c) { c.mutable_adjust()->set_quiet_db(20); }, kConfig, "adjust"},
    {"FallingProfile",
     [](auto& c) {
       SetProfile(c, {-20, -40});
     },
     kConfig, "profile"},
    {"LongProfileName",
     [](auto& c) {
       SetProfile(c, {-40, -20});
       c.mutable_profile()->set_name(std::string(65, 'x'));
     },
     kConfig, "profile.name"},
};
INSTANTIATE_TEST_SUITE_P(Table, BadConfigTest, ::testing::ValuesIn(kBadConfigs),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(PlanSession, TellsAllProblemsAtOnce) {
  v1::SessionConfig config = FloatConfig("");
  config.set_output_block_samples(-4);
  config.mutable_parameters()->set_loudness_shift_db(61);
  EXPECT_THAT(FieldsAtFault(PlanSession(config, {}).status()),
              ::testing::UnorderedElementsAre("model", "output_block_samples", "parameters.loudness_shift_db"));
}

TEST(PlanSession, TakesOutputFormatFromInput) {
  const SessionPlan plan = *PlanSession(FloatConfig("violin", 44100), {});
  EXPECT_EQ(plan.output_format, plan.input_format);
  EXPECT_EQ(plan.output_format.sample_rate, 44100);
}

TEST(PlanSession, ControlsTakeTheirClockFromTheOutput) {
  v1::SessionConfig config;
  config.set_model("violin");
  config.set_input(v1::SESSION_INPUT_CONTROLS);
  config.mutable_output_format()->set_encoding(v1::PCM_S16LE);
  config.mutable_output_format()->set_sample_rate_hz(24000);
  const SessionPlan plan = *PlanSession(config, {});
  EXPECT_EQ(plan.input, StreamInput::kControls);
  EXPECT_EQ(plan.input_format.sample_rate, 24000);
  EXPECT_EQ(plan.output_format, (WireFormat{Encoding::kPcm16, 24000}));
}

TEST(PlanSession, FeaturesNeedNoModel) {
  v1::SessionConfig config = FloatConfig("");
  config.set_output(v1::SESSION_OUTPUT_FEATURES);
  EXPECT_FALSE(PlanSession(config, {})->needs_voice());
}

TEST(DefaultBlock, IsTwentyMillisecondsOrAHop) {
  const StreamFormat hop_20{.sample_rate = 16000, .hop_size = 320}, hop_50{.sample_rate = 16000, .hop_size = 800};
  EXPECT_EQ(DefaultBlock({Encoding::kPcmFloat, 16000}, hop_20), 320);
  EXPECT_EQ(DefaultBlock({Encoding::kPcmFloat, 44100}, hop_20), 882);
  EXPECT_EQ(DefaultBlock({Encoding::kPcmFloat, 16000}, hop_50), 800);
  EXPECT_EQ(DefaultBlock({Encoding::kOpus, 48000}, hop_20), 960);
  EXPECT_EQ(DefaultBlock({Encoding::kOpus, 48000}, hop_50), 2880);
}

// The rule of the credit window: at least one maximum message and one second, twice.
TEST(InputWindow, HoldsTwoSecondsOrTwoMessages) {
  const SessionLimits limits{.max_block_bytes = 65536};
  EXPECT_EQ(InputWindow({Encoding::kPcm16, 16000}, limits), 2 * 32768);
  EXPECT_EQ(InputWindow({Encoding::kPcmFloat, 48000}, limits), 2 * 48000);
  EXPECT_EQ(InputWindow({Encoding::kOpus, 8000}, limits), 2 * 8000);
}

TEST(MergeParameters, KeepsWhatIsUnset) {
  v1::Parameters wire;
  wire.set_loudness_shift_db(-6);
  const StreamParameters merged = *MergeParameters(wire, {.pitch_shift_semitones = 12, .loudness_shift_db = 3});
  EXPECT_EQ(merged.pitch_shift_semitones, 12);
  EXPECT_EQ(merged.loudness_shift_db, -6);
}

}  // namespace
}  // namespace ddsp::server
