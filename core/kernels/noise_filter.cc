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

// y[n] += sum_i a[i] x[i * x_step + n] for kVectors vectors of n. Both products of the filter have this form.
template <int kVectors>
HWY_INLINE void AddWeighted(const float* HWY_RESTRICT a, int count, const float* HWY_RESTRICT x, int x_step,
                            float* HWY_RESTRICT y) {
  const Floats d;
  Vec sum[kVectors];
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, y + v * kLanes);
  for (int i = 0; i < count; ++i) {
    const Vec weight = hn::Set(d, a[i]);
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(weight, hn::LoadU(d, x + i * x_step + v * kLanes), sum[v]);
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, y + v * kLanes);
}

// The same for n < size, a multiple of kPadding. 8 sums at a time hide the latency of a multiply-add.
void WeightedSums(const float* HWY_RESTRICT a, int count, const float* HWY_RESTRICT x, int x_step, int size,
                  float* HWY_RESTRICT y) {
  int n = 0;
  for (; n + 8 * kLanes <= size; n += 8 * kLanes) AddWeighted<8>(a, count, x + n, x_step, y + n);
  for (; n + 2 * kLanes <= size; n += 2 * kLanes) AddWeighted<2>(a, count, x + n, x_step, y + n);
  for (; n < size; n += kLanes) AddWeighted<1>(a, count, x + n, x_step, y + n);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(WeightedSums);

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

int NoiseFilter::scratch_size() const {
  return Padded(taps()) + Padded(hop_ + taps()) + taps() + state_size() + hop_ + 2 * kPadding;
}

void NoiseFilter::ImpulseResponse(const float* magnitudes, float* impulse_response) const {
  std::fill_n(impulse_response, Padded(taps()), 0.0f);
  HWY_DYNAMIC_DISPATCH(WeightedSums)
  (magnitudes, bands_, matrix_.data(), Padded(taps()), Padded(taps()), impulse_response);
}

void NoiseFilter::Step(const float* magnitudes, const float* noise, float* state, float* out, float* scratch) const {
  const int tail = taps() - 1, length = hop_ + tail;  // samples that this hop's noise becomes
  float* impulse_response = scratch;
  float* padded_noise = impulse_response + Padded(taps());  // sample n at padded_noise[tail + n], zeros around
  float* stream = padded_noise + Padded(length) + tail;     // of convolutions, from the first sample of `out` on
  ImpulseResponse(magnitudes, impulse_response);
  std::reverse(impulse_response, impulse_response + taps());
  std::fill_n(padded_noise, Padded(length) + tail, 0.0f);
  std::copy_n(noise, hop_, padded_noise + tail);
  std::copy_n(state, state_size(), stream);
  std::fill_n(stream + state_size(), hop_ + kPadding, 0.0f);
  HWY_DYNAMIC_DISPATCH(WeightedSums)
  (impulse_response, taps(), padded_noise, 1, Padded(length), stream + hop_ - delay());
  std::copy_n(stream, hop_, out);
  std::copy_n(stream + hop_, state_size(), state);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
