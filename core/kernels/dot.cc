#include "core/kernels/dot.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dot.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

double Dot(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t size) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  using Vec = hn::Vec<decltype(d)>;
  const int64_t lanes = hn::Lanes(d);
  constexpr int64_t kChains = 4;
  Vec sum[kChains] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  const auto add = [&](int64_t chain, int64_t i) HWY_ATTR {
    const Vec x = hn::PromoteTo(d, hn::LoadU(df, a + i)), y = hn::PromoteTo(d, hn::LoadU(df, b + i));
    sum[chain] = hn::MulAdd(x, y, sum[chain]);
  };
  int64_t i = 0;
  for (; i + kChains * lanes <= size; i += kChains * lanes) {
    for (int64_t chain = 0; chain < kChains; ++chain) add(chain, i + chain * lanes);
  }
  for (; i + lanes <= size; i += lanes) add(0, i);
  double total = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]))));
  for (; i < size; ++i) total += static_cast<double>(a[i]) * b[i];
  return total;
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(Dot);

double Dot(absl::Span<const float> a, absl::Span<const float> b) {
  return HWY_DYNAMIC_DISPATCH(Dot)(a.data(), b.data(), static_cast<int64_t>(a.size()));
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
