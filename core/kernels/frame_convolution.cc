#include "core/kernels/frame_convolution.h"

#include <algorithm>

// What is shared by the targets.
#ifndef DDSP_CORE_KERNELS_FRAME_CONVOLUTION_BLOCK_
#define DDSP_CORE_KERNELS_FRAME_CONVOLUTION_BLOCK_
namespace ddsp::kernels {

constexpr int64_t kBlock = 64;  // sums that are made at once; a rest is made in a whole block too

}  // namespace ddsp::kernels
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/frame_convolution.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// sums[j] = sum_r scales[r] * rows[r + j], r < count, j < kBlock: rows overlap, one element on. Every sum is a chain of
// its own, so that additions do not wait for each other.
template <class D, typename T>
HWY_INLINE void CorrelateBlock(D d, const T* HWY_RESTRICT scales, int64_t count, const T* HWY_RESTRICT rows,
                               T* HWY_RESTRICT sums) {
  constexpr int64_t kLanes = hn::MaxLanes(D()), kVectors = std::min<int64_t>(8, kBlock / kLanes);
  for (int64_t j = 0; j < kBlock; j += kVectors * kLanes) {
    hn::Vec<D> sum[kVectors];
    for (int64_t v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
    for (int64_t r = 0; r < count; ++r) {
      const auto scale = hn::Set(d, scales[r]);
      for (int64_t v = 0; v < kVectors; ++v) {
        sum[v] = hn::MulAdd(scale, hn::LoadU(d, rows + r + j + v * kLanes), sum[v]);
      }
    }
    for (int64_t v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, sums + j + v * kLanes);
  }
}

// The same for j < size, a multiple of kBlock.
template <typename T>
HWY_INLINE void Correlate(const T* scales, int64_t count, const T* rows, int64_t size, T* sums) {
  const hn::CappedTag<T, 16> d;
  for (int64_t j = 0; j < size; j += kBlock) CorrelateBlock(d, scales, count, rows + j, sums + j);
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

#include "core/base/integer.h"

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

int64_t WholeBlocks(int64_t size) { return CeilDiv(size, kBlock) * kBlock; }

// Convolutions of one size, in buffers of their own.
template <typename T>
class Convolver {
 public:
  // 0 < few <= many
  Convolver(int64_t few, int64_t many)
      : few_(few),
        many_(many),
        reversed_(few),
        among_zeros_(few - 1 + WholeBlocks(size()) + few),
        sums_(WholeBlocks(size())) {}

  int64_t size() const { return few_ + many_ - 1; }

  // y[n] += sum_i a[i] b[n - i]: the correlation of reversed `a` with `b` among few - 1 zeros.
  void Add(const T* a, const T* b, T* y) {
    std::reverse_copy(a, a + few_, reversed_.begin());
    std::copy_n(b, many_, among_zeros_.begin() + few_ - 1);
    Correlate(reversed_.data(), few_, among_zeros_.data(), static_cast<int64_t>(sums_.size()), sums_.data());
    for (int64_t n = 0; n < size(); ++n) y[n] += sums_[n];
  }

 private:
  const int64_t few_, many_;
  std::vector<T> reversed_, among_zeros_, sums_;
};

// Correlations with rows of one size, in buffers of their own.
template <typename T>
class Correlator {
 public:
  Correlator(int64_t count, int64_t size)
      : count_(count), size_(size), rows_(WholeBlocks(size) + count), sums_(WholeBlocks(size)) {}

  // out[j] = sum_r scales[r] rows[r + j], r < count, j < size.
  void Run(const T* scales, const T* rows, T* out) {
    std::copy_n(rows, count_ + size_ - 1, rows_.begin());
    Correlate(scales, count_, rows_.data(), static_cast<int64_t>(sums_.size()), sums_.data());
    std::copy_n(sums_.begin(), size_, out);
  }

 private:
  const int64_t count_, size_;
  std::vector<T> rows_, sums_;
};

}  // namespace

template <typename T>
void FrameConvolution::Apply(const T* x, const T* h, T* y) const {
  std::fill_n(y, output_size(), T{0});
  Convolver<T> convolver(std::min(hop, taps), std::max(hop, taps));
  for (int64_t k = 0; k < frames; ++k) {
    const T *samples = x + k * hop, *response = h + k * taps;
    hop < taps ? convolver.Add(samples, response, y + k * hop) : convolver.Add(response, samples, y + k * hop);
  }
}

template <typename T>
void FrameConvolution::ResponseGradient(const T* x, const T* d_y, T* d_h) const {
  Correlator<T> correlator(hop, taps);
  for (int64_t k = 0; k < frames; ++k) correlator.Run(x + k * hop, d_y + k * hop, d_h + k * taps);
}

template <typename T>
void FrameConvolution::SignalGradient(const T* h, const T* d_y, T* d_x) const {
  Correlator<T> correlator(taps, hop);
  for (int64_t k = 0; k < frames; ++k) correlator.Run(h + k * taps, d_y + k * hop, d_x + k * hop);
}

template void FrameConvolution::Apply(const float*, const float*, float*) const;
template void FrameConvolution::Apply(const double*, const double*, double*) const;
template void FrameConvolution::ResponseGradient(const float*, const float*, float*) const;
template void FrameConvolution::ResponseGradient(const double*, const double*, double*) const;
template void FrameConvolution::SignalGradient(const float*, const float*, float*) const;
template void FrameConvolution::SignalGradient(const double*, const double*, double*) const;

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
