#include "core/kernels/layer_norm.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/layer_norm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vec = hn::Vec<Floats>;

// Sum over i of term(x[i]), by whole vectors, then one by one.
template <class Term>
HWY_INLINE float Sum(const float* HWY_RESTRICT x, int64_t width, Term term) {
  const Floats d;
  const hn::CappedTag<float, 1> d1;
  const int64_t lanes = hn::Lanes(d);
  Vec even = hn::Zero(d), odd = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= width; i += 2 * lanes) {
    even = hn::Add(even, term(d, hn::LoadU(d, x + i)));
    odd = hn::Add(odd, term(d, hn::LoadU(d, x + i + lanes)));
  }
  for (; i + lanes <= width; i += lanes) even = hn::Add(even, term(d, hn::LoadU(d, x + i)));
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
  for (; i < width; ++i) sum += hn::GetLane(term(d1, hn::LoadU(d1, x + i)));
  return sum;
}

void LayerNormRow(const float* x, int64_t width, const float* HWY_RESTRICT gamma, const float* HWY_RESTRICT beta,
                  float* y) {
  const float mean = Sum(x, width, [](auto, auto v) HWY_ATTR { return v; }) / width;
  const float variance = Sum(x, width,
                             [mean](auto d, auto v) HWY_ATTR {
                               const auto centred = hn::Sub(v, hn::Set(d, mean));
                               return hn::Mul(centred, centred);
                             }) /
                         width;
  const float scale = 1.0f / std::sqrt(variance + 1e-3f);
  const auto normalise = [&](auto d, int64_t i) HWY_ATTR {
    const auto centred = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, scale));
    const auto v = hn::MulAdd(centred, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i));
    hn::StoreU(hn::Max(v, hn::Mul(v, hn::Set(d, 0.2f))), d, y + i);
  };
  const Floats d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= width; i += lanes) normalise(d, i);
  for (; i < width; ++i) normalise(hn::CappedTag<float, 1>(), i);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(LayerNormRow);

void LayerNormLeakyRelu(const float* x, int64_t rows, int64_t width, const float* gamma, const float* beta, float* y,
                        int64_t y_stride) {
  for (int64_t r = 0; r < rows; ++r)
    HWY_DYNAMIC_DISPATCH(LayerNormRow)(x + r * width, width, gamma, beta, y + r * y_stride);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
