// Save and Restore are inverse: a stream that was saved between two hops and gone on with elsewhere is, to the bit, the
// one that nobody has disturbed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>

#include "core/features/feature_extractor.h"
#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/random_voice.h"
#include "core/streaming/stream_framer.h"
#include "core/streaming/voice_loader.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::ddsp::testing::MakeTestVoice;
using ::ddsp::testing::TestMelody;
using ::ddsp::testing::TestVoiceOptions;
using ::testing::HasSubstr;

constexpr int64_t kChunk = 333;  // input samples between two chances to be saved

std::shared_ptr<const Voice> SmallVoice(const TestVoiceOptions& options = {}) {
  return std::make_shared<Voice>(MakeTestVoice(options));
}

PerformerProfile LoudProfile() {
  PerformerProfile profile;
  profile.name = "loud";
  profile.power_quantiles_db = {-50, -30, -10};
  profile.mean_pitch_midi = 48;
  return profile;
}

struct Script {
  StreamSettings settings;
  int input_rate = 16000, output_rate = 16000;
  int64_t samples = 9000;  // of the input
};

struct SavedStream {
  std::string slot, framer;
};

// A stream that is fed by a script, in a slot of an engine.
class Player {
 public:
  Player(std::shared_ptr<const Voice> voice, const Script& script, int slots, int slot)
      : script_(script),
        slot_(slot),
        engine_(*BatchVoiceEngine::Create(std::move(voice), slots)),
        workspace_(engine_->MakeWorkspace()),
        melody_(TestMelody(script.samples, script.input_rate)) {
    script_.settings.resumable = true;
    const StreamFramer::Options options{.format = engine_->format(script.settings.input),
                                        .input = script.settings.input,
                                        .input_rate = script.input_rate,
                                        .output_rate = script.output_rate};
    framer_ = *StreamFramer::Create(options);
    EXPECT_TRUE(engine_->Reset(slot_, script_.settings).ok());
  }

  SavedStream Save() const { return {*engine_->Save(slot_), framer_->Save()}; }
  absl::Status Restore(const SavedStream& saved) {
    if (absl::Status status = engine_->Restore(slot_, script_.settings, saved.slot); !status.ok()) return status;
    return framer_->Restore(saved.framer);
  }

  bool AtEnd() const { return framer_->input_samples() >= script_.samples; }
  // The next chunk, with what changes on the way: always some that are not taken up yet.
  void Feed() {
    const int64_t at = framer_->input_samples(), count = std::min(kChunk, script_.samples - at);
    if (at / 1000 != (at + count) / 1000) {
      const StreamParameters parameters{.pitch_shift_semitones = static_cast<double>(at / 1000 % 5) - 2,
                                        .loudness_shift_db = static_cast<double>(at / 1000 % 3)};
      EXPECT_TRUE(framer_->ChangeParameters(at + count + 1500, parameters).ok());
    }
    if (script_.settings.input == StreamInput::kAudio) {
      framer_->PushAudio(absl::MakeSpan(melody_).subspan(at, count));
    } else {
      framer_->PushControl({220.0f + static_cast<float>(at) / 50, -20.0f - static_cast<float>(at / 1000)}, count);
    }
    Step();
  }
  void Finish() {
    EndInput();
    while (StepOnce()) continue;
  }
  // Finish() in single hops. False: there was none any more.
  void EndInput() { framer_->Finish(); }
  bool StepOnce() {
    const bool ready = framer_->HopReady();
    if (ready) StepHop();
    Collect();
    return ready;
  }
  std::vector<float> FinishScript() {
    if (!framer_->finished()) {
      while (!AtEnd()) Feed();
    }
    Finish();
    return output();
  }

  const std::vector<float>& output() const { return output_; }
  const std::vector<float>& pitches() const { return pitches_; }

 private:
  void Step() {
    while (framer_->HopReady()) StepHop();
    Collect();
  }
  void StepHop() {
    HopRequest request = framer_->NextHop();
    request.slot = slot_;
    EXPECT_TRUE(engine_->Step({request}, *workspace_)[0].ok());
    framer_->CompleteHop();
  }
  void Collect() {
    const size_t at = output_.size();
    output_.resize(at + framer_->due());
    framer_->Pop(absl::MakeSpan(output_).subspan(at));
    for (const FeatureFrame& frame : framer_->TakeFeatures()) pitches_.push_back(frame.f0_hz);
  }

  Script script_;
  const int slot_;
  const std::unique_ptr<BatchVoiceEngine> engine_;
  const std::unique_ptr<StepWorkspace> workspace_;
  const std::vector<float> melody_;
  std::unique_ptr<StreamFramer> framer_;
  std::vector<float> output_, pitches_;
};

// Saves a stream after every `every`th chunk, and goes on from each of these elsewhere.
void ExpectUndisturbed(const std::shared_ptr<const Voice>& voice, const Script& script, int every) {
  Player whole(voice, script, 1, 0);
  struct Moment {
    SavedStream saved;
    size_t outputs, pitches;
  };
  std::vector<Moment> moments;
  for (int chunk = 0; !whole.AtEnd(); ++chunk) {
    if (chunk % every == 0) moments.push_back({whole.Save(), whole.output().size(), whole.pitches().size()});
    whole.Feed();
  }
  whole.EndInput();
  // In its tail, too.
  for (int hop = 0;; ++hop) {
    if (hop % every == 0) moments.push_back({whole.Save(), whole.output().size(), whole.pitches().size()});
    if (!whole.StepOnce()) break;
  }
  for (const Moment& moment : moments) {
    Player rest(voice, script, 7, 5);
    ASSERT_TRUE(rest.Restore(moment.saved).ok()) << rest.Restore(moment.saved);
    rest.FinishScript();
    EXPECT_TRUE(std::equal(rest.output().begin(), rest.output().end(), whole.output().begin() + moment.outputs,
                           whole.output().end()))
        << "from sample " << moment.outputs << " on";
    EXPECT_TRUE(std::equal(rest.pitches().begin(), rest.pitches().end(), whole.pitches().begin() + moment.pitches,
                           whole.pitches().end()));
  }
}

TestVoiceOptions LongReverb() {
  TestVoiceOptions options;
  options.reverb_length = 6000;
  return options;
}

TestVoiceOptions IntegerSolo() {
  TestVoiceOptions options = testing::SmallSolo();
  options.arithmetic = "int16";
  options.rnn_channels = 40;
  options.channels = 24;
  return options;
}

TestVoiceOptions Dry() {
  TestVoiceOptions options;
  options.reverb_length = 0;
  return options;
}

struct Recipe {
  const char* name;
  TestVoiceOptions voice;
};
void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.name; }

class StreamStateOf : public ::testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, StreamStateOf,
                         ::testing::Values(Recipe{"vst", {}}, Recipe{"solo", testing::SmallSolo()},
                                           Recipe{"integer_solo", IntegerSolo()}, Recipe{"dry", Dry()},
                                           Recipe{"long_reverb", LongReverb()}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(StreamStateOf, GoesOnToTheBit) { ExpectUndisturbed(SmallVoice(GetParam().voice), {}, 1); }

TEST_P(StreamStateOf, GoesOnWithControls) {
  Script script;
  script.settings.input = StreamInput::kControls;
  script.settings.seed = 9;
  ExpectUndisturbed(SmallVoice(GetParam().voice), script, 2);
}

TEST_P(StreamStateOf, GoesOnAtOtherRatesWithAProfile) {
  Script script{.settings = {}, .input_rate = 44100, .output_rate = 22050, .samples = 30000};
  script.settings.profile = LoudProfile();
  ExpectUndisturbed(SmallVoice(GetParam().voice), script, 7);
}

// Long enough for all rings of the longest reverb to have gone round.
TEST(StreamState, GoesOnAfterTheReverbHasGoneRound) {
  Script script;
  script.samples = 40000;
  ExpectUndisturbed(SmallVoice(LongReverb()), script, 13);
}

TEST(StreamState, ManyServersInARowChangeNothing) {
  const auto voice = SmallVoice(LongReverb());
  Script script;
  script.samples = 16000;
  const std::vector<float> whole = Player(voice, script, 1, 0).FinishScript();
  auto player = std::make_unique<Player>(voice, script, 1, 0);
  std::vector<float> output;
  while (!player->AtEnd()) {
    player->Feed();
    output.insert(output.end(), player->output().begin(), player->output().end());
    const SavedStream saved = player->Save();
    player = std::make_unique<Player>(voice, script, 3, 1);
    ASSERT_TRUE(player->Restore(saved).ok());
  }
  player->Finish();
  output.insert(output.end(), player->output().begin(), player->output().end());
  EXPECT_EQ(output, whole);
}

// A slot that was restored is saved as what it was restored from.
TEST(StreamState, SaveAndRestoreAreInverse) {
  const auto voice = SmallVoice(LongReverb());
  for (const int chunks : {0, 1, 5, 20, 60}) {
    Script script;
    script.samples = 40000;
    Player player(voice, script, 1, 0), other(voice, script, 2, 1);
    for (int i = 0; i < chunks; ++i) player.Feed();
    const SavedStream saved = player.Save();
    ASSERT_TRUE(other.Restore(saved).ok());
    EXPECT_EQ(other.Save().slot, saved.slot) << chunks;
    EXPECT_EQ(other.Save().framer, saved.framer) << chunks;
  }
}

// Full-size voices: every recipe, and those that are bundled. Also tells the size, of which a client gets one every
// second.
TEST(StreamState, FullSizeVoicesGoOn) {
  std::vector<std::shared_ptr<const Voice>> voices;
  for (const std::string& recipe : RandomVoiceRecipes()) {
    voices.push_back(std::make_shared<const Voice>(*MakeRandomVoice({.recipe = recipe, .name = "random"})));
  }
  for (const auto& model : std::filesystem::directory_iterator(DDSP_SOURCE_DIR "/models")) {
    for (const auto& version : std::filesystem::directory_iterator(model)) {
      if (!std::filesystem::exists(version.path() / "MANIFEST.textproto")) continue;
      voices.push_back(*ReadBundle(version.path().string()));
    }
  }
  EXPECT_GE(voices.size(), 5u);
  for (const auto& voice : voices) {
    SCOPED_TRACE(voice->spec.recipe());
    Script script;
    script.samples = 34000;
    ExpectUndisturbed(voice, script, 51);
    Player player(voice, script, 1, 0);
    while (!player.AtEnd()) player.Feed();
    const auto taps = static_cast<int64_t>(voice->weights.at("reverb/ir").values.size());
    const auto size = static_cast<int64_t>(player.Save().slot.size() + player.Save().framer.size());
    // The reverb's input, as long as its response and a little longer, and at most 24 KB.
    EXPECT_LE(size, 5 * taps + 24 * 1024);
    RecordProperty(voice->id() + " " + voice->spec.recipe(), std::to_string(size));
    std::printf("%s (%s): %ld bytes\n", voice->id().c_str(), voice->spec.recipe().c_str(), static_cast<long>(size));
  }
}

TEST(StreamState, IsNoneWhereTheStreamWasNotBegunForIt) {
  const auto engine = *BatchVoiceEngine::Create(SmallVoice(), 1);
  ASSERT_TRUE(engine->Reset(0, {}).ok());
  EXPECT_EQ(engine->Save(0).status().code(), absl::StatusCode::kFailedPrecondition);
}

// --- Bytes that are no state.

SavedStream SomeState(const std::shared_ptr<const Voice>& voice) {
  Player player(voice, {}, 1, 0);
  for (int i = 0; i < 20; ++i) player.Feed();
  return player.Save();
}

SavedStream StateInTail(const std::shared_ptr<const Voice>& voice) {
  Player player(voice, {}, 1, 0);
  while (!player.AtEnd()) player.Feed();
  player.EndInput();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(player.StepOnce());
  return player.Save();
}

TEST(StreamState, AnotherVoicesIsRefused) {
  TestVoiceOptions other;
  other.name = "other-voice";
  const absl::Status status = Player(SmallVoice(other), {}, 1, 0).Restore(SomeState(SmallVoice()));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("not of this voice"));
}

TEST(StreamState, AnotherSizeOfTheVoiceIsRefused) {
  for (const auto change : {+[](TestVoiceOptions& voice) { voice.rnn_channels = 24; },
                            +[](TestVoiceOptions& voice) { voice.harmonics = 30; },
                            +[](TestVoiceOptions& voice) { voice.reverb_length = 6000; }}) {
    TestVoiceOptions other;
    change(other);
    EXPECT_EQ(Player(SmallVoice(other), {}, 1, 0).Restore(SomeState(SmallVoice())).code(), absl::StatusCode::kDataLoss);
  }
}

TEST(StreamState, OtherSettingsAreRefused) {
  Script controls, rate;
  controls.settings.input = StreamInput::kControls;
  rate.output_rate = 48000;
  for (const Script& script : {controls, rate}) {
    EXPECT_EQ(Player(SmallVoice(), script, 1, 0).Restore(SomeState(SmallVoice())).code(), absl::StatusCode::kDataLoss);
  }
}

TEST(StreamState, EveryCutIsNoticed) {
  const auto voice = SmallVoice();
  const SavedStream saved = SomeState(voice);
  for (size_t size = 0; size < saved.framer.size(); size += 61) {
    EXPECT_FALSE(Player(voice, {}, 1, 0).Restore({saved.slot, saved.framer.substr(0, size)}).ok()) << size;
  }
  for (size_t size = 0; size < saved.slot.size(); size += 4001) {
    EXPECT_FALSE(Player(voice, {}, 1, 0).Restore({saved.slot.substr(0, size), saved.framer}).ok()) << size;
  }
  EXPECT_FALSE(Player(voice, {}, 1, 0).Restore({saved.slot + "x", saved.framer}).ok());
  EXPECT_FALSE(Player(voice, {}, 1, 0).Restore({saved.slot, saved.framer + "x"}).ok());
}

// A program that knows no tails of others says so.
TEST(StreamState, OfATailHasAFormOfItsOwn) {
  const auto voice = SmallVoice(LongReverb());
  EXPECT_EQ(SomeState(voice).framer[0], 1);
  EXPECT_EQ(StateInTail(voice).framer[0], 2);
}

// Changed bytes may make another state, never a crash: neither at once nor in what follows.
class DamagedState : public ::testing::TestWithParam<SavedStream (*)(const std::shared_ptr<const Voice>& voice)> {};
INSTANTIATE_TEST_SUITE_P(OpenAndInTail, DamagedState, ::testing::Values(&SomeState, &StateInTail));

TEST_P(DamagedState, IsRefusedOrPlayed) {
  const auto voice = SmallVoice(LongReverb());
  Script script;
  script.samples = 12000;
  const auto engine = *BatchVoiceEngine::Create(voice, 1);
  const auto workspace = engine->MakeWorkspace();
  const SavedStream saved = GetParam()(voice);
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    SavedStream damaged = saved;
    for (int i = 0; i < 1 + round % 4; ++i) {
      std::string& bytes = random() % 2 == 0 ? damaged.slot : damaged.framer;
      // Most of a slot are samples: its beginning is where damage tells.
      const size_t reach = random() % 2 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 600);
      bytes[random() % reach] = static_cast<char>(random() % 4 == 0 ? 0xff : random());
    }
    StreamSettings settings;
    settings.resumable = true;
    const auto framer = *StreamFramer::Create({.format = engine->format(StreamInput::kAudio)});
    if (!engine->Restore(0, settings, damaged.slot).ok() || !framer->Restore(damaged.framer).ok()) {
      ++refused;
      continue;
    }
    if (!framer->finished()) framer->PushAudio(TestMelody(1000));
    for (int hop = 0; hop < 5 && framer->HopReady(); ++hop) {
      const HopRequest request = framer->NextHop();
      engine->Step({request}, *workspace);
      framer->CompleteHop();
      std::vector<float> out(std::clamp<int64_t>(framer->due(), 0, 100000));
      framer->Pop(absl::MakeSpan(out));
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 1000);
}

TEST(FeatureState, SavedIsGoneOnWith) {
  const auto extractor = *FeatureExtractor::Create({});
  const std::vector<float> melody = TestMelody(16000);
  FeatureState state = extractor->MakeState(), other = extractor->MakeState();
  for (int hop = 0; hop < 50; ++hop) {
    const std::span<const float> samples = std::span(melody).subspan(hop * 320, 320);
    StateWriter writer;
    state.Save(writer);
    const std::string bytes = writer.Take();
    StateReader reader(bytes);
    other.Restore(reader);
    ASSERT_TRUE(reader.Finish().ok());
    const FeatureFrame expected = extractor->Step(samples, state), frame = extractor->Step(samples, other);
    EXPECT_EQ(frame.f0_hz, expected.f0_hz);
    EXPECT_EQ(frame.loudness_db, expected.loudness_db);
    EXPECT_EQ(frame.f0_confidence, expected.f0_confidence);
  }
}

}  // namespace
}  // namespace ddsp
