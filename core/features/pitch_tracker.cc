#include "core/features/pitch_tracker.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "core/features/frame_level.h"
#include "core/features/pitch_views.h"
#include "core/kernels/log_sum_exp.h"
#include "core/kernels/power_roots.h"

namespace ddsp {
namespace {

// Of kPitchViews.
constexpr int kLong = 0, kCentred = 1, kLate = 2;
// The refinement in the long view looks at frequencies up to this, and at lags so many samples apart in each round.
constexpr double kHighestRefined = 3000.0;
constexpr double kRefinements[] = {0.5, 0.3, 0.18, 0.108};
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

// Bins of a spectrum that the refinement looks at.
int RefinedBins(const Periodicity& periodicity) {
  return static_cast<int>(kHighestRefined / periodicity.hz_per_bin()) + 1;
}

// By how much a spectrum's bins turn from one to the next at a lag in samples.
double Angle(double lag, const Periodicity& periodicity, const FeatureSettings& settings) {
  return 2.0 * std::numbers::pi * lag * periodicity.hz_per_bin() / settings.sample_rate;
}

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

PitchTracker::PitchTracker(const FeatureSettings& settings)
    : settings_(settings),
      periodicity_{
          kPitchViews[0].MakePeriodicity(settings.sample_rate), kPitchViews[1].MakePeriodicity(settings.sample_rate),
          kPitchViews[2].MakePeriodicity(settings.sample_rate), kPitchViews[3].MakePeriodicity(settings.sample_rate)},
      lowest_(PitchGrid::Bin(settings.min_f0_hz)),
      highest_(PitchGrid::Bin(settings.max_f0_hz)),
      weight_(50.0f * settings.hop() / settings.sample_rate) {
  const Periodicity& periodicity = periodicity_[kLong];
  for (const double width : kRefinements) {
    rounds_.emplace_back(RefinedBins(periodicity), Angle(width, periodicity, settings));
  }
}

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
    if (v == kLong) {
      const int bins = RefinedBins(periodicity_[v]);
      kernels::ThreeQuarterPowers({power.data(), static_cast<size_t>(bins)}, analysis.refined.data());
      analysis.refined[0] *= 0.5f;
      std::fill(analysis.refined.begin() + bins, analysis.refined.end(), 0.0f);
    }
  }
}

void PitchTracker::Compare(std::span<Analysis> analyses) const {
  for (int v = 0; v < PitchNetwork::kViews; ++v) {
    periodicity_[v].MatchHarmonics(&analyses[0].views[v], sizeof(Analysis), analyses.size());
  }
}

double PitchTracker::RefineInLongView(double hz, const Analysis& analysis) const {
  const Periodicity& periodicity = periodicity_[kLong];
  const std::span<const float> window = periodicity.window_correlation();
  auto corrected = [&](double sum, double lag) {
    const int at = static_cast<int>(lag);
    return sum / (window[at] + (lag - at) * (window[at + 1] - window[at]));
  };
  double lag = HighestLag(analysis.views[kLong].correlation, settings_.sample_rate / hz, periodicity.lags());
  for (size_t round = 0; round < rounds_.size(); ++round) {
    const double width = kRefinements[round];
    const auto sums = rounds_[round].At(analysis.refined.data(), Angle(lag, periodicity, settings_));
    const double a = corrected(sums.before, lag - width), b = corrected(sums.at, lag),
                 c = corrected(sums.after, lag + width);
    const double curve = a - 2.0 * b + c;
    if (!(curve < 0.0)) break;
    lag += std::clamp(0.5 * (a - c) / curve, -2.0, 2.0) * width;
    lag = std::clamp(lag, 2.0, static_cast<double>(periodicity.lags() - 3));
  }
  return settings_.sample_rate / lag;
}

double PitchTracker::RefineInShortView(double hz, const Periodicity::Reading& view,
                                       const Periodicity& periodicity) const {
  const auto& r = view.correlation;
  const int peak = HighestLag(r, settings_.sample_rate / hz, periodicity.lags());
  const double curve = r[peak - 1] - 2.0 * r[peak] + r[peak + 1];
  const double shift = curve < 0.0 ? std::clamp(0.5 * (r[peak - 1] - r[peak + 1]) / curve, -1.0, 1.0) : 0.0;
  return settings_.sample_rate / (peak + shift);
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

PitchEstimate PitchTracker::Decide(std::span<const float> window, const Analysis& analysis, PitchState& state) const {
  Evidence evidence;
  Weigh(analysis, evidence);
  const int bin = Follow(analysis, evidence, state);

  const auto& views = analysis.views;
  const float share = ShortShare(bin);
  auto confidence = [&](int v) {
    const float period = share * views[v].at_period[bin] + (1.0f - share) * views[kLong].at_period[bin];
    const float match = share * views[v].at_harmonics[bin] + (1.0f - share) * views[kLong].at_harmonics[bin];
    return std::clamp(period, 0.0f, 1.0f) * std::clamp(match / kFullMatch, 0.0f, 1.0f);
  };
  const int best = confidence(kLate) > confidence(kCentred) ? kLate : kCentred;
  PitchEstimate estimate;
  estimate.confidence = confidence(best);
  const float level = FramePowerDb(window.subspan(kHalfWindow - kLevelWindow / 2, kLevelWindow));
  auto tells = [&](float confidence) { return confidence > kHoldConfidence || Certainty(evidence, bin) > kSure; };
  if (level > kQuietDb && tells(estimate.confidence)) {
    const double coarse = PitchGrid::Hz(bin);
    double hz = coarse;
    if (share < 0.5f) {
      hz = RefineInLongView(coarse, analysis);
    } else if (state.since_onset < kAttack) {
      hz = ExpectedHz(evidence, bin);
    } else if (views[kLong].at_period[bin] > kSteady * views[best].at_period[bin]) {
      hz = RefineInLongView(coarse, analysis);
    } else {
      hz = RefineInShortView(coarse, views[best], periodicity_[best]);
    }
    // Further away it is another peak's.
    if (std::abs(std::log2(hz / coarse)) > kLargestCorrection / 1200.0) hz = coarse;
    if (share >= 0.5f) estimate.confidence *= Persistence(views[best].correlation, settings_.sample_rate / hz);
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
