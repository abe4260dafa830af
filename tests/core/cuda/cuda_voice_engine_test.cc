// The whole step on the host, kernel for kernel, against the engine for CPUs.
#include "core/cuda/cuda_voice_engine.h"

#include <algorithm>
#include <cmath>

#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/render.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/cuda/choir.h"
#include "tests/core/cuda/host_step_device.h"
#include "tests/support/test_voice.h"

namespace ddsp::cuda {
namespace {

using ::ddsp::testing::MakeTestVoice;
using ::ddsp::testing::TestMelody;
using ::ddsp::testing::TestVoiceOptions;
using ::testing::HasSubstr;

constexpr int kHop = Choir::kHop;
constexpr float kTolerance = 1e-5f;

std::unique_ptr<CudaVoiceEngine> MakeEngine(const std::shared_ptr<const Voice>& voice, int slots,
                                            Turns turns = Turns::kForward, int threads = 1) {
  auto compiled = VoiceProgram::Compile(*voice);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  auto program = std::make_unique<const VoiceProgram>(*std::move(compiled));
  auto device = std::make_unique<HostStepDevice>(*program, slots, turns);
  auto engine = CudaVoiceEngine::Create(voice, std::move(program), std::move(device), slots, threads);
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

void ExpectVoiceSameAsCpu(const std::shared_ptr<const Voice>& voice, int slots, int steps) {
  const auto cpu = *BatchVoiceEngine::Create(voice, slots);
  const auto gpu = MakeEngine(voice, slots);
  Choir expected(*cpu, 5), actual(*gpu, 5);
  float loudest = 0;
  for (int step = 0; step < steps; ++step) {
    const std::vector<float> want = expected.Step();
    ASSERT_LE(MaxDifference(want, actual.Step()), kTolerance) << "step " << step;
    for (const float x : want) loudest = std::max(loudest, std::fabs(x));
  }
  EXPECT_GT(loudest, 1e-2f);
}

void ExpectSameAsCpu(const TestVoiceOptions& options, int slots, int steps) {
  ExpectVoiceSameAsCpu(std::make_shared<Voice>(MakeTestVoice(options)), slots, steps);
}

TEST(CudaVoiceEngine, HasTheFormatOfTheCpuEngine) {
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  const auto cpu = *BatchVoiceEngine::Create(voice, 1);
  const auto gpu = MakeEngine(voice, 1);
  for (const StreamInput input : {StreamInput::kAudio, StreamInput::kControls}) {
    EXPECT_EQ(gpu->format(input).latency(), cpu->format(input).latency());
    EXPECT_EQ(gpu->format(input).preroll, cpu->format(input).preroll);
    EXPECT_EQ(gpu->format(input).tail, cpu->format(input).tail);
  }
}

// What is heard at 16 kHz and played at another rate.
TEST(CudaVoiceEngine, SoundsLikeTheCpuEngineAtOtherRates) {
  for (const int rate : {24000, 48000}) {
    TestVoiceOptions options;
    options.sample_rate = rate;
    options.noise_bands = 98;
    const auto voice = std::make_shared<Voice>(MakeTestVoice(options));
    EXPECT_EQ(MakeEngine(voice, 1)->format(StreamInput::kAudio).input_hop, kHop);
    EXPECT_EQ(MakeEngine(voice, 1)->format(StreamInput::kAudio).hop_size, rate / 50);
    ExpectVoiceSameAsCpu(voice, 7, 30);
    options.decoder_frame_rate = 250;
    ExpectSameAsCpu(options, 3, 12);
  }
}

TEST(CudaVoiceEngine, RefusesARateThatItsReverbCannotTake) {
  TestVoiceOptions options;
  options.sample_rate = 44100;
  EXPECT_THAT(std::string(VoiceProgram::Compile(MakeTestVoice(options)).status().message()),
              HasSubstr("node 'reverb': a reverb needs a hop with no prime factor above 5"));
}

// Streams that join, leave, skip ticks and change parameters, in batches of any composition.
TEST(CudaVoiceEngine, SoundsLikeTheCpuEngine) { ExpectSameAsCpu({}, 7, 60); }

// More rows than the smallest step has room for, and tiles of rows that are not full.
TEST(CudaVoiceEngine, SoundsLikeTheCpuEngineInLargerBatches) { ExpectSameAsCpu({}, 70, 12); }

TEST(CudaVoiceEngine, SoundsLikeTheCpuEngineAtFullSize) {
  TestVoiceOptions options;
  options.rnn_channels = 512;
  options.channels = 256;
  options.harmonics = 60;
  options.reverb_length = 24000;
  ExpectSameAsCpu(options, 3, 12);
}

TEST(CudaVoiceEngine, SoundsLikeTheCpuEngineWithOtherGraphs) {
  TestVoiceOptions deep;
  deep.layers_per_stack = 3;
  ExpectSameAsCpu(deep, 3, 20);
  TestVoiceOptions shallow;
  shallow.layers_per_stack = 0;
  shallow.filtered_noise = false;
  ExpectSameAsCpu(shallow, 3, 20);
  TestVoiceOptions dry;
  dry.reverb_length = 0;
  dry.noise_bands = 5;
  ExpectSameAsCpu(dry, 3, 20);
  TestVoiceOptions short_reverb;
  short_reverb.reverb_length = 100;
  ExpectSameAsCpu(short_reverb, 3, 20);
}

// The recipe of solo instruments: five frames of controls in a hop.
TEST(CudaVoiceEngine, SoundsLikeTheCpuEngineWithFramesInsideHops) {
  auto voice = std::make_shared<Voice>(MakeTestVoice());
  voice->spec.mutable_decoder()->set_frame_rate(250);
  voice->spec.mutable_decoder()->set_input_keys(0, "ld_scaled");
  (*voice->spec.mutable_graph()->mutable_nodes(0)->mutable_texts())["amp_resample_method"] = "window";
  ASSERT_EQ(voice->decoder_frames_per_hop(), 5);
  ExpectVoiceSameAsCpu(voice, 7, 40);
}

TEST(CudaVoiceEngine, RendersWhatTheCpuEngineRenders) {
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  const auto cpu = *BatchVoiceEngine::Create(voice, 1);
  const auto gpu = MakeEngine(voice, 1);
  const std::vector<float> audio = TestMelody(8000);
  EXPECT_LE(MaxDifference(Render(*gpu, {}, audio)->audio, Render(*cpu, {}, audio)->audio), kTolerance);
}

// Threads of a block, and blocks, run at the same time: were one to touch what another has in hand, their order would
// show.
TEST(CudaVoiceEngine, TheOrderOfThreadsChangesNothing) {
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  const auto forward = MakeEngine(voice, 5, Turns::kForward), backward = MakeEngine(voice, 5, Turns::kBackward);
  Choir one(*forward, 9), other(*backward, 9);
  for (int step = 0; step < 20; ++step) ASSERT_EQ(one.Step(), other.Step()) << step;
}

// The same with threads and barriers, for the thread sanitizer: it sees what code between phases reads, too.
TEST(CudaVoiceEngine, ThreadsOfABlockDoNotRace) {
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  const auto serial = MakeEngine(voice, 3, Turns::kForward), parallel = MakeEngine(voice, 3, Turns::kTogether);
  Choir one(*serial, 9), other(*parallel, 9);
  for (int step = 0; step < 5; ++step) ASSERT_LE(MaxDifference(one.Step(), other.Step()), kTolerance) << step;
}

// Invariant 3, to the bit: the order of requests, the size of step and the place in it do not matter.
TEST(CudaVoiceEngine, NeighboursChangeNothing) {
  constexpr int kMine = 13;
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  const auto alone = MakeEngine(voice, 40), among = MakeEngine(voice, 40);
  const auto step = [&](CudaVoiceEngine& engine, int i, int first, int end) {
    const auto workspace = engine.MakeWorkspace();
    std::vector<float> output(40 * kHop);
    std::vector<HopRequest> requests;
    for (int slot = first; slot < end; ++slot) {
      HopRequest request;
      request.slot = slot;
      request.control = {slot == kMine + 1 ? std::nanf("") : 300.0f + i + 7 * (slot - kMine), -25};
      request.output = absl::MakeSpan(output).subspan(slot * kHop, kHop);
      requests.push_back(request);
    }
    const auto statuses = engine.Step(requests, *workspace);
    EXPECT_TRUE(statuses[kMine - first].ok());
    if (end > kMine + 1) {
      EXPECT_EQ(statuses[kMine + 1 - first].code(), i == 0 ? absl::StatusCode::kOk : absl::StatusCode::kInternal);
    }
    return std::vector<float>(output.begin() + kMine * kHop, output.begin() + (kMine + 1) * kHop);
  };
  StreamSettings settings;
  settings.input = StreamInput::kControls;
  for (int slot = 0; slot < 40; ++slot) {
    ASSERT_TRUE(alone->Reset(slot, settings).ok());
    ASSERT_TRUE(among->Reset(slot, settings).ok());
  }
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(step(*alone, i, kMine, kMine + 1), step(*among, i, i == 3 ? kMine : 0, 40)) << i;
  }
}

// More rows than a step has room for: the batch goes in parts.
TEST(CudaVoiceEngine, ManyChangesAreStepped) {
  TestVoiceOptions small;
  small.rnn_channels = small.channels = 4;
  const auto voice = std::make_shared<Voice>(MakeTestVoice(small));
  const auto cpu = *BatchVoiceEngine::Create(voice, 2);
  const auto gpu = MakeEngine(voice, 2);
  std::vector<ParameterChange> changes;
  for (int offset = 1; offset <= kHop; ++offset) changes.push_back({offset, {0.01 * offset, 0}});
  StreamSettings settings;
  settings.input = StreamInput::kControls;
  std::vector<float> output[2];
  const auto step = [&](VoiceEngine& engine, std::vector<float>& out) {
    const auto workspace = engine.MakeWorkspace();
    out.resize(2 * kHop);
    std::vector<HopRequest> requests(2);
    for (int i = 0; i < 2; ++i) {
      requests[i].slot = i;
      requests[i].control = {300, -20};
      requests[i].changes = changes;
      requests[i].output = absl::MakeSpan(out).subspan(i * kHop, kHop);
    }
    for (const absl::Status& status : engine.Step(requests, *workspace)) EXPECT_TRUE(status.ok()) << status;
  };
  for (VoiceEngine* engine : {static_cast<VoiceEngine*>(cpu.get()), static_cast<VoiceEngine*>(gpu.get())}) {
    for (const int slot : {0, 1}) ASSERT_TRUE(engine->Reset(slot, settings).ok());
  }
  for (int i = 0; i < 3; ++i) {
    step(*cpu, output[0]);
    step(*gpu, output[1]);
    EXPECT_LE(MaxDifference(output[0], output[1]), kTolerance) << i;
  }
}

TEST(CudaVoiceEngine, ThreadsChangeNothing) {
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  const auto one = MakeEngine(voice, 30, Turns::kForward, 1), three = MakeEngine(voice, 30, Turns::kForward, 3);
  Choir alone(*one, 2), together(*three, 2);
  for (int step = 0; step < 8; ++step) ASSERT_EQ(alone.Step(), together.Step());
}

TEST(CudaVoiceEngine, NamesTheNodeThatCannotBeBuilt) {
  Voice voice = MakeTestVoice();
  voice.spec.mutable_graph()->mutable_nodes(0)->set_type("Sinusoidal");
  EXPECT_THAT(std::string(VoiceProgram::Compile(voice).status().message()),
              HasSubstr("node 'harmonic': processor 'Sinusoidal' is unknown or cannot stream"));
}

// A device that has gone away.
class BrokenDevice : public StepDevice {
 public:
  int capacity() const override { return 512; }
  absl::Status ResetSlot(int) override { return absl::OkStatus(); }
  StepInput BeginStep(int rows) override {
    buffer_.resize(StepInput::FrameBytes(rows, 2) / sizeof(StepCounts) + 1);
    return {reinterpret_cast<std::byte*>(buffer_.data()), rows, 2};
  }
  absl::StatusOr<const float*> FinishStep() override { return absl::InternalError("cudaGraphLaunch: unplugged"); }

 private:
  std::vector<StepCounts> buffer_;
};

TEST(CudaVoiceEngine, EveryRequestLearnsThatTheDeviceFailed) {
  const auto voice = std::make_shared<Voice>(MakeTestVoice());
  auto program = std::make_unique<const VoiceProgram>(*VoiceProgram::Compile(*voice));
  const auto engine = *CudaVoiceEngine::Create(voice, std::move(program), std::make_unique<BrokenDevice>(), 2, 1);
  StreamSettings settings;
  settings.input = StreamInput::kControls;
  std::vector<float> output(2 * kHop, 1.0f);
  std::vector<HopRequest> requests(2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(engine->Reset(i, settings).ok());
    requests[i].slot = i;
    requests[i].output = absl::MakeSpan(output).subspan(i * kHop, kHop);
  }
  const auto workspace = engine->MakeWorkspace();
  for (const absl::Status& status : engine->Step(requests, *workspace)) {
    EXPECT_EQ(status, absl::InternalError("cudaGraphLaunch: unplugged"));
  }
  EXPECT_THAT(output, ::testing::Each(0.0f));
}

}  // namespace
}  // namespace ddsp::cuda
