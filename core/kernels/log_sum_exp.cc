#include "core/kernels/log_sum_exp.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/log_sum_exp.cc"
// foreach_target must come first.
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/kernels/float_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

float LogSumExp(const float* HWY_RESTRICT x, int64_t size) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const int64_t lanes = hn::Lanes(d);
  auto highest = hn::Set(d, x[0]);
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes) highest = hn::Max(highest, hn::LoadU(d, x + i));
  float largest = hn::GetLane(hn::MaxOfLanes(d, highest));
  for (; i < size; ++i) largest = std::max(largest, x[i]);

  const auto term = [&](auto tag, int64_t at) HWY_ATTR {
    return ExpOf(tag, hn::Sub(hn::LoadU(tag, x + at), hn::Set(tag, largest)), hn::Zero(tag));
  };
  auto sum = hn::Zero(d);
  for (i = 0; i + lanes <= size; i += lanes) sum = hn::Add(sum, term(d, i));
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < size; ++i) total += hn::GetLane(term(one, i));
  return largest + std::log(total);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(LogSumExp);

float LogSumExp(absl::Span<const float> x) {
  return HWY_DYNAMIC_DISPATCH(LogSumExp)(x.data(), static_cast<int64_t>(x.size()));
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
