// The engine on a real GPU. Where there is none, every test is skipped, and says why.
#include <cmath>

#include "core/cuda/make_cuda_engine.h"
#include "core/models/voice.h"
#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/render.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/cuda/choir.h"
#include "tests/support/test_voice.h"

namespace ddsp::cuda {
namespace {

using ::ddsp::testing::MakeTestVoice;
using ::ddsp::testing::TestVoiceOptions;
using ::testing::HasSubstr;

constexpr int kHop = Choir::kHop;
constexpr float kTolerance = 1e-5f;

class CudaEngine : public ::testing::Test {
 protected:
  static std::shared_ptr<const Voice> SmallVoice() { return std::make_shared<Voice>(MakeTestVoice()); }

  void SetUp() override {
    const auto engine = MakeCudaVoiceEngine(SmallVoice(), {});
    if (!engine.ok()) GTEST_SKIP() << engine.status();
  }

  static std::unique_ptr<VoiceEngine> MakeEngine(const std::shared_ptr<const Voice>& voice, int slots) {
    auto engine = MakeCudaVoiceEngine(voice, {.slots = slots, .threads = 4});
    EXPECT_TRUE(engine.ok()) << engine.status();
    return *std::move(engine);
  }

  static void ExpectSameAsCpu(const std::shared_ptr<const Voice>& voice, int slots, int steps) {
    const auto cpu = *BatchVoiceEngine::Create(voice, slots);
    const auto gpu = MakeEngine(voice, slots);
    Choir expected(*cpu, 5), actual(*gpu, 5);
    for (int step = 0; step < steps; ++step) {
      ASSERT_LE(MaxDifference(expected.Step(), actual.Step()), kTolerance) << "step " << step;
    }
  }
};

TEST_F(CudaEngine, SoundsLikeTheCpuEngine) { ExpectSameAsCpu(SmallVoice(), 50, 60); }

TEST_F(CudaEngine, SoundsLikeTheCpuEngineAtFullSize) {
  TestVoiceOptions options;
  options.rnn_channels = 512;
  options.channels = 256;
  options.harmonics = 60;
  options.reverb_length = 24000;
  ExpectSameAsCpu(std::make_shared<Voice>(MakeTestVoice(options)), 100, 100);
}

TEST_F(CudaEngine, SoundsLikeTheCpuEngineWithFramesInsideHops) {
  auto voice = std::make_shared<Voice>(MakeTestVoice());
  voice->spec.mutable_decoder()->set_frame_rate(250);
  ExpectSameAsCpu(voice, 50, 30);
}

TEST_F(CudaEngine, RendersTheGoldenAudioOfTheViolin) {
  const auto voice = ReadBundle(DDSP_SOURCE_DIR "/models/violin/1");
  ASSERT_TRUE(voice.ok()) << voice.status();
  const auto engine = MakeEngine(*voice, 1);
  RenderOptions options;
  options.settings.seed = (*voice)->golden.seed;
  const auto rendering = Render(*engine, options, (*voice)->golden.input);
  ASSERT_TRUE(rendering.ok()) << rendering.status();
  EXPECT_LE(MaxDifference(rendering->audio, (*voice)->golden.output), (*voice)->spec.golden_tolerance());
}

// Invariant 3, to the bit: a stream alone, and in steps of every size.
TEST_F(CudaEngine, NeighboursChangeNothing) {
  constexpr int kSlots = 5000;
  const auto voice = SmallVoice();
  const auto alone = MakeEngine(voice, 1), among = MakeEngine(voice, kSlots);
  StreamSettings settings;
  settings.input = StreamInput::kControls;
  ASSERT_TRUE(alone->Reset(0, settings).ok());
  for (int slot = 0; slot < kSlots; ++slot) ASSERT_TRUE(among->Reset(slot, settings).ok());
  const auto step = [&](VoiceEngine& engine, float f0_hz, int others) {
    const auto workspace = engine.MakeWorkspace();
    std::vector<float> output((1 + others) * kHop);
    std::vector<HopRequest> requests(1 + others);
    for (int i = 0; i <= others; ++i) {
      const int slot = others - i;  // slot 0 comes last
      requests[i].slot = slot;
      requests[i].control = {slot == 1 ? std::nanf("") : f0_hz + static_cast<float>(slot % 100), -25};
      requests[i].output = absl::MakeSpan(output).subspan(i * kHop, kHop);
    }
    EXPECT_TRUE(engine.Step(requests, *workspace).back().ok());
    return std::vector<float>(output.end() - kHop, output.end());
  };
  float f0_hz = 300;
  for (const int others : {0, 1, 31, 32, 33, 64, 127, 1000, 2047, 4095, 4096, kSlots - 1, 0}) {
    ASSERT_EQ(step(*alone, f0_hz, 0), step(*among, f0_hz, others)) << others;
    f0_hz *= 1.03f;
  }
}

TEST(MakeCudaVoiceEngine, TellsThatThereIsNoSuchDevice) {
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  const absl::Status status = MakeCudaVoiceEngine(voice, {.device = 99}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
#ifdef DDSP_WITH_CUDA
  EXPECT_THAT(std::string(status.message()), HasSubstr("no CUDA device 99: "));
#else
  EXPECT_THAT(std::string(status.message()), HasSubstr("cuda:99: built without CUDA"));
#endif
}

}  // namespace
}  // namespace ddsp::cuda
