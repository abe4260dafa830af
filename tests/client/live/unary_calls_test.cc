// Calls of one message against a real server: what they give is what this process gives.
#include "client/sdk/unary_calls.h"

#include <limits>

#include "client/sdk/error.h"
#include "core/features/feature_extractor.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/live_server.h"

namespace ddsp::client {
namespace {

using ::ddsp::testing::LiveServer;
using ::ddsp::testing::TestMelody;
using ::testing::HasSubstr;

class UnaryCalls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new LiveServer; }
  static void TearDownTestSuite() { delete server_, server_ = nullptr; }

  static v1::RenderRequest MelodyRequest(int rate, int64_t samples) {
    v1::RenderRequest request;
    request.mutable_config()->set_model("test-voice");
    request.mutable_config()->mutable_input_format()->set_encoding(v1::PCM_F32LE);
    request.mutable_config()->mutable_input_format()->set_sample_rate_hz(rate);
    const std::vector<float> melody = TestMelody(samples, rate);
    request.set_audio(reinterpret_cast<const char*>(melody.data()), melody.size() * sizeof(float));
    return request;
  }
  static std::vector<float> SamplesOf(const v1::RenderResponse& response) {
    std::vector<float> samples(response.audio().size() / sizeof(float));
    std::memcpy(samples.data(), response.audio().data(), response.audio().size());
    return samples;
  }
  static std::unique_ptr<VoiceEngine> Engine() {
    return *MakeVoiceEngine(*LoadVoice(server_->repository() + "/test-voice/1"), 1);
  }
  static std::string ReasonOf(const absl::Status& status) {
    const auto details = DetailsOf(status);
    return details ? details->reason : "";
  }

  static LiveServer* server_;
};
LiveServer* UnaryCalls::server_ = nullptr;

// Longer than a session's credit and its longest block.
TEST_F(UnaryCalls, RenderGivesWhatTheVoiceGivesInProcess) {
  for (const auto& [rate, samples] : {std::pair{16000, 120001}, {44100, 100000}, {16000, 1}}) {
    const auto response = Render(server_->address(), MelodyRequest(rate, samples));
    ASSERT_TRUE(response.ok()) << response.status();
    RenderOptions options;
    options.framer.input_rate = options.framer.output_rate = rate;
    const auto expected = ddsp::Render(*Engine(), options, TestMelody(samples, rate));
    EXPECT_EQ(SamplesOf(*response), expected->audio) << rate;
    EXPECT_EQ(response->started().model(), "test-voice/1");
  }
}

TEST_F(UnaryCalls, RenderTakesControls) {
  v1::RenderRequest request;
  request.mutable_config()->set_model("test-voice");
  request.mutable_config()->set_input(v1::SESSION_INPUT_CONTROLS);
  request.mutable_config()->mutable_input_format()->set_encoding(v1::PCM_F32LE);
  request.mutable_config()->mutable_input_format()->set_sample_rate_hz(16000);
  request.set_frame_samples(320);
  std::vector<ControlFrame> frames;
  for (int t = 0; t < 2500; ++t) {
    frames.push_back({220.0f + static_cast<float>(t) / 10, -30});
    request.add_frames()->set_f0_hz(frames.back().f0_hz);
    request.mutable_frames(t)->set_loudness_db(-30);
  }
  const auto response = Render(server_->address(), request);
  ASSERT_TRUE(response.ok()) << response.status();
  const std::vector<float> samples = SamplesOf(*response);
  EXPECT_EQ(samples.size(), 2500 * 320 + response->started().tail_samples());
  EXPECT_GT(*std::max_element(samples.begin(), samples.end()), 1e-4f);
}

TEST_F(UnaryCalls, RenderReturnsFeaturesWhereAsked) {
  v1::RenderRequest request = MelodyRequest(16000, 16000);
  request.mutable_config()->set_output(v1::SESSION_OUTPUT_AUDIO_AND_FEATURES);
  const auto response = Render(server_->address(), request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_GE(response->features().f0_hz_size(), 50);
  EXPECT_EQ(response->features().f0_hz_size(), response->features().power_db_size());
}

TEST_F(UnaryCalls, RenderEndsWithTheErrorsOfASession) {
  v1::RenderRequest request = MelodyRequest(16000, 100);
  request.mutable_config()->set_model("theremin");
  EXPECT_EQ(ReasonOf(Render(server_->address(), request).status()), "MODEL_NOT_FOUND");
  request = MelodyRequest(16000, 40000);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(request.mutable_audio()->data() + 4 * 39000, &nan, 4);
  EXPECT_EQ(ReasonOf(Render(server_->address(), request).status()), "AUDIO_NOT_FINITE");
  request = MelodyRequest(16000, 100);
  request.mutable_config()->mutable_input_format()->set_encoding(v1::OPUS);
  EXPECT_EQ(ReasonOf(Render(server_->address(), request).status()), "FORMAT_UNSUPPORTED");
  request = MelodyRequest(16000, 100);
  request.mutable_audio()->push_back('x');
  EXPECT_EQ(ReasonOf(Render(server_->address(), request).status()), "BLOCK_MALFORMED");
}

TEST_F(UnaryCalls, RenderAdjustsToTheVoice) {
  v1::RenderRequest request = MelodyRequest(16000, 24001);
  request.mutable_config()->set_tail(v1::TAIL_CUT);
  const auto plain = Render(server_->address(), request);
  request.mutable_config()->mutable_adjust();
  const auto adjusted = Render(server_->address(), request);
  ASSERT_TRUE(adjusted.ok()) << adjusted.status();
  EXPECT_EQ(adjusted->audio().size(), 24001 * sizeof(float));
  EXPECT_NE(adjusted->audio(), plain->audio());
  request.clear_audio();
  const auto empty = Render(server_->address(), request);
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_EQ(empty->audio(), "");
}

TEST_F(UnaryCalls, RenderNamesWhatCannotBeAdjusted) {
  const auto status_with = [&](auto&& change) {
    v1::RenderRequest request = MelodyRequest(16000, 8000);
    request.mutable_config()->mutable_adjust()->set_threshold(0.5);
    change(request);
    return Render(server_->address(), request).status();
  };
  const absl::Status range = status_with([](auto& r) { r.mutable_config()->mutable_adjust()->set_autotune(1.5); });
  EXPECT_EQ(ReasonOf(range), "INVALID_CONFIG");
  EXPECT_THAT(std::string(range.message()), HasSubstr("autotune is 1.5, expected 0 to 1"));
  const auto reason_with = [&](auto&& change) { return ReasonOf(status_with(change)); };
  EXPECT_EQ(reason_with([](auto& r) { r.mutable_config()->set_model("theremin"); }), "MODEL_NOT_FOUND");
  EXPECT_EQ(reason_with([](auto& r) { r.mutable_audio()->pop_back(); }), "BLOCK_MALFORMED");
  EXPECT_EQ(reason_with([](auto& r) { r.mutable_config()->mutable_input_format()->set_sample_rate_hz(5); }),
            "FORMAT_UNSUPPORTED");
  EXPECT_EQ(reason_with([](auto& r) { r.mutable_config()->set_output(v1::SESSION_OUTPUT_FEATURES); }),
            "INVALID_CONFIG");
}

TEST_F(UnaryCalls, RequestsThatAreTooLongAreNotSent) {
  const absl::Status status = Render(server_->address(), MelodyRequest(16000, 1 << 20)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("4194304 (4 MiB)"));
}

TEST_F(UnaryCalls, ExtractGivesWhatTheExtractorGives) {
  const std::vector<float> melody = TestMelody(32000);
  v1::ExtractRequest request;
  request.mutable_format()->set_encoding(v1::PCM_F32LE);
  request.mutable_format()->set_sample_rate_hz(16000);
  request.set_audio(reinterpret_cast<const char*>(melody.data()), melody.size() * sizeof(float));
  const auto response = ExtractFeatures(server_->address(), request);
  ASSERT_TRUE(response.ok()) << response.status();
  FeatureSettings settings;
  settings.frame_rate = 100;
  const auto expected = (*FeatureExtractor::Create(settings))->Extract(melody);
  ASSERT_EQ(response->features().f0_hz_size(), static_cast<int>(expected.size()));
  for (size_t t = 0; t < expected.size(); ++t) EXPECT_EQ(response->features().f0_hz(t), expected[t].f0_hz);
}

TEST_F(UnaryCalls, GraphErrorsComeWithTheirReason) {
  v1::RunGraphRequest request;
  request.set_gin("ProcessorGroup.dag = [");
  const absl::Status status = RunGraph(server_->address(), request).status();
  EXPECT_EQ(ReasonOf(status), "INVALID_GRAPH");
  EXPECT_THAT(std::string(status.message()), HasSubstr("gin:1:22"));
}

}  // namespace
}  // namespace ddsp::client
