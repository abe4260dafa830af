#include "core/features/periodicity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/kernels/power_roots.h"

namespace ddsp {
namespace {

// Below this share of the window's energy a lag's correction would only amplify noise.
constexpr float kMinWindowCorrelation = 0.05f;

// Below this power, and this share of the strongest bin's, a spectrum holds little but noise and side lobes.
constexpr float kLeastPower = 1e-6f;
constexpr float kSideLobes = 1e-6f;

// Parts of a lag in which at most one candidate gives way to the next.
constexpr int kCells = 8;

// Width of the templates' upper end.
constexpr double kFadeHz = 1000.0;

bool IsPrime(int n) {
  for (int d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return n > 1;
}

// Weight of a spectrum at `ratio` times a pitch: cosine lobes, positive at the fundamental and its prime multiples,
// half as deep and negative beside them.
double TemplateLobe(double ratio) {
  double lobe = 0.0;
  for (int h = std::max(1, static_cast<int>(ratio) - 1); h <= static_cast<int>(ratio) + 2; ++h) {
    if (h > 1 && !IsPrime(h)) continue;
    const double distance = std::abs(ratio - h);
    if (distance < 0.25) return std::cos(2.0 * std::numbers::pi * ratio);
    if (distance < 0.75) lobe += 0.5 * std::cos(2.0 * std::numbers::pi * ratio);
  }
  return lobe;
}

// [spectrum bin, grid bin], each column scaled so that its positive part has norm 1.
std::vector<float> HarmonicTemplates(int first, int spectrum_bins, double hz_per_bin) {
  const int columns = PitchGrid::kBins - first;
  std::vector<float> result(static_cast<size_t>(spectrum_bins) * columns);
  for (int c = 0; c < columns; ++c) {
    const double hz = PitchGrid::Hz(first + c);
    std::vector<double> column(spectrum_bins);
    double norm = 0.0;
    for (int k = 1; k < spectrum_bins; ++k) {
      // Faded out, so that no candidate gains on its neighbour by losing a harmonic.
      const double fade = std::clamp((Periodicity::kTemplateHz - k * hz_per_bin) / kFadeHz, 0.0, 1.0);
      column[k] = fade * TemplateLobe(k * hz_per_bin / hz) / std::sqrt(k * hz_per_bin);
      if (column[k] > 0.0) norm += column[k] * column[k];
    }
    for (int k = 0; k < spectrum_bins; ++k) result[k * columns + c] = static_cast<float>(column[k] / std::sqrt(norm));
  }
  return result;
}

std::vector<float> HannWindow(int size) {
  std::vector<float> window(size);
  for (int i = 0; i < size; ++i) {
    window[i] = static_cast<float>(0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * (i + 0.5) / size));
  }
  return window;
}

std::vector<float> Autocorrelation(const std::vector<float>& x, int lags) {
  std::vector<float> result(lags);
  double energy = 0.0;
  for (float v : x) energy += static_cast<double>(v) * v;
  for (int lag = 0; lag < lags; ++lag) {
    double sum = 0.0;
    for (size_t i = 0; i + lag < x.size(); ++i) sum += static_cast<double>(x[i]) * x[i + lag];
    result[lag] = static_cast<float>(sum / energy);
  }
  return result;
}

int TemplateBins(double hz_per_bin) { return static_cast<int>(Periodicity::kTemplateHz / hz_per_bin) + 1; }

}  // namespace

Periodicity::Periodicity(int sample_rate, int window, int fft, int first_bin)
    : first_bin_(first_bin),
      lags_(std::max(kMinLags, static_cast<int>(sample_rate / PitchGrid::Hz(first_bin - 0.5)) + 4)),
      shortest_lag_(std::max(2, static_cast<int>(sample_rate / PitchGrid::Hz(PitchGrid::kBins - 0.5)))),
      hz_per_bin_(static_cast<double>(sample_rate) / fft),
      fft_(fft),
      window_(HannWindow(window)),
      window_correlation_(Autocorrelation(window_, lags_)),
      template_(HarmonicTemplates(first_bin, TemplateBins(hz_per_bin_), hz_per_bin_), {}, TemplateBins(hz_per_bin_),
                PitchGrid::kBins - first_bin) {
  for (float c : window_correlation_) correction_.push_back(1.0f / std::max(c, kMinWindowCorrelation));
  for (int bin = first_bin; bin < PitchGrid::kBins; ++bin) {
    const double lag = sample_rate / PitchGrid::Hz(bin);
    const float f = static_cast<float>(lag - std::floor(lag));
    taps_.push_back({.lag = static_cast<int>(lag) - 1,
                     .weight = {0.5f * f * (-1.0f + f * (2.0f - f)), 1.0f + 0.5f * f * f * (3.0f * f - 5.0f),
                                0.5f * f * (1.0f + f * (4.0f - 3.0f * f)), 0.5f * f * f * (f - 1.0f)}});
  }
  for (int cell = 0; cell < lags_ * kCells; ++cell) {
    bin_of_cell_.push_back(PitchGrid::Bin(sample_rate * kCells / (cell + 1.0)));
  }
  for (int bin = 0; bin < PitchGrid::kBins; ++bin) {
    shortest_period_.push_back(static_cast<float>(sample_rate / PitchGrid::Hz(bin + 0.5)));
  }
  shortest_period_.back() = 0.0f;
}

void Periodicity::Measure(std::span<const float> samples, Power& power, Reading& reading) const {
  alignas(64) std::array<float, kMaxFft> time;
  alignas(64) std::array<float, 2 * kMaxFft + 4 * kernels::RealFft::kSkew> scratch;
  for (int i = 0; i < window(); ++i) time[i] = samples[i] * window_[i];
  std::fill(time.begin() + window(), time.begin() + fft_.size(), 0.0f);
  fft_.Power(time.data(), power.data(), scratch.data());
  // The eighth root lets weak harmonics speak; a quarter and a sixth did no better. The floor, as compression would
  // lift the window's own side lobes, too.
  kernels::CompressSpectrum({power.data(), static_cast<size_t>(spectrum_bins())}, kLeastPower, kSideLobes,
                            reading.shape.data());
  Correlate(power, reading.correlation);
  ReadPeriods(std::span(reading.correlation).first(lags_), reading.at_period);
}

void Periodicity::Correlate(const Power& power, std::span<float> correlation) const {
  alignas(64) std::array<float, kMaxLag + 1> time;
  alignas(64) std::array<float, 2 * kMaxFft + 4 * kernels::RealFft::kSkew> scratch;
  fft_.InverseOfReal(power.data(), (lags_ + 1) / 2 * 2, time.data(), scratch.data());
  const float scale = 1.0f / (time[0] + 1e-12f);
  for (int lag = 0; lag < lags_; ++lag) correlation[lag] = time[lag] * scale * correction_[lag];
}

int Periodicity::BinOf(float period) const {
  const int lowest = bin_of_cell_[static_cast<int>(period * kCells)];
  return lowest + (period < shortest_period_[lowest]);
}

void Periodicity::ReadPeriods(std::span<const float> correlation, std::span<float> at_period) const {
  const absl::Span<const float> by_lag(correlation.data(), correlation.size());
  // Any slow sound is similar to itself a short time later. A period has to stand out from the lags before it.
  std::array<float, kMaxLag> lowest;
  kernels::RunningMinimum(by_lag, lowest.data());
  std::fill_n(at_period.begin(), first_bin_, 0.0f);
  kernels::ReadLags(taps_, correlation.data(), lowest.data(), at_period.data() + first_bin_);
  // A low candidate's 50 cents span several lags: peaks inside count wherever they are.
  std::array<int, kMaxLag / 2> peaks;
  const int count = kernels::FindPeaks(by_lag, shortest_lag_, peaks.data());
  for (int i = 0; i < count; ++i) {
    const int lag = peaks[i];
    const float a = correlation[lag - 1], b = correlation[lag], c = correlation[lag + 1];
    const float shift = 0.5f * (a - c) / (a - 2.0f * b + c);
    const int bin = BinOf(lag + shift);
    if (bin < first_bin_) continue;
    const float value = b - 0.25f * (a - c) * shift;
    at_period[bin] = std::max(at_period[bin], std::min(value, 2.0f * (value - lowest[lag])));
  }
}

void Periodicity::MatchHarmonics(Reading* first, int64_t stride, int64_t count) const {
  for (int64_t i = 0; i < count; ++i) {
    auto* reading = reinterpret_cast<Reading*>(reinterpret_cast<char*>(first) + i * stride);
    std::fill_n(reading->at_harmonics.begin(), first_bin_, 0.0f);
  }
  const int64_t floats = stride / static_cast<int64_t>(sizeof(float));
  template_.Apply(first->shape.data(), floats, count, first->at_harmonics.data() + first_bin_, floats);
}

}  // namespace ddsp
