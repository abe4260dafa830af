#include "core/features/real_fft.h"

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace ddsp {

PowerSpectrum::PowerSpectrum(int size) : size_(size), cosine_(size / 2), sine_(size / 2) {
  for (int i = 0; i < size / 2; ++i) {
    cosine_[i] = static_cast<float>(std::cos(2.0 * std::numbers::pi * i / size));
    sine_[i] = static_cast<float>(-std::sin(2.0 * std::numbers::pi * i / size));
  }
}

void PowerSpectrum::Compute(std::span<const float> frame, std::span<float> power) const {
  // Even samples are the real part and odd ones the imaginary part of one complex transform of half the size (Stockham).
  const int n = size_ / 2;
  std::array<float, kMaxSize / 2> re_a, im_a, re_b, im_b;
  float *xr = re_a.data(), *xi = im_a.data(), *yr = re_b.data(), *yi = im_b.data();
  for (int i = 0; i < n; ++i) {
    xr[i] = frame[2 * i];
    xi[i] = frame[2 * i + 1];
  }
  for (int m = n / 2, s = 1; m >= 1; m /= 2, s *= 2) {
    for (int p = 0; p < m; ++p) {
      const float wr = cosine_[2 * p * s], wi = sine_[2 * p * s];
      for (int q = 0; q < s; ++q) {
        const float ar = xr[q + s * p], ai = xi[q + s * p];
        const float br = xr[q + s * (p + m)], bi = xi[q + s * (p + m)];
        const float dr = ar - br, di = ai - bi;
        yr[q + s * 2 * p] = ar + br;
        yi[q + s * 2 * p] = ai + bi;
        yr[q + s * (2 * p + 1)] = dr * wr - di * wi;
        yi[q + s * (2 * p + 1)] = dr * wi + di * wr;
      }
    }
    std::swap(xr, yr);
    std::swap(xi, yi);
  }
  power[0] = (xr[0] + xi[0]) * (xr[0] + xi[0]);
  power[n] = (xr[0] - xi[0]) * (xr[0] - xi[0]);
  for (int k = 1; k < n; ++k) {
    const float er = 0.5f * (xr[k] + xr[n - k]), ei = 0.5f * (xi[k] - xi[n - k]);
    const float or_ = 0.5f * (xi[k] + xi[n - k]), oi = -0.5f * (xr[k] - xr[n - k]);
    const float re = er + or_ * cosine_[k] - oi * sine_[k];
    const float im = ei + or_ * sine_[k] + oi * cosine_[k];
    power[k] = re * re + im * im;
  }
}

}  // namespace ddsp
