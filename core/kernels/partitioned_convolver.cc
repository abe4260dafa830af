#include "core/kernels/partitioned_convolver.h"

#include <algorithm>
#include <vector>

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/partitioned_convolver.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, PartitionedConvolver::kPadding>;
using Vec = hn::Vec<Floats>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));

// sum[k] = sum over `count` partitions of x[p][k] g[p][k] (complex), for kVectors vectors of k; a partition is [2 (re,
// im), stride].
template <int kVectors>
HWY_INLINE void MultiplyBins(const float* HWY_RESTRICT x, const float* HWY_RESTRICT g, int count, int stride,
                             float* HWY_RESTRICT sum) {
  const Floats d;
  // Products of a complex number apart, so that every multiply-add has its own chain.
  Vec re[kVectors], im[kVectors], re_minus[kVectors], im_cross[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    re[v] = hn::LoadU(d, sum + v * kLanes);
    im[v] = hn::LoadU(d, sum + stride + v * kLanes);
    re_minus[v] = im_cross[v] = hn::Zero(d);
  }
  for (int p = 0; p < count; ++p, x += 2 * stride, g += 2 * stride) {
    for (int v = 0; v < kVectors; ++v) {
      const Vec xr = hn::LoadU(d, x + v * kLanes), xi = hn::LoadU(d, x + stride + v * kLanes);
      const Vec gr = hn::LoadU(d, g + v * kLanes), gi = hn::LoadU(d, g + stride + v * kLanes);
      re[v] = hn::MulAdd(xr, gr, re[v]);
      re_minus[v] = hn::MulAdd(xi, gi, re_minus[v]);
      im[v] = hn::MulAdd(xr, gi, im[v]);
      im_cross[v] = hn::MulAdd(xi, gr, im_cross[v]);
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(hn::Sub(re[v], re_minus[v]), d, sum + v * kLanes);
    hn::StoreU(hn::Add(im[v], im_cross[v]), d, sum + stride + v * kLanes);
  }
}

void MultiplyPartitions(const float* x, const float* g, int count, int stride, float* sum) {
  int k = 0;
  for (; k + 4 * kLanes <= stride; k += 4 * kLanes) MultiplyBins<4>(x + k, g + k, count, stride, sum + k);
  for (; k < stride; k += kLanes) MultiplyBins<1>(x + k, g + k, count, stride, sum + k);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(MultiplyPartitions);

PartitionedConvolver::PartitionedConvolver(absl::Span<const float> impulse_response, int block, ConvolverOutput output)
    : block_(block), taps_(impulse_response.size()), output_(output), fft_(2 * block) {
  DDSP_CHECK(!impulse_response.empty(), "an impulse response has at least one tap");
  partitions_ = static_cast<int>((taps_ + block - 1) / block);
  stride_ = (fft_.bins() + kPadding - 1) / kPadding * kPadding;
  spectra_ = hwy::AllocateAligned<float>(static_cast<size_t>(partitions_) * 2 * stride_);
  std::fill_n(spectra_.get(), static_cast<size_t>(partitions_) * 2 * stride_, 0.0f);
  std::vector<float> padded(2 * block), scratch(fft_.scratch_size());
  for (int p = 0; p < partitions_; ++p) {
    const auto part = impulse_response.subspan(static_cast<size_t>(p) * block, block);
    std::fill(std::copy(part.begin(), part.end(), padded.begin()), padded.end(), 0.0f);
    float* spectrum = spectra_.get() + static_cast<size_t>(p) * 2 * stride_;
    fft_.Forward(padded.data(), spectrum, spectrum + stride_, scratch.data());
  }
}

int64_t PartitionedConvolver::state_size() const {
  return 1 + block_ + static_cast<int64_t>(partitions_) * 2 * stride_;
}

int64_t PartitionedConvolver::scratch_size() const { return 2 * stride_ + 2 * block_ + fft_.scratch_size(); }

void PartitionedConvolver::Step(const float* in, float* state, float* out, float* scratch) const {
  // The newest spectrum lies at `newest`, older ones follow it round the ring.
  const int newest = static_cast<int>(state[0]);
  float* previous = state + 1;
  float* ring = previous + block_;
  float* sum = scratch;
  float* samples = sum + 2 * stride_;
  float* fft_scratch = samples + 2 * block_;

  std::copy_n(previous, block_, samples);
  std::copy_n(in, block_, samples + block_);
  std::copy_n(in, block_, previous);
  float* spectrum = ring + static_cast<size_t>(newest) * 2 * stride_;
  fft_.Forward(samples, spectrum, spectrum + stride_, fft_scratch);

  std::fill_n(sum, 2 * stride_, 0.0f);
  const int until_end = partitions_ - newest;
  HWY_DYNAMIC_DISPATCH(MultiplyPartitions)(spectrum, spectra_.get(), until_end, stride_, sum);
  HWY_DYNAMIC_DISPATCH(MultiplyPartitions)
  (ring, spectra_.get() + static_cast<size_t>(until_end) * 2 * stride_, newest, stride_, sum);
  fft_.Inverse(sum, sum + stride_, samples, fft_scratch);

  // The first half of the block pair wraps round; the second is the convolution.
  const float* wet = samples + block_;
  if (output_ == ConvolverOutput::kWet) {
    std::copy_n(wet, block_, out);
  } else {
    std::transform(wet, wet + block_, previous, out, [](float w, float dry) { return dry + w; });
  }
  state[0] = static_cast<float>(newest == 0 ? partitions_ - 1 : newest - 1);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
