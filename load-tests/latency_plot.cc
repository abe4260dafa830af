#include "load-tests/latency_plot.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"

namespace ddsp::loadtest {
namespace {

constexpr int kWidth = 900, kHeight = 520, kLeft = 80, kRight = 110, kTop = 40, kBottom = 60, kScale = 2;
constexpr Colour kPaper{255, 255, 255}, kInk{40, 40, 40}, kGrid{225, 225, 225}, kDeadline{200, 30, 30};

struct Curve {
  const char* name;
  double LoadResult::*value;
  Colour colour;
};
constexpr Curve kCurves[] = {{"P99", &LoadResult::p99_ms, {183, 55, 121}},
                             {"P95", &LoadResult::p95_ms, {100, 26, 128}},
                             {"P50", &LoadResult::p50_ms, {30, 110, 180}}};

class Plot {
 public:
  Plot(int streams, double lowest_ms, double highest_ms)
      : image_(kWidth, kHeight, kPaper),
        streams_(streams),
        low_(std::log10(lowest_ms)),
        high_(std::log10(highest_ms)) {}

  int X(double streams) const {
    return kLeft + static_cast<int>(std::lround((kWidth - kLeft - kRight) * streams / streams_));
  }
  int Y(double ms) const {
    const double share = (std::log10(std::max(ms, 1e-3)) - low_) / (high_ - low_);
    return kHeight - kBottom - static_cast<int>(std::lround((kHeight - kTop - kBottom) * std::clamp(share, 0.0, 1.0)));
  }
  void Line(int x0, int y0, int x1, int y1, Colour colour, int thickness) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) {
      const double at = static_cast<double>(i) / steps;
      image_.Fill(static_cast<int>(std::lround(x0 + at * (x1 - x0))),
                  static_cast<int>(std::lround(y0 + at * (y1 - y0))), thickness, thickness, colour);
    }
  }
  void Across(double ms, Colour colour) { Line(kLeft, Y(ms), kWidth - kRight, Y(ms), colour, 1); }
  Image& image() { return image_; }

 private:
  Image image_;
  const int streams_;
  const double low_, high_;
};

void DrawAxes(Plot& plot, const std::vector<LoadResult>& levels, double lowest, double highest) {
  for (double decade = lowest; decade <= highest; decade *= 10) {
    for (const int digit : {1, 2, 5}) {
      const double ms = decade * digit;
      if (ms > highest) break;
      plot.Across(ms, kGrid);
      const std::string text = absl::StrCat(ms);
      plot.image().Write(kLeft - 8 - Image::TextWidth(text, kScale), plot.Y(ms) - 5, text, kScale, kInk);
    }
  }
  int free_from = 0;
  for (const LoadResult& level : levels) {
    const std::string text = absl::StrCat(level.streams);
    plot.Line(plot.X(level.streams), kHeight - kBottom, plot.X(level.streams), kHeight - kBottom + 5, kInk, 1);
    const int left = plot.X(level.streams) - Image::TextWidth(text, kScale) / 2;
    if (left < free_from) continue;  // the next numbers of a ramp are close
    plot.image().Write(left, kHeight - kBottom + 10, text, kScale, kInk);
    free_from = left + Image::TextWidth(text, kScale) + 4 * kScale;
  }
  plot.Line(kLeft, kTop, kLeft, kHeight - kBottom, kInk, 1);
  plot.Line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, kInk, 1);
  plot.image().Write(kLeft, 14, "BLOCK LATENCY, MS", kScale, kInk);
  plot.image().Write(kWidth / 2 - 40, kHeight - 24, "STREAMS", kScale, kInk);
}

}  // namespace

Image DrawLatencies(const std::vector<LoadResult>& measured, double deadline_ms) {
  std::vector<LoadResult> levels = measured;
  std::sort(levels.begin(), levels.end(), [](const auto& a, const auto& b) { return a.streams < b.streams; });
  double least = deadline_ms, most = 2 * deadline_ms;
  int streams = 1;
  for (const LoadResult& level : levels) {
    if (level.p50_ms > 0) least = std::min(least, level.p50_ms);
    most = std::max(most, level.p99_ms);
    streams = std::max(streams, level.streams);
  }
  const double lowest = std::pow(10, std::floor(std::log10(least))),
               highest = std::pow(10, std::ceil(std::log10(most)));
  Plot plot(streams, lowest, highest);
  DrawAxes(plot, levels, lowest, highest);
  plot.Across(deadline_ms, kDeadline);
  plot.image().Write(kWidth - kRight + 8, plot.Y(deadline_ms) - 5, "LIMIT", kScale, kDeadline);
  for (const Curve& curve : kCurves) {
    for (size_t i = 0; i < levels.size(); ++i) {
      const int x = plot.X(levels[i].streams), y = plot.Y(levels[i].*curve.value);
      plot.image().Fill(x - 3, y - 3, 7, 7, curve.colour);
      if (i > 0) plot.Line(plot.X(levels[i - 1].streams), plot.Y(levels[i - 1].*curve.value), x, y, curve.colour, 2);
    }
    if (!levels.empty()) {
      plot.image().Write(kWidth - kRight + 8, plot.Y(levels.back().*curve.value) - 5, curve.name, kScale, curve.colour);
    }
  }
  return std::move(plot.image());
}

}  // namespace ddsp::loadtest
