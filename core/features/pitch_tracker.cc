#include "core/features/pitch_tracker.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "core/features/frame_level.h"

namespace ddsp {
namespace {

constexpr int kLongWindow = 2 * PitchTracker::kHalfWindow;
constexpr int kShortWindow = 384;
// Low candidates are sought in the long window, since the short one does not tell their harmonics apart, the others in
// the short one. Between these the evidence passes from one to the other: at a sharp border glides stuck.
constexpr double kLongOnlyHz = 160.0;
constexpr double kShortOnlyHz = 250.0;
// Steps are as close to this as the hop allows.
constexpr double kNominalStep = 80.0;
// How many samples before the path changes to it a new note may be reported.
constexpr double kLead = 160.0;
// More bins than this between two steps are a new note, not a glide.
constexpr int kLargestGlide = 2;

// Refinement may move a candidate by this many cents: three candidates and a half.
constexpr double kLargestCorrection = 70.0;

// Evidence of a correlation c is log((1 + kFloor) / (1 - c + kFloor)): the log likelihood of the residual, with noise
// enough that a correlation of 0.99 counts little more than 0.95.
constexpr float kFloor = 0.1f;
// Of two periods that explain the sound equally the shorter wins: share of the evidence per octave.
constexpr float kOctaveShare = 0.25f;
constexpr float kMiddleOctave = 2.5f;
constexpr float kHarmonicsWeight = 6.0f;
constexpr float kEvidence = 0.7f;

// Below this level (dB) evidence fades and nothing is voiced.
constexpr float kQuietDb = -54.0f;
constexpr int kLevelWindow = 512;
// A match with the harmonics that leaves no doubt: nearly all voiced frames of the test melodies have more, nearly all
// frames of white and pink noise much less. The correlation alone takes half of all pink noise for a pitch.
constexpr float kFullMatch = 0.1f;
constexpr float kVoicedConfidence = 0.3f;
// Less than this tells nothing of the pitch: the last is held.
constexpr float kHoldConfidence = 0.1f;

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

int ChooseStep(int hop) {
  int best = hop;
  for (int step = 1; step <= hop; ++step) {
    if (hop % step != 0) continue;
    if (std::abs(std::log(step / kNominalStep)) < std::abs(std::log(best / kNominalStep))) best = step;
  }
  return best;
}

}  // namespace

PitchTracker::PitchTracker(const FeatureSettings& settings)
    : settings_(settings),
      grid_(settings.min_f0_hz, settings.max_f0_hz),
      step_(ChooseStep(settings.hop())),
      lag_((kHalfWindow - kShortWindow / 2) / step_),
      lead_(static_cast<int>(std::lround(kLead / step_))),
      first_short_(std::max(1, grid_.Bin(kLongOnlyHz)) - 1),
      last_long_(std::max(2, grid_.Bin(kShortOnlyHz))),
      split_((first_short_ + last_long_) / 2),
      long_(settings.sample_rate, kLongWindow, 2 * kLongWindow, grid_, 0, last_long_),
      short_(settings.sample_rate, kShortWindow, 1024, grid_, first_short_, grid_.bins()) {
  for (int bin = 0; bin < grid_.bins(); ++bin) {
    const float place = static_cast<float>(bin - first_short_) / static_cast<float>(last_long_ - first_short_);
    short_share_[bin] = std::clamp(place, 0.0f, 1.0f);
    const float octave = static_cast<float>(std::log2(grid_.Hz(bin) / 50.0));
    period_weight_[bin] = 1.0f + kOctaveShare * (octave - kMiddleOctave);
  }
}

void PitchTracker::Reset(PitchState& state) const {
  state = {};
  state.held_hz = std::sqrt(settings_.min_f0_hz * settings_.max_f0_hz);
}

void PitchTracker::Advance(std::span<const float> window, PitchState& state) const {
  state.newest = (state.newest + 1) % PitchState::kSlots;
  PitchState::Slot& slot = state.slots[state.newest];
  std::array<float, PitchGrid::kMaxBins> at_period = {}, at_harmonics = {}, long_at_period = {}, long_at_harmonics = {};
  std::array<float, PitchGrid::kMaxBins> evidence;
  std::array<float, Periodicity::kMaxFft / 2 + 1> power;
  long_.Measure(window, {state.long_power, state.long_correlation, long_at_period, long_at_harmonics});
  short_.Measure(window.subspan(kHalfWindow + lag_ * step_ - kShortWindow / 2, kShortWindow),
                 {power, slot.correlation, at_period, at_harmonics});

  const float quiet = std::min(0.0f, FramePowerDb(window) - kQuietDb);
  const float weight = kEvidence * static_cast<float>(step_ / kNominalStep) * std::pow(10.0f, quiet / 10.0f);
  for (int bin = 0; bin < grid_.bins(); ++bin) {
    const float share = short_share_[bin];
    const float period = share * at_period[bin] + (1.0f - share) * long_at_period[bin];
    const float harmonics = share * at_harmonics[bin] + (1.0f - share) * long_at_harmonics[bin];
    const float residual = std::max(0.0f, 1.0f - period);
    const float log_correlation = std::log((1.0f + kFloor) / (residual + kFloor));
    evidence[bin] = weight * (period_weight_[bin] * log_correlation + kHarmonicsWeight * harmonics);
    slot.confidence[bin] = std::clamp(period, 0.0f, 1.0f) * std::clamp(harmonics / kFullMatch, 0.0f, 1.0f);
  }
  state.path.Advance(std::span(evidence).first(grid_.bins()));
}

PitchTracker::Reading PitchTracker::Read(const PitchState& state) const {
  std::array<int, PitchState::kSlots> path;
  state.path.Trace(std::span(path).first(lag_ + 1));
  // The step whose window lies about the instant: the newest for the long window, the oldest for the short one.
  auto centred = [&](int step) { return path[step] < split_ ? lag_ : 0; };
  auto same_note = [&](int step) { return std::abs(path[step] - path[step - 1]) <= kLargestGlide; };
  bool steady = true;
  for (int step = 1; step <= lag_; ++step) steady = steady && same_note(step);
  int step = lag_;
  while (step > centred(step)) {
    if (!same_note(step) && step <= lead_) {
      step = lag_;
      break;
    }
    --step;
  }
  return {.bin = path[step], .step = step, .steady = steady};
}

double PitchTracker::RefineInLongWindow(double hz, const PitchState& state) const {
  // The autocorrelation of a moderately compressed spectrum, at any lag, has its peak at the period; compressed so that
  // a strong partial's own modulation does not decide alone.
  constexpr double kHighest = 3000.0;
  const int bins = static_cast<int>(kHighest / long_.hz_per_bin()) + 1;
  std::array<float, 400> spectrum;
  for (int k = 0; k < bins; ++k) spectrum[k] = std::sqrt(state.long_power[k] * std::sqrt(state.long_power[k]));
  const std::span<const float> window = long_.window_correlation();
  auto correlation = [&](double lag) {
    const double angle = 2.0 * std::numbers::pi * lag * long_.hz_per_bin() / settings_.sample_rate;
    const double c1 = std::cos(angle), s1 = std::sin(angle);
    double c = 1.0, s = 0.0, sum = 0.5 * spectrum[0];
    for (int k = 1; k < bins; ++k) {
      const double next = c * c1 - s * s1;
      s = s * c1 + c * s1;
      c = next;
      sum += spectrum[k] * c;
    }
    const int i = static_cast<int>(lag);
    return sum / (window[i] + (lag - i) * (window[i + 1] - window[i]));
  };
  double lag = HighestLag(state.long_correlation, settings_.sample_rate / hz, long_.lags()), width = 0.5;
  for (int round = 0; round < 4; ++round) {
    const double a = correlation(lag - width), b = correlation(lag), c = correlation(lag + width);
    const double curve = a - 2.0 * b + c;
    if (!(curve < 0.0)) break;
    lag += std::clamp(0.5 * (a - c) / curve, -2.0, 2.0) * width;
    lag = std::clamp(lag, 2.0, static_cast<double>(long_.lags() - 3));
    width = std::max(0.1, 0.6 * width);
  }
  return settings_.sample_rate / lag;
}

double PitchTracker::RefineInShortWindow(double hz, const PitchState::Slot& slot) const {
  const auto& r = slot.correlation;
  const int peak = HighestLag(r, settings_.sample_rate / hz, short_.lags());
  const double curve = r[peak - 1] - 2.0 * r[peak] + r[peak + 1];
  const double shift = curve < 0.0 ? std::clamp(0.5 * (r[peak - 1] - r[peak + 1]) / curve, -1.0, 1.0) : 0.0;
  return settings_.sample_rate / (peak + shift);
}

PitchEstimate PitchTracker::Estimate(std::span<const float> window, PitchState& state) const {
  const Reading reading = Read(state);
  const PitchState::Slot& slot =
      state.slots[(state.newest + PitchState::kSlots - (lag_ - reading.step)) % PitchState::kSlots];
  PitchEstimate estimate;
  estimate.confidence = slot.confidence[reading.bin];
  const float level = FramePowerDb(window.subspan(kHalfWindow - kLevelWindow / 2, kLevelWindow));
  if (level > kQuietDb && estimate.confidence > kHoldConfidence) {
    const double coarse = grid_.Hz(reading.bin);
    const bool in_long_window = reading.steady || reading.bin < split_;
    double hz = in_long_window ? RefineInLongWindow(coarse, state) : RefineInShortWindow(coarse, slot);
    // Further away it is another peak's.
    if (std::abs(std::log2(hz / coarse)) > kLargestCorrection / 1200.0) hz = coarse;
    if (reading.bin >= split_) estimate.confidence *= Persistence(slot.correlation, settings_.sample_rate / hz);
    if (estimate.confidence > kHoldConfidence) {
      state.held_hz = std::clamp(static_cast<float>(hz), settings_.min_f0_hz, settings_.max_f0_hz);
    }
    estimate.voiced = estimate.confidence > kVoicedConfidence;
  }
  estimate.f0_hz = state.held_hz;
  return estimate;
}

}  // namespace ddsp
