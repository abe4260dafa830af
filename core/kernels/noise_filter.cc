#include "core/kernels/noise_filter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/noise_filter.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, NoiseFilter::kPadding>;
using Vec = hn::Vec<Floats>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));

// y += sum_i weights[i] rows[i], for kVectors vectors of a row.
template <int kVectors>
HWY_INLINE void AddWeighted(const float* HWY_RESTRICT weights, int count, const float* HWY_RESTRICT rows, int stride,
                            float* HWY_RESTRICT y) {
  const Floats d;
  Vec sum[kVectors];
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, y + v * kLanes);
  for (int i = 0; i < count; ++i) {
    const Vec weight = hn::Set(d, weights[i]);
    for (int v = 0; v < kVectors; ++v) {
      sum[v] = hn::MulAdd(weight, hn::LoadU(d, rows + i * stride + v * kLanes), sum[v]);
    }
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, y + v * kLanes);
}

// y [stride] += weights [count] times the matrix rows [count, stride]; stride is a multiple of kPadding. 8 sums at a
// time hide the latency of a multiply-add.
void AddWeightedRows(const float* weights, int count, const float* rows, int stride, float* y) {
  int n = 0;
  for (; n + 8 * kLanes <= stride; n += 8 * kLanes) AddWeighted<8>(weights, count, rows + n, stride, y + n);
  for (; n + 2 * kLanes <= stride; n += 2 * kLanes) AddWeighted<2>(weights, count, rows + n, stride, y + n);
  for (; n < stride; n += kLanes) AddWeighted<1>(weights, count, rows + n, stride, y + n);
}

// y[n] += sum_i taps[i] x[n - i], n < size; count and size are multiples of kPadding, x reaches back to x[-count].
//
// Taps that lie whole vectors apart meet the same loads of x, so 4 of them are taken together: 4 multiply-adds for one
// unaligned load, one load and one store of y. One tap at a time is bound by its unaligned load, 2.5 times slower.
void Convolve(const float* HWY_RESTRICT taps, int count, const float* HWY_RESTRICT x, int size, float* HWY_RESTRICT y) {
  constexpr int kTaps = 4;
  const Floats d;
  for (int first = 0; first < count; first += kTaps * kLanes) {
    for (int i = first; i < first + kLanes; ++i) {
      Vec tap[kTaps], window[kTaps];  // window: x under tap j at vector v - j of the output, in a ring
      for (int j = 0; j < kTaps; ++j) {
        const bool exists = i + j * kLanes < count;
        tap[j] = exists ? hn::Set(d, taps[i + j * kLanes]) : hn::Zero(d);
        window[(kTaps - j) % kTaps] = exists ? hn::LoadU(d, x - i - j * kLanes) : hn::Zero(d);
      }
      const auto step = [&](int n, int v) HWY_ATTR {
        window[v] = hn::LoadU(d, x + n + v * kLanes - i);
        Vec sum = hn::LoadU(d, y + n + v * kLanes);
        for (int j = 0; j < kTaps; ++j) sum = hn::MulAdd(tap[j], window[(v - j + kTaps) % kTaps], sum);
        hn::StoreU(sum, d, y + n + v * kLanes);
      };
      int n = 0;
      for (; n + kTaps * kLanes <= size; n += kTaps * kLanes) {
        for (int v = 0; v < kTaps; ++v) step(n, v);
      }
      for (int v = 0; v < kTaps && n + v * kLanes < size; ++v) step(n, v);
    }
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(AddWeightedRows);
HWY_EXPORT(Convolve);

namespace {

int Padded(int size) { return (size + NoiseFilter::kPadding - 1) / NoiseFilter::kPadding * NoiseFilter::kPadding; }

}  // namespace

NoiseFilter::NoiseFilter(int bands, int hop) : bands_(bands), hop_(hop) {
  DDSP_CHECK(bands >= 3, "a noise filter has 3 bands or more");
  DDSP_CHECK(hop >= delay(), "a hop covers the delay that the noise filter compensates");
  const int size = taps();
  matrix_.resize(bands * Padded(size));
  for (int k = 0; k < bands; ++k) {
    const double share = (k == 0 || k == bands - 1 ? 1.0 : 2.0) / size;  // inner bins stand for two of the spectrum
    for (int i = 0; i < size; ++i) {
      const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / size);
      matrix_[k * Padded(size) + i] = window * share * std::cos(2 * std::numbers::pi * k * (i - size / 2) / size);
    }
  }
}

int NoiseFilter::scratch_size() const { return 3 * Padded(taps()) + hop_ + kPadding + state_size() + hop_ + kPadding; }

void NoiseFilter::ImpulseResponse(const float* magnitudes, float* impulse_response) const {
  std::fill_n(impulse_response, Padded(taps()), 0.0f);
  HWY_DYNAMIC_DISPATCH(AddWeightedRows)(magnitudes, bands_, matrix_.data(), Padded(taps()), impulse_response);
}

void NoiseFilter::Step(const float* magnitudes, const float* noise, float* state, float* out, float* scratch) const {
  const int padded_taps = Padded(taps());
  const int length = Padded(hop_ + taps() - 1);  // samples that this hop's noise becomes
  float* impulse_response = scratch;
  float* start = impulse_response + padded_taps + padded_taps;  // of the noise among zeros
  float* stream = start + length;                               // of convolutions, from the first sample of `out` on
  ImpulseResponse(magnitudes, impulse_response);
  std::fill_n(start - padded_taps, padded_taps, 0.0f);
  std::copy_n(noise, hop_, start);
  std::fill_n(start + hop_, length - hop_, 0.0f);
  std::copy_n(state, state_size(), stream);
  std::fill_n(stream + state_size(), hop_ + kPadding, 0.0f);
  HWY_DYNAMIC_DISPATCH(Convolve)(impulse_response, padded_taps, start, length, stream + hop_ - delay());
  std::copy_n(stream, hop_, out);
  std::copy_n(stream + hop_, state_size(), state);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
