#pragma once

#include <array>
#include <span>

#include "core/features/periodicity.h"
#include "core/features/pitch_grid.h"
#include "core/features/pitch_network.h"

namespace ddsp {

// A view of the sound about an instant: its samples, its middle counted from the instant, the FFT that it is measured
// with, and the lowest pitch that it is asked about.
struct PitchView {
  int size, middle, fft;
  double lowest_hz;

  // Its part of samples whose middle is the instant.
  std::span<const float> Of(std::span<const float> window) const {
    return window.subspan(window.size() / 2 + middle - size / 2, size);
  }

  Periodicity MakePeriodicity(int sample_rate) const {
    return Periodicity(sample_rate, size, fft, PitchGrid::Bin(lowest_hz));
  }
};

// What the network has learned to weigh, at 16 kHz: other views need other weights.
constexpr std::array<PitchView, PitchNetwork::kViews> kPitchViews = {
    {{1024, 0, 2048, 50.0}, {384, 0, 1024, 100.0}, {384, 320, 1024, 100.0}, {256, 384, 1024, 140.0}}};

}  // namespace ddsp
