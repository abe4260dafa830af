#include "core/kernels/frame_convolution.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/frame_convolution.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kUnroll = 4;  // vectors that share a broadcast

// sums[j] += scales[r * stride] * rows[r + j], j < kVectors * lanes, over `count` rows r: rows overlap, one element on.
template <int kVectors, class D, typename T>
HWY_INLINE void AddShifted(D d, const T* HWY_RESTRICT scales, int64_t count, const T* HWY_RESTRICT rows,
                           T* HWY_RESTRICT sums) {
  const int64_t lanes = hn::Lanes(d);
  hn::Vec<D> sum[kVectors];
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, sums + v * lanes);
  for (int64_t r = 0; r < count; ++r) {
    const auto scale = hn::Set(d, scales[r]);
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(scale, hn::LoadU(d, rows + r + v * lanes), sum[v]);
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, sums + v * lanes);
}

// sums[j] += sum_r scales[r] * rows[r + j], r < count, j < size.
template <typename T>
HWY_INLINE void Correlate(const T* scales, int64_t count, const T* rows, int64_t size, T* sums) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d);
  int64_t j = 0;
  for (; j + kUnroll * lanes <= size; j += kUnroll * lanes) AddShifted<kUnroll>(d, scales, count, rows + j, sums + j);
  for (; j + lanes <= size; j += lanes) AddShifted<1>(d, scales, count, rows + j, sums + j);
  const hn::CappedTag<T, 1> scalar;
  for (; j < size; ++j) AddShifted<1>(scalar, scales, count, rows + j, sums + j);
}

void CorrelateFloat(const float* scales, int64_t count, const float* rows, int64_t size, float* sums) {
  Correlate(scales, count, rows, size, sums);
}
void CorrelateDouble(const double* scales, int64_t count, const double* rows, int64_t size, double* sums) {
  Correlate(scales, count, rows, size, sums);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <vector>

namespace ddsp::kernels {

HWY_EXPORT(CorrelateFloat);
HWY_EXPORT(CorrelateDouble);

namespace {

void Correlate(const float* scales, int64_t count, const float* rows, int64_t size, float* sums) {
  HWY_DYNAMIC_DISPATCH(CorrelateFloat)(scales, count, rows, size, sums);
}
void Correlate(const double* scales, int64_t count, const double* rows, int64_t size, double* sums) {
  HWY_DYNAMIC_DISPATCH(CorrelateDouble)(scales, count, rows, size, sums);
}

}  // namespace

// y[n] = sum_i h[i] x[n - i] is the correlation of the reversed response with the samples among taps - 1 zeros.
template <typename T>
void FrameConvolution::Apply(const T* x, const T* h, T* y) const {
  std::fill_n(y, output_size(), T{0});
  std::vector<T> among_zeros(hop + 2 * (taps - 1)), reversed(taps);
  for (int64_t k = 0; k < frames; ++k) {
    std::copy_n(x + k * hop, hop, among_zeros.begin() + taps - 1);
    std::reverse_copy(h + k * taps, h + (k + 1) * taps, reversed.begin());
    Correlate(reversed.data(), taps, among_zeros.data(), hop + taps - 1, y + k * hop);
  }
}

template <typename T>
void FrameConvolution::ResponseGradient(const T* x, const T* d_y, T* d_h) const {
  std::fill_n(d_h, frames * taps, T{0});
  for (int64_t k = 0; k < frames; ++k) Correlate(x + k * hop, hop, d_y + k * hop, taps, d_h + k * taps);
}

template <typename T>
void FrameConvolution::SignalGradient(const T* h, const T* d_y, T* d_x) const {
  std::fill_n(d_x, frames * hop, T{0});
  for (int64_t k = 0; k < frames; ++k) Correlate(h + k * taps, taps, d_y + k * hop, hop, d_x + k * hop);
}

template void FrameConvolution::Apply(const float*, const float*, float*) const;
template void FrameConvolution::Apply(const double*, const double*, double*) const;
template void FrameConvolution::ResponseGradient(const float*, const float*, float*) const;
template void FrameConvolution::ResponseGradient(const double*, const double*, double*) const;
template void FrameConvolution::SignalGradient(const float*, const float*, float*) const;
template void FrameConvolution::SignalGradient(const double*, const double*, double*) const;

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
