#include "core/kernels/power_roots.h"

#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/power_roots.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using One = hn::CappedTag<float, 1>;

// Calls function(d, k) for whole vectors, then for single elements.
template <class Function>
HWY_INLINE void ForEachVector(int64_t size, Function function) {
  const Floats d;
  const int64_t lanes = hn::Lanes(d);
  int64_t k = 0;
  for (; k + lanes <= size; k += lanes) function(d, k);
  for (; k < size; ++k) function(One(), k);
}

template <class V>
HWY_INLINE V EighthRoot(V x) {
  return hn::Sqrt(hn::Sqrt(hn::Sqrt(x)));
}

HWY_INLINE float Largest(const float* HWY_RESTRICT x, int64_t size) {
  const Floats d;
  hn::Vec<Floats> vector = hn::Zero(d);
  hn::Vec<One> single = hn::Zero(One());
  ForEachVector(size, [&](auto tag, int64_t k) HWY_ATTR {
    if constexpr (hn::MaxLanes(tag) > 1)
      vector = hn::Max(vector, hn::LoadU(tag, x + k));
    else
      single = hn::Max(single, hn::LoadU(tag, x + k));
  });
  return hn::GetLane(hn::Max(single, hn::Set(One(), hn::GetLane(hn::MaxOfLanes(d, vector)))));
}

void CompressSpectrum(const float* HWY_RESTRICT power, int64_t size, float least, float share,
                      float* HWY_RESTRICT out) {
  const float floor = least + share * Largest(power, size);
  const float root = hn::GetLane(EighthRoot(hn::Set(One(), floor)));
  hn::Vec<Floats> vector_sum = hn::Zero(Floats());
  hn::Vec<One> single_sum = hn::Zero(One());
  ForEachVector(size, [&](auto d, int64_t k) HWY_ATTR {
    const auto raised = hn::Add(hn::LoadU(d, power + k), hn::Set(d, floor));
    const auto r = hn::Sub(EighthRoot(raised), hn::Set(d, root));
    hn::StoreU(r, d, out + k);
    if constexpr (hn::MaxLanes(d) > 1)
      vector_sum = hn::MulAdd(r, r, vector_sum);
    else
      single_sum = hn::MulAdd(r, r, single_sum);
  });
  const float norm = hn::GetLane(single_sum) + hn::GetLane(hn::SumOfLanes(Floats(), vector_sum)) + 1e-9f;
  const float scale = 1.0f / std::sqrt(norm);
  ForEachVector(size, [&](auto d, int64_t k)
                          HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, out + k), hn::Set(d, scale)), d, out + k); });
}

void ThreeQuarterPowers(const float* HWY_RESTRICT power, int64_t size, float* HWY_RESTRICT out) {
  ForEachVector(size, [&](auto d, int64_t k) HWY_ATTR {
    const auto x = hn::LoadU(d, power + k);
    hn::StoreU(hn::Sqrt(hn::Mul(x, hn::Sqrt(x))), d, out + k);
  });
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(CompressSpectrum);
HWY_EXPORT(ThreeQuarterPowers);

void CompressSpectrum(absl::Span<const float> power, float least, float share, float* out) {
  HWY_DYNAMIC_DISPATCH(CompressSpectrum)(power.data(), static_cast<int64_t>(power.size()), least, share, out);
}

void ThreeQuarterPowers(absl::Span<const float> power, float* out) {
  HWY_DYNAMIC_DISPATCH(ThreeQuarterPowers)(power.data(), static_cast<int64_t>(power.size()), out);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
