#include "core/features/pitch_tracker.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "core/features/frame_level.h"
#include "core/features/pitch_views.h"

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
  float sum = 0.0f, near = 0.0f;
  const float highest = *std::max_element(evidence.begin(), evidence.end());
  for (int b = 0; b < PitchGrid::kBins; ++b) {
    const float likelihood = std::exp(evidence[b] - highest);
    sum += likelihood;
    if (std::abs(b - bin) <= 1) near += likelihood;
  }
  return near / sum;
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
      weight_(50.0f * settings.hop() / settings.sample_rate) {}

void PitchTracker::Reset(PitchState& state) const {
  state = {};
  state.held_hz = std::sqrt(settings_.min_f0_hz * settings_.max_f0_hz);
}

void PitchTracker::Look(std::span<const float> window, Views& views) const {
  for (int v = 0; v < PitchNetwork::kViews; ++v) {
    View& view = views[v];
    periodicity_[v].Measure(kPitchViews[v].Of(window),
                            {view.power, view.correlation, view.at_period, view.at_harmonics});
  }
}

double PitchTracker::RefineInLongView(double hz, const View& view) const {
  // The autocorrelation of a moderately compressed spectrum, at any lag, has its peak at the period; compressed so that
  // a strong partial's own modulation does not decide alone.
  constexpr double kHighest = 3000.0;
  const Periodicity& periodicity = periodicity_[kLong];
  const int bins = static_cast<int>(kHighest / periodicity.hz_per_bin()) + 1;
  std::array<float, 400> spectrum;
  for (int k = 0; k < bins; ++k) spectrum[k] = std::sqrt(view.power[k] * std::sqrt(view.power[k]));
  const std::span<const float> window = periodicity.window_correlation();
  // At three lags together: each sum waits for its own recurrence only.
  auto correlations = [&](const std::array<double, 3>& lags) {
    std::array<double, 3> c1, s1, c, s, sums;
    for (int i = 0; i < 3; ++i) {
      const double angle = 2.0 * std::numbers::pi * lags[i] * periodicity.hz_per_bin() / settings_.sample_rate;
      c1[i] = std::cos(angle), s1[i] = std::sin(angle);
      c[i] = 1.0, s[i] = 0.0, sums[i] = 0.5 * spectrum[0];
    }
    for (int k = 1; k < bins; ++k) {
      for (int i = 0; i < 3; ++i) {
        const double next = c[i] * c1[i] - s[i] * s1[i];
        s[i] = s[i] * c1[i] + c[i] * s1[i];
        c[i] = next;
        sums[i] += spectrum[k] * c[i];
      }
    }
    for (int i = 0; i < 3; ++i) {
      const int at = static_cast<int>(lags[i]);
      sums[i] /= window[at] + (lags[i] - at) * (window[at + 1] - window[at]);
    }
    return sums;
  };
  double lag = HighestLag(view.correlation, settings_.sample_rate / hz, periodicity.lags()), width = 0.5;
  for (int round = 0; round < 4; ++round) {
    const auto [a, b, c] = correlations({lag - width, lag, lag + width});
    const double curve = a - 2.0 * b + c;
    if (!(curve < 0.0)) break;
    lag += std::clamp(0.5 * (a - c) / curve, -2.0, 2.0) * width;
    lag = std::clamp(lag, 2.0, static_cast<double>(periodicity.lags() - 3));
    width = std::max(0.1, 0.6 * width);
  }
  return settings_.sample_rate / lag;
}

double PitchTracker::RefineInShortView(double hz, const View& view, const Periodicity& periodicity) const {
  const auto& r = view.correlation;
  const int peak = HighestLag(r, settings_.sample_rate / hz, periodicity.lags());
  const double curve = r[peak - 1] - 2.0 * r[peak] + r[peak + 1];
  const double shift = curve < 0.0 ? std::clamp(0.5 * (r[peak - 1] - r[peak + 1]) / curve, -1.0, 1.0) : 0.0;
  return settings_.sample_rate / (peak + shift);
}

void PitchTracker::Weigh(std::span<const float> window, const Views& views, Evidence& evidence) const {
  constexpr int kViews = PitchNetwork::kViews, kInputs = PitchNetwork::kInputs;
  std::array<float, PitchGrid::kBins * kInputs> inputs;
  std::array<float, kViews> levels;
  for (int v = 0; v < kViews; ++v) {
    for (int bin = 0; bin < PitchGrid::kBins; ++bin) {
      inputs[bin * kInputs + 2 * v] = std::clamp(views[v].at_period[bin], -1.0f, 1.0f);
      inputs[bin * kInputs + 2 * v + 1] = std::clamp(views[v].at_harmonics[bin], -1.0f, 1.0f);
    }
    levels[v] = FramePowerDb(kPitchViews[v].Of(window));
    if (v > 0) levels[v] -= levels[kLong];
  }
  network_.Weigh(inputs, std::span(levels).subspan(1), evidence);
}

int PitchTracker::Follow(std::span<const float> window, const Evidence& evidence, PitchState& state) const {
  const float quiet = std::min(0.0f, FramePowerDb(window) - kQuietDb);
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

PitchEstimate PitchTracker::Estimate(std::span<const float> window, PitchState& state) const {
  Views views;
  Look(window, views);
  Evidence evidence;
  Weigh(window, views, evidence);
  const int bin = Follow(window, evidence, state);

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
  const bool sure = Certainty(evidence, bin) > kSure;
  if (level > kQuietDb && (estimate.confidence > kHoldConfidence || sure)) {
    const double coarse = PitchGrid::Hz(bin);
    double hz = coarse;
    if (share < 0.5f) {
      hz = RefineInLongView(coarse, views[kLong]);
    } else if (state.since_onset < kAttack) {
      hz = ExpectedHz(evidence, bin);
    } else if (views[kLong].at_period[bin] > kSteady * views[best].at_period[bin]) {
      hz = RefineInLongView(coarse, views[kLong]);
    } else {
      hz = RefineInShortView(coarse, views[best], periodicity_[best]);
    }
    // Further away it is another peak's.
    if (std::abs(std::log2(hz / coarse)) > kLargestCorrection / 1200.0) hz = coarse;
    if (share >= 0.5f) estimate.confidence *= Persistence(views[best].correlation, settings_.sample_rate / hz);
    if (estimate.confidence > kHoldConfidence || sure) {
      state.held_hz = std::clamp(static_cast<float>(hz), settings_.min_f0_hz, settings_.max_f0_hz);
    }
    estimate.voiced = estimate.confidence > kVoicedConfidence;
  }
  if (!estimate.voiced) state.since_onset = 0;
  estimate.f0_hz = state.held_hz;
  return estimate;
}

}  // namespace ddsp
