#include "core/kernels/noise.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/noise.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Words =
    hn::ScalableTag<uint64_t>;  // one 32-bit word in the lower half of each lane; the upper half does not matter
using Word = hn::Vec<Words>;

// One counter block per lane: block numbers first, first + 1, ...; writes 4 samples for each.
HWY_INLINE void PhiloxBlocks(uint64_t seed, uint64_t first, float* HWY_RESTRICT out) {
  const Words d;
  const hn::Repartition<uint32_t, Words> d32;
  const auto mul_even = [&](Word a, Word b) HWY_ATTR { return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b)); };

  const Word block = hn::Add(hn::Set(d, first), hn::Iota(d, 0));
  Word c0 = block, c1 = hn::ShiftRight<32>(block), c2 = hn::Zero(d), c3 = hn::Zero(d);
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  const Word m0 = hn::Set(d, 0xD2511F53u), m1 = hn::Set(d, 0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    const Word p0 = mul_even(c0, m0), p1 = mul_even(c2, m1);
    c0 = hn::Xor(hn::ShiftRight<32>(p1), hn::Xor(c1, hn::Set(d, uint64_t{k0})));
    c1 = p1;
    c2 = hn::Xor(hn::ShiftRight<32>(p0), hn::Xor(c3, hn::Set(d, uint64_t{k1})));
    c3 = p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }

  const hn::RebindToSigned<decltype(d32)> di;
  const hn::RebindToFloat<decltype(d32)> df;
  const Word low = hn::Set(d, 0xFFFFFFFFu);
  const Word first_pair = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1));
  const Word second_pair = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
  const auto to_float = [&](Word pair) HWY_ATTR {
    const auto bits = hn::BitCast(di, hn::ShiftRight<8>(hn::BitCast(d32, pair)));
    return hn::BitCast(d, hn::MulSub(hn::ConvertTo(df, bits), hn::Set(df, 0x1p-23f), hn::Set(df, 1.0f)));
  };
  hn::StoreInterleaved2(to_float(first_pair), to_float(second_pair), d, reinterpret_cast<uint64_t*>(out));
}

void UniformNoise(uint64_t seed, int64_t first_index, float* HWY_RESTRICT out, int64_t size) {
  constexpr int64_t kBatch = 4 * static_cast<int64_t>(hn::MaxLanes(Words()));
  alignas(64) float samples[kBatch];
  int64_t skip = first_index % 4;  // samples of the first block that precede the range
  uint64_t block = static_cast<uint64_t>(first_index) / 4;
  for (; size > 0; block += kBatch / 4, skip = 0) {
    PhiloxBlocks(seed, block, samples);
    const int64_t count = std::min(kBatch - skip, size);
    std::memcpy(out, samples + skip, count * sizeof(float));
    out += count;
    size -= count;
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(UniformNoise);

void UniformNoise(uint64_t seed, int64_t first_index, absl::Span<float> out) {
  HWY_DYNAMIC_DISPATCH(UniformNoise)(seed, first_index, out.data(), static_cast<int64_t>(out.size()));
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
