#include "core/datasets/synthetic_notes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/dsp/argument.h"
#include "core/dsp/conversions.h"
#include "core/dsp/filter_design.h"
#include "core/dsp/oscillator.h"
#include "core/dsp/resample.h"
#include "core/dsp/safe_math.h"
#include "core/dsp/scaling.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr double kMinMidi = 24, kMaxMidi = 84;
constexpr double kSilence = -10;  // before exp_sigmoid

void CheckSettings(const NotesSettings& s, int64_t batch) {
  const auto at_least_1 = [](const char* name, int64_t size) {
    DDSP_CHECK_ARGUMENT(size >= 1, name, " is ", size, ", expected at least 1");
  };
  at_least_1("batch", batch);
  at_least_1("n_timesteps", s.n_timesteps);
  at_least_1("n_harmonics", s.n_harmonics);
  at_least_1("n_mags", s.n_mags);
  at_least_1("min_note_length", s.min_note_length);
  DDSP_CHECK_ARGUMENT(s.max_note_length >= s.min_note_length, "max_note_length is ", s.max_note_length,
                      ", expected at least min_note_length, ", s.min_note_length);
  for (const auto& [name, p] : {std::pair("p_silent", s.p_silent), std::pair("p_vibrato", s.p_vibrato)})
    DDSP_CHECK_ARGUMENT(p >= 0 && p <= 1, name, " is ", p, ", expected a probability");
  DDSP_CHECK_ARGUMENT(s.sample_rate > 0, "sample_rate is ", s.sample_rate, ", expected Hz > 0");
}

// Draws from one generator, in double.
class Dice {
 public:
  explicit Dice(at::Generator generator) : generator_(std::move(generator)) {}

  Tensor Uniform(at::IntArrayRef shape, double low, double high) {
    return at::rand(shape, generator_, at::kDouble) * (high - low) + low;
  }
  Tensor Normal(at::IntArrayRef shape) { return at::randn(shape, generator_, at::kDouble); }
  double Uniform(double low, double high) {
    return low + (high - low) * at::rand({}, generator_, at::kDouble).item<double>();
  }
  // Both ends included.
  int64_t Integer(int64_t low, int64_t high) { return at::randint(low, high + 1, {}, generator_).item<int64_t>(); }
  bool Flip(double probability) { return Uniform(0, 1) < probability; }

 private:
  at::Generator generator_;
};

Tensor Line(double start, double end, int64_t steps) { return at::linspace(start, end, steps, at::kDouble); }

// From `start` to `end`, along a curve of random steepness.
Tensor Blend(Dice& dice, int64_t length, double start, double end) {
  const Tensor weight = Line(1, 0, length).pow(std::exp2(dice.Uniform(-2, 2)));
  return start * weight + end * (1 - weight);
}

// Before a softmax or exp_sigmoid: a sum of 1 to 20 cosines over the bins.
struct SpectrumShape {
  bool falls_off;
  double phase_range;  // in turns
};
Tensor Spectrum(Dice& dice, int64_t bins, const SpectrumShape& shape) {
  const int64_t components = dice.Integer(1, 20);
  const double smoothness = dice.Uniform(1, 10);
  const Tensor level = dice.Uniform({components, 1}, 0, 1);
  const Tensor periods = dice.Uniform({components, 1}, 0, static_cast<double>(bins) / smoothness);
  const Tensor phase = dice.Uniform({components, 1}, 0, kTwoPi * shape.phase_range);
  Tensor waves = level * at::cos(kTwoPi * periods * Line(0, 1, bins) + phase);
  if (shape.falls_off) {
    const Tensor last = dice.Uniform({components, 1}, 0, 0.5), exponent = dice.Uniform({components, 1}, 0.5, 2);
    waves = waves * (1 + (last - 1) * Line(0, 1, bins)).pow(exponent);
  }
  return waves.sum(0);
}

// Two such spectra and the way from one to the other, with noise: [length, bins].
Tensor MovingSpectrum(Dice& dice, int64_t length, int64_t bins, double noise) {
  const SpectrumShape shape{dice.Flip(0.8), dice.Uniform(0, 0.4)};
  const Tensor start = Spectrum(dice, bins, shape), end = Spectrum(dice, bins, shape);
  const Tensor blend = Blend(dice, length, 1, 0).unsqueeze(-1);
  return start * blend + end * (1 - blend) + dice.Uniform(0, noise) * dice.Normal({length, bins});
}

// One example before scaling, [n_timesteps, channels].
struct RawNotes {
  Tensor amp, dist, midi, mags;
};

RawNotes NewRawNotes(const NotesSettings& s) {
  const auto zeros = [&s](int64_t channels) { return at::zeros({s.n_timesteps, channels}, at::kDouble); };
  return {zeros(1), zeros(s.n_harmonics), zeros(1), zeros(s.n_mags)};
}

Tensor Vibrato(Dice& dice, int64_t length, const NotesSettings& s) {
  const double start = dice.Uniform(0, 1), end = dice.Uniform(0, 1);
  const double periods = dice.Uniform(0, 2.0 * static_cast<double>(length) / static_cast<double>(s.min_note_length));
  return Blend(dice, length, start, end) * at::sin(Line(0, kTwoPi * periods, length));
}

void AddNote(Dice& dice, const NotesSettings& s, int64_t start, int64_t length, RawNotes* notes) {
  const auto at_note = [=](const Tensor& x) { return x.narrow(0, start, length); };
  if (dice.Flip(s.p_silent)) {
    at_note(notes->amp).fill_(kSilence);
  } else {
    const double level_start = dice.Uniform(-1, 3), level_end = dice.Uniform(-1, 3);
    const Tensor level = Blend(dice, length, level_start, level_end).unsqueeze(-1);
    at_note(notes->amp).copy_(level + dice.Uniform(0, 0.1) * dice.Normal({length, 1}));
    at_note(notes->dist).copy_(MovingSpectrum(dice, length, s.n_harmonics, 0.5));
    at_note(notes->midi).fill_(dice.Uniform(kMinMidi, kMaxMidi));
    if (dice.Flip(s.p_vibrato)) at_note(notes->midi).add_(Vibrato(dice, length, s).unsqueeze(-1));
    at_note(notes->midi).add_(dice.Uniform(0, 0.1) * dice.Normal({length, 1}));
  }
  at_note(notes->mags).copy_(MovingSpectrum(dice, length, s.n_mags, 0.2) - dice.Uniform(1, 10));
}

// What a whole example's levels are divided by.
double Attenuation(Dice& dice) {
  const double quietest = dice.Uniform(2, 10);
  return dice.Uniform(1, dice.Flip(0.2) ? quietest : 2);
}

// One example, or a batch of them, with the controls scaled but for the distribution, which is not yet normalised.
struct Notes {
  Tensor harm_amp, dist, f0_hz, mags;
};

NamedTensors Controls(const Notes& notes, double sample_rate) {
  const Tensor frequencies = GetHarmonicFrequencies(notes.f0_hz, notes.dist.size(-1));
  const Tensor audible = RemoveAboveNyquist(frequencies, notes.dist, sample_rate);
  const Tensor harm_dist = SafeDivide(audible, audible.sum(-1, /*keepdim=*/true));
  const Sinusoids sinusoids = HarmonicToSinusoidal(notes.harm_amp, harm_dist, notes.f0_hz, sample_rate);
  return {{"harm_amp", notes.harm_amp}, {"harm_dist", harm_dist},       {"f0_hz", notes.f0_hz},
          {"sin_amps", sinusoids.amps}, {"sin_freqs", sinusoids.freqs}, {"noise_magnitudes", notes.mags}};
}

Notes ExampleV2(const NotesSettings& s, Dice& dice) {
  RawNotes notes = NewRawNotes(s);
  for (int64_t start = 0; start < s.n_timesteps;) {
    const int64_t length = std::min(dice.Integer(s.min_note_length, s.max_note_length), s.n_timesteps - start);
    AddNote(dice, s, start, length, &notes);
    start += length;
  }
  return {ExpSigmoid(notes.amp) / Attenuation(dice), at::softmax(notes.dist, -1), MidiToHz(notes.midi),
          ExpSigmoid(notes.mags)};
}

// Values for each note, held or joined by lines: [n_timesteps, channels].
Tensor HeldOrGliding(const Tensor& values, int64_t n_timesteps, Interpolation method) {
  return Resample(values.unsqueeze(0), n_timesteps, method).squeeze(0);
}

Notes ExampleV1(const NotesSettings& s, Dice& dice) {
  constexpr int64_t kCurves = 10;
  const int64_t notes = dice.Integer(1, 20);
  const auto method = [&dice] { return dice.Flip(0.5) ? Interpolation::kNearest : Interpolation::kLinear; };
  const Tensor amp = HeldOrGliding(dice.Uniform({notes, 1}, -2, 2), s.n_timesteps, method());
  const Tensor midi =
      HeldOrGliding(dice.Uniform({notes, 1}, kMinMidi, kMaxMidi), s.n_timesteps, Interpolation::kNearest);
  // Curve i falls from 0 to -i^exponent.
  const Tensor ends = at::arange(kCurves, at::kDouble).unsqueeze(-1);
  const Tensor curves = -(ends * Line(0, 1, s.n_harmonics)).pow(dice.Uniform({kCurves, 1}, 1, 6));
  const Tensor weights = HeldOrGliding(dice.Uniform({notes, kCurves}, 0, 1), s.n_timesteps, method());
  const double loudest = dice.Uniform(-4, 0);
  const Tensor mags = HeldOrGliding(dice.Uniform({notes, s.n_mags}, -6, loudest), s.n_timesteps, method());
  return {ExpSigmoid(amp), ExpSigmoid(at::matmul(weights, curves)), MidiToHz(midi), ExpSigmoid(mags)};
}

NamedTensors Batched(const NotesSettings& settings, int64_t batch, at::Generator generator,
                     Notes (*example)(const NotesSettings&, Dice&)) {
  CheckSettings(settings, batch);
  const at::NoGradGuard no_grad;
  Dice dice(std::move(generator));
  std::vector<Tensor> amps, dists, f0s, mags;
  for (int64_t b = 0; b < batch; ++b) {
    const Notes notes = example(settings, dice);
    amps.push_back(notes.harm_amp);
    dists.push_back(notes.dist);
    f0s.push_back(notes.f0_hz);
    mags.push_back(notes.mags);
  }
  const auto stacked = [](const std::vector<Tensor>& values) { return at::stack(values).to(at::kFloat); };
  return Controls({stacked(amps), stacked(dists), stacked(f0s), stacked(mags)}, settings.sample_rate);
}

}  // namespace

NamedTensors GenerateNotes(const NotesSettings& settings, int64_t batch, at::Generator generator) {
  return Batched(settings, batch, std::move(generator), ExampleV1);
}

NamedTensors GenerateNotesV2(const NotesSettings& settings, int64_t batch, at::Generator generator) {
  return Batched(settings, batch, std::move(generator), ExampleV2);
}

Tensor SynthesizeNotes(const NamedTensors& controls, int64_t n_samples, double sample_rate, at::Generator generator) {
  const at::NoGradGuard no_grad;
  const HarmonicControls harmonic{controls.at("f0_hz"), controls.at("harm_amp"), controls.at("harm_dist"), {}};
  const Tensor harmonics = HarmonicSynthesis(harmonic, {.n_samples = n_samples, .sample_rate = sample_rate});
  const Tensor noise = at::rand(harmonics.sizes(), std::move(generator), harmonics.options()) * 2 - 1;
  return harmonics + FrequencyFilter(noise, controls.at("noise_magnitudes"));
}

}  // namespace ddsp
