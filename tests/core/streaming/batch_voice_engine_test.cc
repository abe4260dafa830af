#include "core/streaming/batch_voice_engine.h"

#include <cmath>
#include <complex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/integer.h"
#include "core/streaming/render.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::ddsp::testing::MakeTestVoice;
using ::ddsp::testing::TestMelody;
using ::ddsp::testing::TestVoiceOptions;
using ::testing::HasSubstr;

constexpr int kHop = 320;

std::unique_ptr<BatchVoiceEngine> MakeEngine(int slots, const TestVoiceOptions& options = {}) {
  auto engine = BatchVoiceEngine::Create(std::make_shared<Voice>(MakeTestVoice(options)), slots);
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

// Streams here are heard at 16 kHz and played at the voice's rate.
std::vector<float> RenderWhole(const std::vector<float>& audio, int64_t chunk, uint64_t seed = 3,
                               const TestVoiceOptions& voice = {}) {
  const auto engine = MakeEngine(1, voice);
  RenderOptions options;
  options.framer.output_rate = voice.sample_rate;
  options.settings.seed = seed;
  options.chunk_samples = chunk;
  const auto rendering = Render(*engine, options, audio);
  EXPECT_TRUE(rendering.ok()) << rendering.status();
  return rendering->audio;
}

float MaxDifference(absl::Span<const float> a, absl::Span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

// A stream in one slot of an engine that others use too.
class SlotStream {
 public:
  SlotStream(BatchVoiceEngine& engine, int slot, const StreamSettings& settings,
             const StreamParameters& parameters = {})
      : slot_(slot),
        framer_(*StreamFramer::Create({engine.format(settings.input), settings.input, 16000,
                                       engine.format(settings.input).sample_rate, TailPolicy::kRingOut, parameters})) {
    EXPECT_TRUE(engine.Reset(slot, settings).ok());
  }
  StreamFramer& framer() { return *framer_; }
  HopRequest NextHop() {
    HopRequest request = framer_->NextHop();
    request.slot = slot_;
    return request;
  }
  std::vector<float> PopAll() {
    std::vector<float> out(framer_->due());
    framer_->Pop(absl::MakeSpan(out));
    return out;
  }

 private:
  const int slot_;
  std::unique_ptr<StreamFramer> framer_;
};

std::vector<absl::Status> StepAll(BatchVoiceEngine& engine, std::vector<SlotStream>& streams) {
  std::vector<HopRequest> requests;
  std::vector<SlotStream*> ready;
  for (SlotStream& stream : streams) {
    if (!stream.framer().HopReady()) continue;
    requests.push_back(stream.NextHop());
    ready.push_back(&stream);
  }
  const auto workspace = engine.MakeWorkspace();
  engine.Step(requests, *workspace);
  for (SlotStream* stream : ready) stream->framer().CompleteHop();
  return workspace->statuses;
}

TEST(BatchVoiceEngine, HasTheLatencyAndTailOfItsGraph) {
  const auto engine = MakeEngine(1);
  EXPECT_EQ(engine->format(StreamInput::kAudio).latency(), 832);
  EXPECT_EQ(engine->format(StreamInput::kAudio).tail, 999);
  EXPECT_LE(engine->format(StreamInput::kControls).latency(), kHop + 1);
}

TEST(BatchVoiceEngine, OfAnotherRateHearsAt16kHz) {
  for (const int rate : {24000, 32000, 48000}) {
    TestVoiceOptions options;
    options.sample_rate = rate;
    const auto engine = MakeEngine(1, options);
    const StreamFormat audio = engine->format(StreamInput::kAudio), controls = engine->format(StreamInput::kControls);
    EXPECT_EQ(audio.sample_rate, rate);
    EXPECT_EQ(audio.hop_size, rate / 50);
    EXPECT_EQ(audio.input_rate, 16000);
    EXPECT_EQ(audio.input_hop, kHop);
    EXPECT_EQ(audio.latency(), 832 * rate / 16000);
    EXPECT_EQ(audio.tail, 999);
    EXPECT_LE(controls.latency(), rate / 50 + 1);
  }
}

TEST(BatchVoiceEngine, MakesSound) {
  const std::vector<float> out = RenderWhole(TestMelody(16000), 1024);
  EXPECT_EQ(out.size(), 16999);
  double power = 0;
  for (const float x : out) power += x * x;
  EXPECT_GT(power / out.size(), 1e-4);
}

TestVoiceOptions IntegerSolo() {
  TestVoiceOptions options = testing::SmallSolo();
  options.arithmetic = "int16";
  options.rnn_channels = 40;  // more than stay in float32
  options.channels = 24;
  return options;
}

TestVoiceOptions At(int sample_rate, TestVoiceOptions options) {
  options.sample_rate = sample_rate;
  return options;
}

// One frame of controls in a hop, and five; at several rates.
class BatchVoiceEngineOf : public ::testing::TestWithParam<TestVoiceOptions> {
 protected:
  // Of the output, where input sample `n` is heard.
  static int64_t Played(int64_t n) { return CeilDiv(n * GetParam().sample_rate, 16000); }
};
INSTANTIATE_TEST_SUITE_P(Recipes, BatchVoiceEngineOf,
                         ::testing::Values(TestVoiceOptions(), testing::SmallSolo(), IntegerSolo(), At(24000, {}),
                                           At(48000, {}), At(48000, testing::SmallSolo())),
                         [](const auto& info) {
                           const std::string recipe = info.param.decoder_frame_rate == 0 ? "vst" : "solo";
                           return absl::StrCat(recipe, "_", info.param.arithmetic, "_", info.param.sample_rate);
                         });

// Invariant 2, to the bit.
TEST_P(BatchVoiceEngineOf, ChunkingChangesNothing) {
  const std::vector<float> audio = TestMelody(6000);
  const std::vector<float> whole = RenderWhole(audio, audio.size(), 3, GetParam());
  for (const int64_t chunk : {1, 7, kHop - 1, kHop, kHop + 1, 997})
    EXPECT_EQ(RenderWhole(audio, chunk, 3, GetParam()), whole) << chunk;
}

// Invariant 4.
TEST(BatchVoiceEngine, TheSeedDecidesTheNoise) {
  const std::vector<float> audio = TestMelody(3000);
  EXPECT_EQ(RenderWhole(audio, 500, 5), RenderWhole(audio, 500, 5));
  EXPECT_NE(RenderWhole(audio, 500, 5), RenderWhole(audio, 500, 6));
}

// Invariant 5: what comes out depends on nothing that was fed more than L later. That it comes out then is the framer's
// test.
TEST_P(BatchVoiceEngineOf, OutputDoesNotDependOnTheFuture) {
  const int64_t n = 3 * kHop, latency = 832;
  std::vector<float> audio = TestMelody(6000);
  const std::vector<float> before = RenderWhole(audio, 512, 3, GetParam());
  for (size_t i = n + latency; i < audio.size(); ++i) audio[i] = 0.9f;
  const std::vector<float> after = RenderWhole(audio, 512, 3, GetParam());
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + Played(n), after.begin()));
  EXPECT_NE(before, after);
}

// The same of a client of any rate, with the latency that the framer declares.
TEST_P(BatchVoiceEngineOf, OutputDoesNotDependOnTheFutureOfAClientOfAnyRate) {
  const auto engine = MakeEngine(1, GetParam());
  for (const int rate : {16000, 44100, 48000}) {
    RenderOptions options;
    options.framer.input_rate = options.framer.output_rate = rate;
    std::vector<float> audio = TestMelody(rate / 2, rate);
    const auto before = Render(*engine, options, audio);
    const int64_t n = rate / 5;
    for (size_t i = n + before->latency_samples; i < audio.size(); ++i) audio[i] = 0.9f;
    const auto after = Render(*engine, options, audio);
    EXPECT_TRUE(std::equal(before->audio.begin(), before->audio.begin() + n, after->audio.begin())) << rate;
    EXPECT_NE(before->audio, after->audio);
  }
}

// Invariant 3: alone or among 31 others, one of which has NaN in its decoder state, the same bits come out.
TEST_P(BatchVoiceEngineOf, NeighboursChangeNothing) {
  constexpr int kStreams = 32, kMine = 13, kPoisoned = 14;
  const std::vector<float> mine = TestMelody(4000);
  const std::vector<float> alone = RenderWhole(mine, 1000, 77, GetParam());
  const auto engine = MakeEngine(kStreams, GetParam());
  std::vector<SlotStream> streams;
  for (int i = 0; i < kStreams; ++i) {
    StreamSettings settings;
    settings.input = i == kPoisoned ? StreamInput::kControls : StreamInput::kAudio;
    settings.seed = i == kMine ? 77 : i;
    streams.emplace_back(*engine, i, settings);
    if (i == kPoisoned) {
      streams[i].framer().PushControl({std::nanf(""), std::nanf("")}, 4000);
    } else {
      streams[i].framer().PushAudio(i == kMine ? mine : TestMelody(4000 - 100 * i, 16000, i));
    }
    streams[i].framer().Finish();
  }
  std::vector<float> out;
  int faults = 0;
  while (streams[kMine].framer().HopReady()) {
    for (const absl::Status& status : StepAll(*engine, streams)) {
      faults += status.code() == absl::StatusCode::kInternal;
    }
    for (const float x : streams[kMine].PopAll()) out.push_back(x);
  }
  EXPECT_EQ(out, alone);
  EXPECT_GT(faults, 0);
}

// Render() brings a workspace of its own: several threads in one engine, each in its slot.
TEST(BatchVoiceEngine, ThreadsStepDisjointSlots) {
  constexpr int kThreads = 4;
  const std::vector<float> audio = TestMelody(8000);
  const std::vector<float> alone = RenderWhole(audio, 1000);
  const auto engine = MakeEngine(kThreads);
  std::vector<std::vector<float>> outputs(kThreads);
  std::vector<std::thread> threads;
  for (int slot = 0; slot < kThreads; ++slot) {
    threads.emplace_back([&, slot] {
      RenderOptions options;
      options.settings.seed = 3;
      options.slot = slot;
      outputs[slot] = Render(*engine, options, audio)->audio;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& output : outputs) EXPECT_EQ(output, alone);
}

TEST_P(BatchVoiceEngineOf, ASlotForgetsAtReset) {
  const auto engine = MakeEngine(1, GetParam());
  RenderOptions options;
  const auto first = Render(*engine, options, TestMelody(3000));
  ASSERT_TRUE(Render(*engine, options, TestMelody(5000, 16000, 9)).ok());
  EXPECT_EQ(Render(*engine, options, TestMelody(3000))->audio, first->audio);
}

std::vector<float> RenderWithChange(const TestVoiceOptions& voice, int64_t at, const StreamParameters& change,
                                    size_t chunk, bool do_change = true) {
  const auto engine = MakeEngine(1, voice);
  std::vector<SlotStream> streams;
  streams.emplace_back(*engine, 0, StreamSettings{});
  const std::vector<float> audio = TestMelody(5000);
  if (do_change) {
    EXPECT_TRUE(streams[0].framer().ChangeParameters(at, change).ok());
  }
  std::vector<float> out;
  for (size_t begin = 0; begin <= audio.size(); begin += chunk) {
    if (begin + chunk > audio.size()) {
      streams[0].framer().PushAudio(absl::MakeSpan(audio).subspan(begin));
      streams[0].framer().Finish();
    } else {
      streams[0].framer().PushAudio(absl::MakeSpan(audio).subspan(begin, chunk));
    }
    while (streams[0].framer().HopReady()) StepAll(*engine, streams);
    for (const float x : streams[0].PopAll()) out.push_back(x);
  }
  return out;
}

TEST_P(BatchVoiceEngineOf, AChangeTakesEffectAtItsSampleUnderAnyChunking) {
  const std::vector<float> unchanged = RenderWithChange(GetParam(), 0, {}, 500, false);
  for (const int64_t at : {1601, 1700, 1920}) {
    for (const StreamParameters& change : {StreamParameters{7, 0}, StreamParameters{0, 12}}) {
      const std::vector<float> changed = RenderWithChange(GetParam(), at, change, 500);
      EXPECT_EQ(RenderWithChange(GetParam(), at, change, 7), changed) << at;
      // Not to the bit: the reverb transforms whole hops, and what comes later in one moves the rounding of what came
      // before.
      const int64_t from = Played(at), soon = Played(16);
      EXPECT_LT(MaxDifference(absl::MakeSpan(unchanged).first(from), absl::MakeSpan(changed).first(from)), 1e-6) << at;
      // At once: within a millisecond, whatever the waveform does at the very sample.
      EXPECT_GT(
          MaxDifference(absl::MakeSpan(unchanged).subspan(from, soon), absl::MakeSpan(changed).subspan(from, soon)),
          1e-4)
          << at;
    }
  }
}

// Level of a held tone at `hz`, against full scale.
double LevelAt(const std::vector<float>& audio, int sample_rate, double hz) {
  std::complex<double> sum = 0;
  const size_t begin = audio.size() / 4, end = audio.size() * 3 / 4;
  for (size_t n = begin; n < end; ++n) {
    const double hann = 1 - std::cos(2 * M_PI * (n - begin) / (end - begin));
    sum += hann * audio[n] * std::polar(1.0, -2 * M_PI * hz * n / sample_rate);
  }
  return 2 * std::abs(sum) / (end - begin);
}

// Harmonics reach up to half of the voice's rate, and none comes back from above it.
TEST(BatchVoiceEngine, HarmonicsEndAtTheVoicesNyquist) {
  TestVoiceOptions dry;
  dry.filtered_noise = false;
  dry.reverb_length = 0;
  constexpr double kF0Hz = 1930;
  for (const int rate : {16000, 24000, 48000}) {
    dry.sample_rate = rate;
    const auto engine = MakeEngine(1, dry);
    RenderOptions options;
    options.framer.output_rate = rate;
    const std::vector<ControlFrame> frames(50, {kF0Hz, -20});
    const auto tone = RenderControls(*engine, options, frames, rate);
    ASSERT_TRUE(tone.ok()) << tone.status();
    const int highest = static_cast<int>(rate / 2 / kF0Hz);
    EXPECT_GT(LevelAt(tone->audio, rate, kF0Hz * highest), 1e-3) << rate;
    for (int k = highest + 1; k <= dry.harmonics; ++k) {
      const double alias = std::fabs(std::remainder(kF0Hz * k, rate));
      EXPECT_LT(LevelAt(tone->audio, rate, alias), 1e-5) << rate << ", harmonic " << k;
    }
  }
}

// A change of pitch must not tear the waveform: a jump is at most what the steepest harmonic makes between two samples.
TEST(BatchVoiceEngine, AChangeOfPitchKeepsThePhase) {
  TestVoiceOptions one;
  one.harmonics = 1;
  one.filtered_noise = false;
  one.reverb_length = 0;
  const auto engine = MakeEngine(1, one);
  StreamSettings settings;
  settings.input = StreamInput::kControls;
  std::vector<SlotStream> streams;
  streams.emplace_back(*engine, 0, settings);
  streams[0].framer().PushControl({300, -20}, 1700);
  ASSERT_TRUE(streams[0].framer().ChangeParameters(1700, {4, 0}).ok());
  streams[0].framer().PushControl({300, -20}, 3000);
  streams[0].framer().Finish();
  while (streams[0].framer().HopReady()) StepAll(*engine, streams);
  const std::vector<float> out = streams[0].PopAll();
  float level = 0;
  for (const float x : out) level = std::max(level, std::fabs(x));
  // The amplitude itself steps with the decoder's answer to the new pitch, by less than a tenth here.
  const double steepest = 2 * M_PI * 400 / 16000 + 0.1;
  for (size_t n = 1600; n < 1800; ++n) ASSERT_LT(std::fabs(out[n] - out[n - 1]), level * steepest) << n;
}

// Invariant 6: after an hour a held note is where an exact sine is, to 1e-3 rad.
TEST(BatchVoiceEngine, AnHourLongNoteStaysInTune) {
  TestVoiceOptions one;
  one.harmonics = 1;
  one.rnn_channels = one.channels = 4;
  one.noise_bands = 3;
  one.filtered_noise = false;
  one.reverb_length = 0;
  const auto engine = MakeEngine(1, one);
  const float f0_hz = 441.7f;
  StreamSettings settings;
  settings.input = StreamInput::kControls;
  ASSERT_TRUE(engine->Reset(0, settings).ok());
  std::vector<float> hop(kHop);
  HopRequest request;
  request.control = {f0_hz, -20};
  request.output = absl::MakeSpan(hop);
  const int64_t hops = 3600 * 50;
  const auto workspace = engine->MakeWorkspace();
  for (int64_t step = 0; step <= hops; ++step) ASSERT_TRUE(engine->Step({request}, *workspace)[0].ok());
  // The last step gave hop `hops - 1`. Its phase against sin(2 pi f0 (n + 1) / rate), by correlation over whole hops.
  double in_phase = 0, quadrature = 0;
  for (int i = 0; i < kHop; ++i) {
    const double cycles = static_cast<double>(f0_hz) * static_cast<double>((hops - 1) * kHop + i + 1) / 16000;
    in_phase += hop[i] * std::sin(2 * M_PI * (cycles - std::floor(cycles)));
    quadrature += hop[i] * std::cos(2 * M_PI * (cycles - std::floor(cycles)));
  }
  // A hop is no whole number of periods: sin and cos are not quite orthogonal over it. Solve the 2 x 2 system.
  double ss = 0, sc = 0, cc = 0;
  for (int i = 0; i < kHop; ++i) {
    const double cycles = static_cast<double>(f0_hz) * static_cast<double>((hops - 1) * kHop + i + 1) / 16000;
    const double s = std::sin(2 * M_PI * (cycles - std::floor(cycles))),
                 c = std::cos(2 * M_PI * (cycles - std::floor(cycles)));
    ss += s * s;
    sc += s * c;
    cc += c * c;
  }
  const double a = (in_phase * cc - quadrature * sc), b = (quadrature * ss - in_phase * sc);
  EXPECT_LT(std::fabs(std::atan2(b, a)), 1e-3);
}

TEST(BatchVoiceEngine, AProfileMapsRegisterAndDynamics) {
  const auto engine = MakeEngine(1);
  StreamSettings settings;
  settings.profile = PerformerProfile{"low", {-50, -20}, 46};  // two octaves below the voice
  RenderOptions options;
  options.settings = settings;
  const auto low = Render(*engine, options, TestMelody(3000));
  options.settings.profile.reset();
  const auto neutral = Render(*engine, options, TestMelody(3000));
  ASSERT_TRUE(low.ok() && neutral.ok());
  EXPECT_NE(low->audio, neutral->audio);
  settings.profile->power_quantiles_db = {-20, -50};
  EXPECT_THAT(std::string(engine->Reset(0, settings).message()), HasSubstr("power quantile 1 falls: -50"));
}

TEST(BatchVoiceEngine, NamesTheNodeThatCannotBeBuilt) {
  auto voice = std::make_shared<Voice>(MakeTestVoice());
  voice->spec.mutable_graph()->mutable_nodes(0)->set_type("Sinusoidal");
  EXPECT_THAT(std::string(BatchVoiceEngine::Create(voice, 1).status().message()),
              HasSubstr("node 'harmonic': processor 'Sinusoidal' is unknown or cannot stream"));
  *voice = MakeTestVoice();
  voice->spec.mutable_graph()->mutable_nodes(2)->set_inputs(0, "nothing/signal");
  EXPECT_THAT(std::string(BatchVoiceEngine::Create(voice, 1).status().message()), HasSubstr("no node before it gives"));
  *voice = MakeTestVoice();
  voice->spec.mutable_graph()->mutable_nodes(0)->set_inputs(0, "amp");
  EXPECT_THAT(std::string(BatchVoiceEngine::Create(voice, 1).status().message()),
              HasSubstr("no control 'amp'; there is: amps"));
}

TEST(BatchVoiceEngine, RefusesAFilterLongerThanItsHop) {
  TestVoiceOptions options;
  options.noise_bands = 400;
  const auto voice = std::make_shared<Voice>(MakeTestVoice(options));
  EXPECT_THAT(std::string(BatchVoiceEngine::Create(voice, 1).status().message()), HasSubstr("400 bands"));
}

TEST(BatchVoiceEngine, RefusesARateThatItsReverbCannotTake) {
  TestVoiceOptions options;
  options.sample_rate = 44100;
  const auto voice = std::make_shared<Voice>(MakeTestVoice(options));
  EXPECT_THAT(std::string(BatchVoiceEngine::Create(voice, 1).status().message()),
              HasSubstr("node 'reverb': a reverb needs a hop with no prime factor above 5, not of 882 samples"));
  options.reverb_length = 0;
  EXPECT_EQ(MakeEngine(1, options)->format(StreamInput::kAudio).latency(), 2294);
}

TEST(BatchVoiceEngine, RefusesAVoiceOfAnotherExtractor) {
  auto voice = std::make_shared<Voice>(MakeTestVoice());
  voice->spec.mutable_features()->set_version(99);
  EXPECT_THAT(std::string(BatchVoiceEngine::Create(voice, 1).status().message()), HasSubstr("extractor version 99"));
}

TEST(BatchVoiceEngine, ASlotIsSmall) {
  TestVoiceOptions full;
  full.rnn_channels = 512;
  full.channels = 256;
  full.harmonics = 60;
  full.reverb_length = 24000;
  EXPECT_LE(MakeEngine(1, full)->bytes_per_slot(), 300'000);
}

}  // namespace
}  // namespace ddsp
