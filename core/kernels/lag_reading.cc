#include "core/kernels/lag_reading.h"

#include <algorithm>
#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/lag_reading.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Four = hn::CappedTag<float, 4>;
using Vec4 = hn::Vec<Four>;

HWY_INLINE Vec4 Weighted(const LagTap& tap, const float* HWY_RESTRICT x) {
  const Four d;
  return hn::Mul(hn::LoadU(d, x + tap.lag), hn::LoadU(d, tap.weight));
}

// [sum of lanes of a, of b, of c, of e].
HWY_INLINE Vec4 SumsOf(Vec4 a, Vec4 b, Vec4 c, Vec4 e) {
  const Four d;
  const Vec4 ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const Vec4 ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  return hn::Add(hn::ConcatLowerLower(d, ce, ab), hn::ConcatUpperUpper(d, ce, ab));
}

HWY_INLINE Vec4 StandingOut(Vec4 value, Vec4 lowest) {
  const Vec4 above = hn::Sub(value, lowest);
  return hn::Min(value, hn::Add(above, above));
}

void ReadLags(const LagTap* HWY_RESTRICT taps, int64_t count, const float* HWY_RESTRICT x,
              const float* HWY_RESTRICT lowest, float* HWY_RESTRICT out) {
  const Four d;
  const auto lowest_at = [&](int64_t i) HWY_ATTR { return hn::Set(d, lowest[taps[i].lag + 1]); };
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const Vec4 value =
        SumsOf(Weighted(taps[i], x), Weighted(taps[i + 1], x), Weighted(taps[i + 2], x), Weighted(taps[i + 3], x));
    const Vec4 before = hn::ConcatLowerLower(d, hn::InterleaveLower(d, lowest_at(i + 2), lowest_at(i + 3)),
                                             hn::InterleaveLower(d, lowest_at(i), lowest_at(i + 1)));
    hn::StoreU(StandingOut(value, before), d, out + i);
  }
  for (; i < count; ++i) {
    const Vec4 products = Weighted(taps[i], x);
    out[i] = hn::GetLane(StandingOut(SumsOf(products, products, products, products), lowest_at(i)));
  }
}

void RunningMinimum(const float* HWY_RESTRICT x, int64_t size, float* HWY_RESTRICT out) {
  const Four d;
  const Vec4 first = hn::Set(d, x[0]);
  Vec4 lowest = first;
  int64_t i = 0;
  for (; i + 4 <= size; i += 4) {
    Vec4 v = hn::Min(hn::LoadU(d, x + i), first);
    // What is shifted in counts as x[0], which is at least the result everywhere.
    v = hn::Min(v, hn::CombineShiftRightBytes<12>(d, v, first));
    v = hn::Min(v, hn::CombineShiftRightBytes<8>(d, v, first));
    hn::StoreU(hn::Min(v, lowest), d, out + i);
    lowest = hn::Min(lowest, hn::Broadcast<3>(v));
  }
  float last = hn::GetLane(lowest);
  for (; i < size; ++i) out[i] = last = std::min(last, x[i]);
}

int FindPeaks(const float* HWY_RESTRICT x, int64_t size, int64_t first, int* HWY_RESTRICT peaks) {
  const hn::CappedTag<float, 16> d;
  const int64_t lanes = hn::Lanes(d);
  int count = 0;
  int64_t i = first;
  for (; i + lanes < size; i += lanes) {
    const auto a = hn::LoadU(d, x + i - 1), b = hn::LoadU(d, x + i), c = hn::LoadU(d, x + i + 1);
    const auto peak = hn::And(hn::Gt(b, hn::Zero(d)), hn::And(hn::Ge(b, a), hn::Gt(b, c)));
    uint8_t bytes[8] = {};
    hn::StoreMaskBits(d, peak, bytes);
    for (uint32_t bits = bytes[0] | bytes[1] << 8; bits != 0; bits &= bits - 1) {
      peaks[count++] = static_cast<int>(i) + std::countr_zero(bits);
    }
  }
  for (; i + 1 < size; ++i) {
    if (x[i] > 0 && x[i] >= x[i - 1] && x[i] > x[i + 1]) peaks[count++] = static_cast<int>(i);
  }
  return count;
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(ReadLags);
HWY_EXPORT(RunningMinimum);
HWY_EXPORT(FindPeaks);

void ReadLags(absl::Span<const LagTap> taps, const float* x, const float* lowest, float* out) {
  HWY_DYNAMIC_DISPATCH(ReadLags)(taps.data(), static_cast<int64_t>(taps.size()), x, lowest, out);
}

void RunningMinimum(absl::Span<const float> x, float* out) {
  HWY_DYNAMIC_DISPATCH(RunningMinimum)(x.data(), static_cast<int64_t>(x.size()), out);
}

int FindPeaks(absl::Span<const float> x, int first, int* peaks) {
  return HWY_DYNAMIC_DISPATCH(FindPeaks)(x.data(), static_cast<int64_t>(x.size()), first, peaks);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
