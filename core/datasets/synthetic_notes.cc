#include "core/datasets/synthetic_notes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "core/dsp/argument.h"
#include "core/dsp/conversions.h"
#include "core/dsp/filter_design.h"
#include "core/dsp/oscillator.h"
#include "core/dsp/resample.h"
#include "core/dsp/safe_math.h"
#include "core/dsp/scaling.h"
#include "core/dsp/units.h"
#include "core/kernels/harmonic_bank.h"

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

// An example draws some 20,000 numbers, one by one: a tensor operation for each would take twenty times as long. The
// standard library's distributions differ from one library to the next, hence our own.
class Dice {
 public:
  explicit Dice(at::Generator generator)
      : engine_(at::randint(std::numeric_limits<int64_t>::max(), {1}, std::move(generator)).item<int64_t>()) {}

  double Uniform(double low, double high) {
    return low + (high - low) * std::ldexp(static_cast<double>(engine_() >> 11), -53);
  }
  // Both ends included.
  int64_t Integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Uniform(0, static_cast<double>(high - low + 1)));
  }
  bool Flip(double probability) { return Uniform(0, 1) < probability; }
  double Normal() {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(1 - Uniform(0, 1)));
    return radius * std::cos(Uniform(0, kTwoPi));
  }

 private:
  std::mt19937_64 engine_;
};

// Step `i` of `count` from 0 to 1.
double Step(int64_t i, int64_t count) {
  return count < 2 ? 0 : static_cast<double>(i) / static_cast<double>(count - 1);
}

// Values [rows, columns].
struct Grid {
  Grid(int64_t rows, int64_t columns) : rows(rows), columns(columns), values(rows * columns) {}
  double& at(int64_t row, int64_t column) { return values[row * columns + column]; }
  Tensor tensor() { return at::from_blob(values.data(), {rows, columns}, at::kDouble).clone(); }

  int64_t rows, columns;
  std::vector<double> values;
};

// From 1 to 0, along a curve of random steepness.
class Fade {
 public:
  Fade(Dice& dice, int64_t length) : length_(length), exponent_(std::exp2(dice.Uniform(-2, 2))) {}
  double Between(double start, double end, int64_t i) const {
    return end + (start - end) * std::pow(1 - Step(i, length_), exponent_);
  }

 private:
  int64_t length_;
  double exponent_;
};

struct SpectrumShape {
  bool falls_off;
  double phase_range;  // in turns
};

// Before a softmax or exp_sigmoid: a sum of 1 to 20 cosines over the bins.
std::vector<double> Spectrum(Dice& dice, int64_t bins, const SpectrumShape& shape) {
  std::vector<double> sum(bins);
  const int64_t components = dice.Integer(1, 20);
  const double max_periods = static_cast<double>(bins) / dice.Uniform(1, 10);
  for (int64_t component = 0; component < components; ++component) {
    const double level = dice.Uniform(0, 1), periods = dice.Uniform(0, max_periods);
    const double phase = dice.Uniform(0, kTwoPi * shape.phase_range);
    const double last = dice.Uniform(0, 0.5), exponent = dice.Uniform(0.5, 2);
    for (int64_t k = 0; k < bins; ++k) {
      const double x = Step(k, bins);
      const double fall = shape.falls_off ? std::pow(1 + (last - 1) * x, exponent) : 1;
      sum[k] += level * fall * std::cos(kTwoPi * periods * x + phase);
    }
  }
  return sum;
}

struct Note {
  int64_t start, length;  // frames
};

// Fills a note's rows with two spectra, the way from one to the other, and noise.
void MovingSpectrum(Dice& dice, const Note& note, double max_noise, Grid* rows) {
  const SpectrumShape shape{dice.Flip(0.8), dice.Uniform(0, 0.4)};
  const std::vector<double> start = Spectrum(dice, rows->columns, shape), end = Spectrum(dice, rows->columns, shape);
  const Fade fade(dice, note.length);
  const double noise = dice.Uniform(0, max_noise);
  for (int64_t i = 0; i < note.length; ++i) {
    for (int64_t k = 0; k < rows->columns; ++k)
      rows->at(note.start + i, k) = fade.Between(start[k], end[k], i) + noise * dice.Normal();
  }
}

void Level(Dice& dice, const Note& note, Grid* amp) {
  const double start = dice.Uniform(-1, 3), end = dice.Uniform(-1, 3);
  const Fade fade(dice, note.length);
  const double noise = dice.Uniform(0, 0.1);
  for (int64_t i = 0; i < note.length; ++i)
    amp->at(note.start + i, 0) = fade.Between(start, end, i) + noise * dice.Normal();
}

void Pitch(Dice& dice, const Note& note, const NotesSettings& s, Grid* midi) {
  const double pitch = dice.Uniform(kMinMidi, kMaxMidi);
  const bool vibrato = dice.Flip(s.p_vibrato);
  const double start = vibrato ? dice.Uniform(0, 1) : 0, end = vibrato ? dice.Uniform(0, 1) : 0;
  const double periods =
      dice.Uniform(0, 2.0 * static_cast<double>(note.length) / static_cast<double>(s.min_note_length));
  const Fade fade(dice, note.length);
  const double noise = dice.Uniform(0, 0.1);
  for (int64_t i = 0; i < note.length; ++i) {
    const double swing = std::sin(kTwoPi * periods * Step(i, note.length));
    midi->at(note.start + i, 0) = pitch + fade.Between(start, end, i) * swing + noise * dice.Normal();
  }
}

// What a whole example's levels are divided by.
double Attenuation(Dice& dice) {
  const double quietest = dice.Uniform(2, 10);
  return dice.Uniform(1, dice.Flip(0.2) ? quietest : 2);
}

// One example [n_timesteps, channels], or a batch of them, with controls scaled but for the distribution, which is not
// yet normalised.
struct Notes {
  Tensor harm_amp, dist, f0_hz, mags;
};

Notes ExampleV2(const NotesSettings& s, Dice& dice) {
  const int64_t frames = s.n_timesteps;
  Grid amp(frames, 1), dist(frames, s.n_harmonics), midi(frames, 1), mags(frames, s.n_mags);
  for (Note note{0, 0}; note.start < frames; note.start += note.length) {
    note.length = std::min(dice.Integer(s.min_note_length, s.max_note_length), frames - note.start);
    if (dice.Flip(s.p_silent)) {
      for (int64_t i = 0; i < note.length; ++i) amp.at(note.start + i, 0) = kSilence;
    } else {
      Level(dice, note, &amp);
      MovingSpectrum(dice, note, 0.5, &dist);
      Pitch(dice, note, s, &midi);
    }
    MovingSpectrum(dice, note, 0.2, &mags);
    const double attenuation = dice.Uniform(1, 10);
    for (int64_t i = 0; i < note.length * s.n_mags; ++i) mags.values[note.start * s.n_mags + i] -= attenuation;
  }
  return {ExpSigmoid(amp.tensor()) / Attenuation(dice), at::softmax(dist.tensor(), -1), MidiToHz(midi.tensor()),
          ExpSigmoid(mags.tensor())};
}

// A row for each note, uniform in [low, high), held or joined by lines: [n_timesteps, columns].
struct NoteRange {
  int64_t notes, columns;
  double low, high;
};
Tensor HeldOrGliding(Dice& dice, const NoteRange& range, int64_t n_timesteps, Interpolation method) {
  Grid grid(range.notes, range.columns);
  for (double& value : grid.values) value = dice.Uniform(range.low, range.high);
  return Resample(grid.tensor().unsqueeze(0), n_timesteps, method).squeeze(0);
}

// Ten curves over the harmonics, the i-th from 0 to -i^exponent: [10, n_harmonics].
Tensor FallingCurves(Dice& dice, int64_t n_harmonics) {
  Grid curves(10, n_harmonics);
  for (int64_t i = 0; i < curves.rows; ++i) {
    const double exponent = dice.Uniform(1, 6);
    for (int64_t k = 0; k < n_harmonics; ++k)
      curves.at(i, k) = -std::pow(static_cast<double>(i) * Step(k, n_harmonics), exponent);
  }
  return curves.tensor();
}

Notes ExampleV1(const NotesSettings& s, Dice& dice) {
  const int64_t notes = dice.Integer(1, 20), frames = s.n_timesteps;
  const auto method = [&dice] { return dice.Flip(0.5) ? Interpolation::kNearest : Interpolation::kLinear; };
  const Tensor amp = HeldOrGliding(dice, {notes, 1, -2, 2}, frames, method());
  const Tensor midi = HeldOrGliding(dice, {notes, 1, kMinMidi, kMaxMidi}, frames, Interpolation::kNearest);
  const Tensor curves = FallingCurves(dice, s.n_harmonics);
  const Tensor weights = HeldOrGliding(dice, {notes, curves.size(0), 0, 1}, frames, method());
  const double loudest = dice.Uniform(-4, 0);
  const Tensor mags = HeldOrGliding(dice, {notes, s.n_mags, -6, loudest}, frames, method());
  return {ExpSigmoid(amp), ExpSigmoid(at::matmul(weights, curves)), MidiToHz(midi), ExpSigmoid(mags)};
}

NamedTensors Controls(const Notes& notes, double sample_rate) {
  const Tensor frequencies = GetHarmonicFrequencies(notes.f0_hz, notes.dist.size(-1));
  const Tensor audible = RemoveAboveNyquist(frequencies, notes.dist, sample_rate);
  const Tensor harm_dist = SafeDivide(audible, audible.sum(-1, /*keepdim=*/true));
  const Sinusoids sinusoids = HarmonicToSinusoidal(notes.harm_amp, harm_dist, notes.f0_hz, sample_rate);
  return {{"harm_amp", notes.harm_amp}, {"harm_dist", harm_dist},       {"f0_hz", notes.f0_hz},
          {"sin_amps", sinusoids.amps}, {"sin_freqs", sinusoids.freqs}, {"noise_magnitudes", notes.mags}};
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
  const Tensor f0 = controls.at("f0_hz").to(at::kFloat).contiguous();
  const Tensor amps = (controls.at("harm_amp") * controls.at("harm_dist")).to(at::kFloat).contiguous();
  const int64_t batch = f0.size(0), frames = f0.size(1), harmonics = amps.size(2);
  DDSP_CHECK_ARGUMENT(n_samples > 0 && n_samples % frames == 0, "n_samples is ", n_samples, ", expected a multiple of ",
                      frames, " frames");
  // What HarmonicSynthesis() gives; through its plain form an example takes 0.1 s.
  const kernels::HarmonicBank bank(
      {sample_rate, static_cast<int>(n_samples / frames), static_cast<int>(harmonics), kernels::AmplitudeRamp::kHann});
  Tensor audio = at::empty({batch, n_samples}, at::kFloat);
  for (int64_t row = 0; row < batch; ++row) {
    double phase = 0;
    bank.Render(f0[row].const_data_ptr<float>(), amps[row].const_data_ptr<float>(), frames, phase,
                audio[row].mutable_data_ptr<float>());
  }
  const Tensor noise = at::rand(audio.sizes(), std::move(generator), at::kFloat) * 2 - 1;
  return audio + FrequencyFilter(noise, controls.at("noise_magnitudes"));
}

}  // namespace ddsp
