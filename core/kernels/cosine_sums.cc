#include "core/kernels/cosine_sums.h"

#include <cmath>

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/cosine_sums.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef DDSP_CORE_KERNELS_COSINE_SUMS_SERIES_
#define DDSP_CORE_KERNELS_COSINE_SUMS_SERIES_
namespace ddsp::kernels {

// exp(i n angle) for n < kSize.
template <int kSize>
struct Turns {
  alignas(64) float cos[kSize], sin[kSize];
};

struct CosineSeries {
  int blocks;
  const float *weights, *cos_minus_1, *sin;
  // k = kBlock * block + place, and exp(i k angle) is the product of two of these.
  Turns<CosineSums::kMaxTerms / CosineSums::kBlock> block;
  Turns<CosineSums::kBlock> place;
};

// sum of weights[k] cos(k angle), weights[k] cos(k angle) (cos(k step) - 1), weights[k] sin(k angle) sin(k step).
struct CosineParts {
  float at, bend, slope;
};

}  // namespace ddsp::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, CosineSums::kBlock>;
using Vec = hn::Vec<Floats>;

// Sums of weights times the cosine and sine of the block's turn; the place's comes last, once.
struct BlockSums {
  Vec cos, sin;
};

HWY_INLINE void AddBlock(Vec weight, Vec turn_cos, Vec turn_sin, BlockSums& sums) {
  sums.cos = hn::MulAdd(weight, turn_cos, sums.cos);
  sums.sin = hn::MulAdd(weight, turn_sin, sums.sin);
}

void SumCosines(const CosineSeries& series, CosineParts& parts) {
  const Floats d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const Vec zero = hn::Zero(d);
  Vec total_at = zero, total_bend = zero, total_slope = zero;
  for (int place = 0; place < CosineSums::kBlock; place += lanes) {
    BlockSums at{zero, zero}, bend{zero, zero}, slope{zero, zero};
    for (int block = 0; block < series.blocks; ++block) {
      const int k = block * CosineSums::kBlock + place;
      const Vec turn_cos = hn::Set(d, series.block.cos[block]), turn_sin = hn::Set(d, series.block.sin[block]);
      const Vec weight = hn::LoadU(d, series.weights + k);
      AddBlock(weight, turn_cos, turn_sin, at);
      AddBlock(hn::Mul(weight, hn::LoadU(d, series.cos_minus_1 + k)), turn_cos, turn_sin, bend);
      AddBlock(hn::Mul(weight, hn::LoadU(d, series.sin + k)), turn_cos, turn_sin, slope);
    }
    const Vec c = hn::Load(d, series.place.cos + place), s = hn::Load(d, series.place.sin + place);
    total_at = hn::Add(total_at, hn::NegMulAdd(at.sin, s, hn::Mul(at.cos, c)));
    total_bend = hn::Add(total_bend, hn::NegMulAdd(bend.sin, s, hn::Mul(bend.cos, c)));
    total_slope = hn::Add(total_slope, hn::MulAdd(slope.cos, s, hn::Mul(slope.sin, c)));
  }
  parts.at = hn::GetLane(hn::SumOfLanes(d, total_at));
  parts.bend = hn::GetLane(hn::SumOfLanes(d, total_bend));
  parts.slope = hn::GetLane(hn::SumOfLanes(d, total_slope));
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {
namespace {

// By doubling, whose errors grow with the logarithm only.
template <int kSize>
void FillTurns(double angle, Turns<kSize>& turns) {
  double c[kSize] = {1.0}, s[kSize] = {0.0};
  double turn_c = std::cos(angle), turn_s = std::sin(angle);
  for (int size = 1; size < kSize; size *= 2) {
    for (int n = 0; n < size; ++n) {
      c[size + n] = c[n] * turn_c - s[n] * turn_s;
      s[size + n] = s[n] * turn_c + c[n] * turn_s;
    }
    const double twice_c = turn_c * turn_c - turn_s * turn_s;
    turn_s = 2.0 * turn_c * turn_s;
    turn_c = twice_c;
  }
  for (int n = 0; n < kSize; ++n) {
    turns.cos[n] = static_cast<float>(c[n]);
    turns.sin[n] = static_cast<float>(s[n]);
  }
}

}  // namespace

HWY_EXPORT(SumCosines);

CosineSums::CosineSums(int terms, double step)
    : blocks_((terms + kBlock - 1) / kBlock), cos_minus_1_(blocks_ * kBlock), sin_(blocks_ * kBlock) {
  DDSP_CHECK(terms > 0 && terms <= kMaxTerms, "a series has at most kMaxTerms terms");
  for (int k = 0; k < terms; ++k) {
    const double half = std::sin(0.5 * k * step);
    cos_minus_1_[k] = static_cast<float>(-2.0 * half * half);
    sin_[k] = static_cast<float>(std::sin(k * step));
  }
}

CosineSums::Values CosineSums::At(const float* weights, double angle) const {
  CosineSeries series;
  series.blocks = blocks_;
  series.weights = weights;
  series.cos_minus_1 = cos_minus_1_.data();
  series.sin = sin_.data();
  FillTurns(angle * kBlock, series.block);
  FillTurns(angle, series.place);
  CosineParts parts;
  HWY_DYNAMIC_DISPATCH(SumCosines)(series, parts);
  const double at = parts.at;
  return {at + (double{parts.bend} + parts.slope), at, at + (double{parts.bend} - parts.slope)};
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
