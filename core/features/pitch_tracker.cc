#include "core/features/pitch_tracker.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/features/frame_level.h"
#include "core/features/pitch_views.h"
#include "core/kernels/log_sum_exp.h"

namespace ddsp {
namespace {

// Of kPitchViews.
constexpr int kLong = 0, kCentred = 1, kLate = 2;
// Evidence of a pitch outside the settings' range.
constexpr float kImpossible = -1e3f;

// The long view tells the confidence of low candidates, the centred short one that of others; between these both do.
constexpr double kLongOnlyHz = 160.0;
constexpr double kShortOnlyHz = 250.0;
// Refinement may move a candidate by this many cents.
constexpr double kLargestCorrection = 50.0;
// The long view refines a pitch unless a short one finds the sound so much more periodic there: a note has changed.
constexpr float kSteady = 0.9f;

// For so many samples after a leap of so many candidates, or after a pause, the pitch is what the network expects. No
// view has the new note alone yet, and attacks begin up to 20 cents out of tune; refining in the latest view was right
// as often but 0.3 cents worse over whole melodies.
constexpr int kAttack = 960;
constexpr int kLeap = 2;

// Below this level (dB) evidence fades and nothing is voiced.
constexpr float kQuietDb = -54.0f;
constexpr int kLevelWindow = 512;
// A match with the harmonics that leaves no doubt: nearly all voiced frames of the test melodies have more, nearly all
// frames of white and pink noise much less. The correlation alone takes half of all pink noise for a pitch.
constexpr float kFullMatch = 0.1f;
constexpr float kVoicedConfidence = 0.3f;
// Less than this tells nothing of the pitch and the last is held,
constexpr float kHoldConfidence = 0.1f;
// unless the network is as sure as this. At the attacks of some reeds neither correlation nor harmonics reach zero
// confidence where it is right.
constexpr float kSure = 0.7f;

// A band of noise repeats itself after one period of its middle, a note still does after this many samples.
constexpr double kPersistenceLag = 56.0;

// Catmull-Rom interpolation; 1 <= at < size - 2.
double Interpolate(std::span<const float> x, double at) {
  const int i = static_cast<int>(at);
  const double f = at - i, a = x[i - 1], b = x[i], c = x[i + 1], d = x[i + 2];
  return b + 0.5 * f * (c - a + f * (2.0 * a - 5.0 * b + 4.0 * c - d + f * (3.0 * (b - c) + d - a)));
}

// Largest correlation over small errors of the pitch, some periods later, as a share of that after one period.
float Persistence(std::span<const float> correlation, double period) {
  const double periods = std::ceil(kPersistenceLag / period);
  if (periods < 2.0) return 1.0f;
  const double lag = periods * period;  // below 2 * kPersistenceLag, inside Periodicity::kMinLags
  const double later = std::max(
      {Interpolate(correlation, 0.99 * lag), Interpolate(correlation, lag), Interpolate(correlation, 1.01 * lag)});
  return static_cast<float>(std::clamp(later / std::max(0.01, Interpolate(correlation, period)), 0.0, 1.0));
}

// The lag of the highest correlation about `lag`, as far as a correction may reach.
int HighestLag(std::span<const float> correlation, double lag, int lags) {
  const double reach = std::exp2(kLargestCorrection / 1200.0);
  const auto lo = correlation.begin() + std::max(2, static_cast<int>(lag / reach));
  const auto hi = correlation.begin() + std::min(static_cast<int>(std::ceil(lag * reach)), lags - 3);
  return static_cast<int>(std::max_element(lo, hi + 1) - correlation.begin());
}

// The share of all likelihood that a candidate has with its neighbours.
float Certainty(std::span<const float> evidence, int bin) {
  const float all = kernels::LogSumExp({evidence.data(), evidence.size()});
  float near = 0.0f;
  for (int b = std::max(0, bin - 1); b <= std::min(PitchGrid::kBins - 1, bin + 1); ++b) {
    near += std::exp(evidence[b] - all);
  }
  return near;
}

// The mean pitch of the likelihood within a semitone of a candidate.
double ExpectedHz(std::span<const float> evidence, int bin) {
  double sum = 0.0, place = 0.0;
  for (int b = std::max(0, bin - 2); b <= std::min(PitchGrid::kBins - 1, bin + 2); ++b) {
    const double likelihood = std::exp(evidence[b] - evidence[bin]);
    sum += likelihood;
    place += likelihood * b;
  }
  return PitchGrid::Hz(place / sum);
}

// Share of the short views in the confidence of a candidate.
float ShortShare(int bin) {
  const double place = std::log(PitchGrid::Hz(bin) / kLongOnlyHz) / std::log(kShortOnlyHz / kLongOnlyHz);
  return std::clamp(static_cast<float>(place), 0.0f, 1.0f);
}

}  // namespace

void PitchState::Save(StateWriter& writer) const {
  path.Save(writer);
  writer.Int(bin);
  writer.Int(since_onset);
  writer.Float(held_hz);
}

void PitchState::Restore(StateReader& reader) {
  path.Restore(reader);
  bin = static_cast<int>(reader.Int(0, PitchGrid::kBins - 1));
  since_onset = static_cast<int>(reader.Int(0, kAttack));
  held_hz = reader.Float();
}

PitchTracker::PitchTracker(const FeatureSettings& settings)
    : settings_(settings),
      periodicity_{
          kPitchViews[0].MakePeriodicity(settings.sample_rate), kPitchViews[1].MakePeriodicity(settings.sample_rate),
          kPitchViews[2].MakePeriodicity(settings.sample_rate), kPitchViews[3].MakePeriodicity(settings.sample_rate)},
      fine_lags_(periodicity_[kLong], settings.sample_rate),
      lowest_(PitchGrid::Bin(settings.min_f0_hz)),
      highest_(PitchGrid::Bin(settings.max_f0_hz)),
      weight_(50.0f * settings.hop() / settings.sample_rate) {}

void PitchTracker::Reset(PitchState& state) const {
  state = {};
  state.held_hz = std::sqrt(settings_.min_f0_hz * settings_.max_f0_hz);
}

void PitchTracker::Look(std::span<const float> window, Analysis& analysis) const {
  Periodicity::Power power;
  for (int v = 0; v < PitchNetwork::kViews; ++v) {
    const std::span<const float> samples = kPitchViews[v].Of(window);
    periodicity_[v].Measure(samples, power, analysis.views[v]);
    analysis.levels[v] = FramePowerDb(samples);
    if (v == kLong) fine_lags_.Compress(power, analysis.spectrum);
  }
}

void PitchTracker::Compare(std::span<Analysis> analyses) const {
  for (int v = 0; v < PitchNetwork::kViews; ++v) {
    periodicity_[v].MatchHarmonics(&analyses[0].views[v], sizeof(Analysis), analyses.size());
  }
}

double PitchTracker::RefineInLongView(double hz, const Analysis& analysis) const {
  const int lag = HighestLag(analysis.views[kLong].correlation, settings_.sample_rate / hz, periodicity_[kLong].lags());
  return settings_.sample_rate / fine_lags_.PeakNear(lag, analysis.spectrum);
}

double PitchTracker::RefineInShortView(double hz, int v, const Analysis& analysis) const {
  const auto& r = analysis.views[v].correlation;
  const int peak = HighestLag(r, settings_.sample_rate / hz, periodicity_[v].lags());
  const double curve = r[peak - 1] - 2.0 * r[peak] + r[peak + 1];
  const double shift = curve < 0.0 ? std::clamp(0.5 * (r[peak - 1] - r[peak + 1]) / curve, -1.0, 1.0) : 0.0;
  return settings_.sample_rate / (peak + shift);
}

double PitchTracker::Refine(const Belief& belief, const Analysis& analysis, const Evidence& evidence,
                            int since_onset) const {
  const auto& views = analysis.views;
  const double coarse = PitchGrid::Hz(belief.bin);
  double hz = coarse;
  if (belief.share < 0.5f) {
    hz = RefineInLongView(coarse, analysis);
  } else if (since_onset < kAttack) {
    hz = ExpectedHz(evidence, belief.bin);
  } else if (views[kLong].at_period[belief.bin] > kSteady * views[belief.best].at_period[belief.bin]) {
    hz = RefineInLongView(coarse, analysis);
  } else {
    hz = RefineInShortView(coarse, belief.best, analysis);
  }
  // Further away it is another peak's.
  return std::abs(std::log2(hz / coarse)) > kLargestCorrection / 1200.0 ? coarse : hz;
}

void PitchTracker::Weigh(const Analysis& analysis, Evidence& evidence) const {
  std::array<const float*, PitchNetwork::kInputs> inputs;
  std::array<float, PitchNetwork::kViews - 1> levels;
  for (int v = 0; v < PitchNetwork::kViews; ++v) {
    inputs[2 * v] = analysis.views[v].at_period.data();
    inputs[2 * v + 1] = analysis.views[v].at_harmonics.data();
    if (v > 0) levels[v - 1] = analysis.levels[v] - analysis.levels[kLong];
  }
  network_.Weigh(inputs, levels, evidence);
}

int PitchTracker::Follow(const Analysis& analysis, const Evidence& evidence, PitchState& state) const {
  const float quiet = std::min(0.0f, analysis.levels[kLong] - kQuietDb);
  const float weight = weight_ * std::pow(10.0f, quiet / 10.0f);
  Evidence in_range;
  for (int bin = 0; bin < PitchGrid::kBins; ++bin) {
    in_range[bin] = bin >= lowest_ && bin <= highest_ ? weight * evidence[bin] : kImpossible;
  }
  const int bin = state.path.Advance(in_range);
  const bool leapt = std::abs(bin - state.bin) >= kLeap;
  state.since_onset = leapt ? 0 : std::min(state.since_onset + settings_.hop(), kAttack);
  state.bin = bin;
  return bin;
}

PitchTracker::Belief PitchTracker::Believe(int bin, const Analysis& analysis) {
  const float share = ShortShare(bin);
  const Periodicity::Reading& long_view = analysis.views[kLong];
  auto confidence = [&](int v) {
    const Periodicity::Reading& view = analysis.views[v];
    const float period = share * view.at_period[bin] + (1.0f - share) * long_view.at_period[bin];
    const float match = share * view.at_harmonics[bin] + (1.0f - share) * long_view.at_harmonics[bin];
    return std::clamp(period, 0.0f, 1.0f) * std::clamp(match / kFullMatch, 0.0f, 1.0f);
  };
  const int best = confidence(kLate) > confidence(kCentred) ? kLate : kCentred;
  return {bin, share, best, confidence(best)};
}

PitchEstimate PitchTracker::Decide(std::span<const float> window, const Analysis& analysis, PitchState& state) const {
  Evidence evidence;
  Weigh(analysis, evidence);
  const int bin = Follow(analysis, evidence, state);
  const Belief belief = Believe(bin, analysis);
  PitchEstimate estimate{.confidence = belief.confidence};
  auto tells = [&](float confidence) { return confidence > kHoldConfidence || Certainty(evidence, bin) > kSure; };
  const float level = FramePowerDb(window.subspan(kHalfWindow - kLevelWindow / 2, kLevelWindow));
  if (level > kQuietDb && tells(belief.confidence)) {
    const double hz = Refine(belief, analysis, evidence, state.since_onset);
    if (belief.share >= 0.5f) {
      estimate.confidence *= Persistence(analysis.views[belief.best].correlation, settings_.sample_rate / hz);
    }
    if (tells(estimate.confidence)) {
      state.held_hz = std::clamp(static_cast<float>(hz), settings_.min_f0_hz, settings_.max_f0_hz);
    }
    estimate.voiced = estimate.confidence > kVoicedConfidence;
  }
  if (!estimate.voiced) state.since_onset = 0;
  estimate.f0_hz = state.held_hz;
  return estimate;
}

}  // namespace ddsp
