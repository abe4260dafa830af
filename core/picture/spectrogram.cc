#include "core/picture/spectrogram.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "core/features/real_fft.h"

namespace ddsp {
namespace {

constexpr int kFftSize = 2048, kWindow = 1024;
constexpr float kFloorDb = -200;
constexpr double kLowestLogHz = 50;
constexpr int kLeft = 72, kRight = 24, kTop = 28, kBottom = 30, kScale = 2;
constexpr Colour kPaper{255, 255, 255}, kInk{40, 40, 40};
// From silence to the loudest.
constexpr Colour kColours[] = {{0, 0, 4},       {20, 14, 54},    {59, 15, 112},  {100, 26, 128},
                               {140, 41, 129},  {183, 55, 121},  {222, 73, 104}, {247, 112, 92},
                               {254, 159, 109}, {254, 207, 146}, {252, 253, 191}};

Colour ColourOf(double share) {
  constexpr int kLast = std::size(kColours) - 1;
  const double at = std::clamp(share, 0.0, 1.0) * kLast;
  const int below = std::min(static_cast<int>(at), kLast - 1);
  const double part = at - below;
  const auto mix = [part](uint8_t a, uint8_t b) { return static_cast<uint8_t>(std::lround(a + (b - a) * part)); };
  const Colour &a = kColours[below], &b = kColours[below + 1];
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

// Share of the height, 0 at the bottom, to Hz, and back.
double HzAt(double share, const SpectrogramOptions& options) {
  const double top = options.sample_rate / 2.0;
  if (options.scale == FrequencyAxis::kLinear) return share * top;
  return kLowestLogHz * std::pow(top / kLowestLogHz, share);
}
double ShareOf(double hz, const SpectrogramOptions& options) {
  const double top = options.sample_rate / 2.0;
  if (options.scale == FrequencyAxis::kLinear) return hz / top;
  return std::log(hz / kLowestLogHz) / std::log(top / kLowestLogHz);
}

std::vector<float> HannWindow() {
  std::vector<float> window(kWindow);
  for (int n = 0; n < kWindow; ++n)
    window[n] = static_cast<float>(0.5 - 0.5 * std::cos(2 * M_PI * (n + 0.5) / kWindow));
  return window;
}

// The largest power between two frequencies, at least of the nearest bin.
float PeakPower(const std::vector<float>& power, double low_hz, double high_hz, int sample_rate) {
  const double bins_per_hz = static_cast<double>(kFftSize) / sample_rate;
  const int last = static_cast<int>(power.size()) - 1;
  const int first = std::clamp(static_cast<int>(std::lround(low_hz * bins_per_hz)), 0, last);
  const int end = std::clamp(static_cast<int>(std::lround(high_hz * bins_per_hz)), first + 1, last + 1);
  return *std::max_element(power.begin() + first, power.begin() + end);
}

// 1, 2 or 5 times a power of ten, about `wanted` of them in `range`.
double TickStep(double range, int wanted) {
  const double raw = range / wanted, base = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * base >= raw) return factor * base;
  }
  return 10 * base;
}

class Drawing {
 public:
  Drawing(int panels, double seconds, const SpectrogramOptions& options)
      : options_(options),
        seconds_(seconds),
        panel_height_(kTop + options.plot_height + kBottom),
        image_(kLeft + options.plot_width + kRight, panel_height_ * panels, kPaper) {}

  void Paint(int panel, const std::vector<std::vector<float>>& levels, double loudest_db) {
    const int bottom = panel * panel_height_ + kTop + options_.plot_height - 1;
    for (int x = 0; x < options_.plot_width; ++x) {
      for (int row = 0; row < options_.plot_height; ++row) {
        image_.Set(kLeft + x, bottom - row, ColourOf(1 + (levels[x][row] - loudest_db) / options_.range_db));
      }
    }
  }

  void Label(int panel, const std::string& title) {
    const int top = panel * panel_height_ + kTop, bottom = top + options_.plot_height;
    image_.Write(kLeft, top - 18, title, kScale, kInk);
    const double step = TickStep(seconds_, 10);
    for (double t = 0; t <= seconds_ + 1e-9; t += step) {
      const int x = kLeft + static_cast<int>(std::lround(t / seconds_ * (options_.plot_width - 1)));
      const std::string text = absl::StrFormat("%g s", std::round(t * 1000) / 1000);
      image_.Fill(x, bottom, 1, 5, kInk);
      image_.Write(x - Image::TextWidth(text, kScale) / 2, bottom + 9, text, kScale, kInk);
    }
    for (double hz : FrequencyTicks()) {
      const int y = bottom - 1 - static_cast<int>(std::lround(ShareOf(hz, options_) * (options_.plot_height - 1)));
      const std::string text = hz < 1000 ? absl::StrFormat("%g Hz", hz) : absl::StrFormat("%g kHz", hz / 1000);
      image_.Fill(kLeft - 5, y, 5, 1, kInk);
      image_.Write(kLeft - 9 - Image::TextWidth(text, kScale), y - 5, text, kScale, kInk);
    }
  }

  Image Take() { return std::move(image_); }

 private:
  std::vector<double> FrequencyTicks() const {
    std::vector<double> ticks;
    const double top = options_.sample_rate / 2.0;
    if (options_.scale == FrequencyAxis::kLinear) {
      for (double hz = 0; hz <= top; hz += TickStep(top, 8)) ticks.push_back(hz);
    } else {
      for (double hz : {50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000}) {
        if (hz <= top) ticks.push_back(hz);
      }
    }
    return ticks;
  }

  const SpectrogramOptions& options_;
  const double seconds_;
  const int panel_height_;
  Image image_;
};

}  // namespace

std::vector<std::vector<float>> SpectrogramLevels(absl::Span<const float> audio, int columns, int rows, double seconds,
                                                  const SpectrogramOptions& options) {
  const PowerSpectrum spectrum(kFftSize);
  const std::vector<float> window = HannWindow();
  // A sine of full scale reaches 0 dB.
  const double full_scale = std::pow(kWindow * 0.5 / 2, 2);
  std::vector<float> frame(kFftSize), power(spectrum.bins());
  std::vector<std::vector<float>> levels(columns, std::vector<float>(rows));
  for (int x = 0; x < columns; ++x) {
    const auto first = static_cast<int64_t>((x + 0.5) / columns * seconds * options.sample_rate) - kWindow / 2;
    for (int n = 0; n < kWindow; ++n) {
      const int64_t at = first + n;
      frame[n] = at >= 0 && at < static_cast<int64_t>(audio.size()) ? audio[at] * window[n] : 0;
    }
    spectrum.Compute(frame, power);
    for (int row = 0; row < rows; ++row) {
      const double low = HzAt(static_cast<double>(row) / rows, options), high = HzAt((row + 1.0) / rows, options);
      const double peak = PeakPower(power, low, high, options.sample_rate) / full_scale;
      levels[x][row] = peak > 0 ? static_cast<float>(10 * std::log10(peak)) : kFloorDb;
    }
  }
  return levels;
}

Image DrawSpectrograms(absl::Span<const SpectrogramPanel> panels, const SpectrogramOptions& options) {
  size_t samples = 1;
  for (const SpectrogramPanel& panel : panels) samples = std::max(samples, panel.audio.size());
  const double seconds = static_cast<double>(samples) / options.sample_rate;
  std::vector<std::vector<std::vector<float>>> levels;
  float loudest_db = kFloorDb;
  for (const SpectrogramPanel& panel : panels) {
    levels.push_back(SpectrogramLevels(panel.audio, options.plot_width, options.plot_height, seconds, options));
    for (const std::vector<float>& column : levels.back()) {
      loudest_db = std::max(loudest_db, *std::max_element(column.begin(), column.end()));
    }
  }
  Drawing drawing(static_cast<int>(panels.size()), seconds, options);
  for (size_t i = 0; i < panels.size(); ++i) {
    drawing.Paint(static_cast<int>(i), levels[i], loudest_db);
    drawing.Label(static_cast<int>(i), panels[i].title);
  }
  return drawing.Take();
}

}  // namespace ddsp
