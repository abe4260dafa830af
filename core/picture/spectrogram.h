// Pictures of sound: time to the right, frequency upwards, level as colour.
#pragma once

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/picture/image.h"

namespace ddsp {

enum class FrequencyAxis { kLinear, kLogarithmic };

struct SpectrogramPanel {
  std::string title;
  std::vector<float> audio;  // at SpectrogramOptions::sample_rate
};

struct SpectrogramOptions {
  int sample_rate = 16000;  // Hz; the picture goes up to half of it
  FrequencyAxis scale = FrequencyAxis::kLinear;
  double range_db = 80;                      // below the loudest point of all panels
  int plot_width = 1200, plot_height = 320;  // pixels of one panel
};

// One panel above the other, all over the same time and the same range of levels.
Image DrawSpectrograms(absl::Span<const SpectrogramPanel> panels, const SpectrogramOptions& options);

// Level in dB re full scale of each (column, row): columns are evenly spaced instants, rows the frequencies from the
// lowest up. [columns][rows].
std::vector<std::vector<float>> SpectrogramLevels(absl::Span<const float> audio, int columns, int rows, double seconds,
                                                  const SpectrogramOptions& options);

}  // namespace ddsp
