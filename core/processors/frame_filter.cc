#include "core/processors/frame_filter.h"

#include <algorithm>

#include "core/dsp/argument.h"
#include "core/dsp/filter_design.h"

namespace ddsp {
namespace {

using at::Tensor;

int64_t Taps(int64_t bands, int64_t window_size) {
  DDSP_CHECK_ARGUMENT(bands >= 2, "bands are ", bands, ", expected at least two");
  return FrequencyImpulseResponse(at::zeros({bands}), window_size).size(0);
}

// Samples to cut off the start; negative: zeros to put before it.
int64_t Advance(int64_t taps) { return (taps - 1) / 2 - 1; }

// sum[n + i] += x[n] h[i].
void AddConvolution(const float* x, int64_t samples, const float* h, int64_t taps, float* sum) {
  for (int64_t n = 0; n < samples; ++n) {
    const float scale = x[n];
    float* out = sum + n;
    for (int64_t i = 0; i < taps; ++i) out[i] += scale * h[i];
  }
}

void AddConvolution(const Tensor& x, int64_t begin, int64_t end, const Tensor& h, Tensor& sum) {
  for (int64_t row = 0; row < x.size(0); ++row) {
    AddConvolution(x.const_data_ptr<float>() + row * x.size(1) + begin, end - begin,
                   h.const_data_ptr<float>() + row * h.size(1), h.size(1),
                   sum.data_ptr<float>() + row * sum.size(1) + begin);
  }
}

}  // namespace

FrameFilter::FrameFilter(const StreamLayout& layout, int64_t bands, int64_t window_size)
    : hop_(layout.hop),
      bands_(bands),
      window_size_(window_size),
      taps_(Taps(bands, window_size)),
      skip_(std::max<int64_t>(0, Advance(taps_))),
      ringing_(at::zeros({layout.batch, taps_ - 1})) {}

int64_t FrameFilter::Latency(int64_t bands, int64_t window_size) {
  return std::max<int64_t>(0, Advance(Taps(bands, window_size)));
}

at::Tensor FrameFilter::Filter(const Tensor& samples, const Tensor& magnitudes, int64_t position) {
  const int64_t count = samples.size(1);
  if (count == 0) return {};
  const Tensor x = samples.contiguous();
  Tensor responses;
  if (magnitudes.size(1) > 0) {
    DDSP_CHECK_ARGUMENT(magnitudes.size(2) == bands_, "magnitudes have ", magnitudes.size(2), " bands, expected ",
                        bands_);
    responses = FrequencyImpulseResponse(magnitudes, window_size_);
  }
  Tensor sum = at::cat({ringing_, at::zeros({x.size(0), count})}, 1);
  int64_t frame = 0;
  for (int64_t begin = 0; begin < count;) {
    const int64_t in_frame = (position + begin) % hop_, end = std::min(count, begin + hop_ - in_frame);
    if (in_frame == 0) response_ = responses.select(1, frame++).contiguous();
    AddConvolution(x, begin, end, response_, sum);
    begin = end;
  }
  ringing_ = sum.narrow(1, count, taps_ - 1);
  const int64_t cut = std::min(skip_, count);
  skip_ -= cut;
  Tensor known = sum.narrow(1, cut, count - cut);
  if (position == 0 && Advance(taps_) < 0) known = at::constant_pad_nd(known, {-Advance(taps_), 0});
  return known;
}

at::Tensor FrameFilter::Drain() const {
  const int64_t latency = std::max<int64_t>(0, Advance(taps_));
  return ringing_.narrow(1, skip_, latency - skip_);
}

}  // namespace ddsp
