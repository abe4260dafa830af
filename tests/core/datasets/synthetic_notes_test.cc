#include "core/datasets/synthetic_notes.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dsp/filter_design.h"
#include "core/dsp/oscillator.h"
#include "core/dsp/scaling.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

using at::Tensor;
using Generate = NamedTensors (*)(const NotesSettings&, int64_t, at::Generator);

at::Generator Seeded(uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

class EveryGenerator : public ::testing::TestWithParam<Generate> {};
INSTANTIATE_TEST_SUITE_P(Versions, EveryGenerator, ::testing::Values(GenerateNotes, GenerateNotesV2));

TEST_P(EveryGenerator, HasUpstreamsNamesAndShapes) {
  const NamedTensors notes = GetParam()({}, 3, Seeded(1));
  const std::map<std::string, int64_t> channels = {{"f0_hz", 1},      {"harm_amp", 1},    {"harm_dist", 100},
                                                   {"sin_amps", 100}, {"sin_freqs", 100}, {"noise_magnitudes", 65}};
  ASSERT_EQ(notes.size(), channels.size());
  for (const auto& [name, count] : channels) {
    EXPECT_EQ(notes.at(name).sizes(), (std::vector<int64_t>{3, 125, count})) << name;
    EXPECT_EQ(notes.at(name).scalar_type(), at::kFloat) << name;
    EXPECT_TRUE(at::isfinite(notes.at(name)).all().item<bool>()) << name;
  }
}

TEST_P(EveryGenerator, DistributionsSumToOneBelowNyquist) {
  const NamedTensors notes = GetParam()({}, 8, Seeded(2));
  const Tensor sums = notes.at("harm_dist").sum(-1);
  EXPECT_LT((sums - 1).abs().max().item<float>(), 1e-5);
  const Tensor above = notes.at("sin_freqs").ge(8000);
  EXPECT_TRUE(above.any().item<bool>());  // otherwise the next line says nothing
  EXPECT_EQ(notes.at("harm_dist").masked_select(above).abs().max().item<float>(), 0);
}

TEST_P(EveryGenerator, SinusoidsAreTheHarmonics) {
  const NamedTensors notes = GetParam()({}, 4, Seeded(3));
  const Tensor numbers = at::arange(1, 101, at::kFloat);
  EXPECT_TRUE(at::allclose(notes.at("sin_freqs"), notes.at("f0_hz") * numbers, 1e-6));
  EXPECT_TRUE(at::allclose(notes.at("sin_amps"), notes.at("harm_amp") * notes.at("harm_dist"), 1e-4, 1e-6));
}

TEST_P(EveryGenerator, SameSeedSameNotes) {
  const NamedTensors once = GetParam()({}, 2, Seeded(4)), again = GetParam()({}, 2, Seeded(4));
  for (const auto& [name, values] : once) EXPECT_TRUE(at::equal(values, again.at(name))) << name;
  EXPECT_FALSE(at::equal(once.at("f0_hz"), GetParam()({}, 2, Seeded(5)).at("f0_hz")));
  EXPECT_FALSE(at::equal(once.at("f0_hz")[0], once.at("f0_hz")[1]));
}

TEST_P(EveryGenerator, NamesTheSettingThatMakesNoSense) {
  const std::vector<std::pair<NotesSettings, std::string>> bad = {
      {{.n_timesteps = 0}, "n_timesteps is 0"},
      {{.n_harmonics = -1}, "n_harmonics is -1"},
      {{.min_note_length = 9, .max_note_length = 8}, "max_note_length is 8"},
      {{.p_vibrato = 1.5}, "p_vibrato is 1.5"}};
  for (const auto& [settings, message] : bad) {
    try {
      GetParam()(settings, 1, Seeded(1));
      ADD_FAILURE() << message;
    } catch (const c10::Error& error) {
      EXPECT_THAT(error.what_without_backtrace(), ::testing::HasSubstr(message));
    }
  }
}

TEST(GenerateNotes, KeepsUpstreamsRanges) {
  const NamedTensors notes = GenerateNotes({}, 32, Seeded(6));
  const Tensor midi = HzToMidi(notes.at("f0_hz"));
  EXPECT_GE(midi.min().item<float>(), 23.999);
  EXPECT_LE(midi.max().item<float>(), 84.001);
  EXPECT_LE(notes.at("harm_amp").max().item<float>(), ExpSigmoid(at::scalar_tensor(2.0)).item<float>());
  EXPECT_LE(notes.at("noise_magnitudes").max().item<float>(), ExpSigmoid(at::scalar_tensor(0.0)).item<float>());
}

// A rest is a frame of pitch 0; one note of ten is one, hence about one frame of ten: 800 notes, five deviations.
TEST(GenerateNotesV2, RestsAreAsFrequentAsAskedFor) {
  for (const double p : {0.0, 0.1, 1.0}) {
    const Tensor midi =
        HzToMidi(GenerateNotesV2({.n_harmonics = 2, .n_mags = 2, .p_silent = p}, 100, Seeded(7)).at("f0_hz"));
    EXPECT_NEAR(midi.lt(1).to(at::kDouble).mean().item<double>(), p, 5 * std::sqrt(p * (1 - p) / 800) + 1e-9);
  }
}

TEST(GenerateNotesV2, RestsAreSilentAndNotesInRange) {
  const NamedTensors notes = GenerateNotesV2({}, 32, Seeded(8));
  const Tensor midi = HzToMidi(notes.at("f0_hz")), rest = midi.lt(1);
  EXPECT_LT(notes.at("harm_amp").masked_select(rest).max().item<float>(), 1e-4);
  const Tensor pitches = midi.masked_select(rest.logical_not());
  EXPECT_GT(pitches.min().item<float>(), 24 - 1.6);  // vibrato of 1, noise of at most 0.1 standard deviations
  EXPECT_LT(pitches.max().item<float>(), 84 + 1.6);
  // exp_sigmoid(-1) / 10 less noise; the loudest is exp_sigmoid(3) and more.
  EXPECT_GT(notes.at("harm_amp").masked_select(rest.logical_not()).min().item<float>(), 0.5 * 0.0979 / 10);
  EXPECT_LE(notes.at("harm_amp").max().item<float>(), 2.0);
}

// Without a vibrato the pitch of a note moves by noise alone, of at most 0.1.
TEST(GenerateNotesV2, VibratoMovesThePitch) {
  const auto mean_motion = [](double p_vibrato) {
    const NotesSettings settings{
        .n_harmonics = 2, .n_mags = 2, .min_note_length = 25, .p_silent = 0, .p_vibrato = p_vibrato};
    const Tensor midi = HzToMidi(GenerateNotesV2(settings, 40, Seeded(9)).at("f0_hz")).reshape({40, 5, 25});
    return midi.std(-1, /*correction=*/0).mean().item<double>();
  };
  EXPECT_NEAR(mean_motion(0), 0.05, 0.01);
  EXPECT_GT(mean_motion(1), 0.15);
}

TEST(SynthesizeNotes, SoundsAtThePitchesAndRestsAreNoise) {
  NamedTensors notes = GenerateNotesV2({.max_note_length = 5, .p_silent = 1}, 1, Seeded(10));
  notes["harm_amp"].fill_(1);
  notes["f0_hz"].fill_(500);
  notes["harm_dist"].zero_().select(-1, 0).fill_(1);
  notes["noise_magnitudes"].fill_(1e-4);
  const Tensor audio = SynthesizeNotes(notes, 64000, 16000, Seeded(1));
  ASSERT_EQ(audio.sizes(), (std::vector<int64_t>{1, 64000}));
  const Tensor spectrum = at::fft_rfft(audio[0]).abs();
  EXPECT_EQ(spectrum.argmax().item<int64_t>(), 2000);  // bins are 1/4 Hz apart
  EXPECT_NEAR(spectrum.max().item<double>(), 32000, 320);
}

// The bank's error is at most 1e-5 of the amplitudes' sum, here below 2.
TEST(SynthesizeNotes, IsTheHarmonicSynthesiserAndFilteredNoise) {
  const NamedTensors notes = GenerateNotesV2({.n_timesteps = 50}, 2, Seeded(11));
  const HarmonicControls harmonic{notes.at("f0_hz"), notes.at("harm_amp"), notes.at("harm_dist"), {}};
  const Tensor noise = at::rand({2, 8000}, Seeded(12), at::kFloat) * 2 - 1;
  const Tensor expected =
      HarmonicSynthesis(harmonic, {.n_samples = 8000}) + FrequencyFilter(noise, notes.at("noise_magnitudes"));
  EXPECT_LT((SynthesizeNotes(notes, 8000, 16000, Seeded(12)) - expected).abs().max().item<float>(), 4e-5);
}

}  // namespace
}  // namespace ddsp
