#include "core/kernels/integer_dense.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/check.h"

// 16-bit dot products in one instruction.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/integer_dense.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef DDSP_CORE_KERNELS_INTEGER_DENSE_CALL_
#define DDSP_CORE_KERNELS_INTEGER_DENSE_CALL_
namespace ddsp::kernels {
constexpr int64_t kIntegerPanel = 32;  // outputs of one packed panel, whatever the vector width
// Products of so many pairs of inputs are summed in 32 bits before the sum goes to float.
constexpr int64_t kPairsOfSum = 64;
constexpr float kRowLevels = 8191;
// Largest sum of magnitudes of the weights that meet in a 32-bit sum, their rounding left out.
constexpr float kWeightSum = 2147483647.0f / kRowLevels - kPairsOfSum - 1;

struct IntegerDenseCall {
  const int16_t* panels;
  const float *scales, *bias;
  int64_t inputs, outputs, pairs;
  const float* x;
  int64_t x_stride, rows;
  float* y;
  int64_t y_stride;
  int16_t* rounded;   // [rows, pairs, 2]
  float* row_scales;  // [rows]
};
}  // namespace ddsp::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kIntegerPanel / 2>;
using Wholes = hn::RebindToSigned<Floats>;
using Halves = hn::Repartition<int16_t, Wholes>;
using Vec = hn::Vec<Floats>;
using WholeVec = hn::Vec<Wholes>;
using HalfVec = hn::Vec<Halves>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(Floats()));

// sum + a[2 i] b[2 i] + a[2 i + 1] b[2 i + 1].
HWY_INLINE WholeVec AddPairs(HalfVec a, HalfVec b, WholeVec sum) {
#if HWY_TARGET == HWY_AVX3_DL
  // The intrinsic is refused: Highway asks the compiler for the 256-bit form of this extension by mistake.
  asm("vpdpwssd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
#else
  const Wholes d;
  WholeVec rest = hn::Zero(d);
  return hn::RearrangeToOddPlusEven(hn::ReorderWidenMulAccumulate(d, a, b, sum, rest), rest);
#endif
}

// One row of x to whole numbers of kRowLevels at most. Returns what one of them is worth; NaN if the row is not finite.
HWY_INLINE float RoundRow(const float* HWY_RESTRICT x, int64_t inputs, int64_t pairs, int16_t* HWY_RESTRICT rounded) {
  const Floats d;
  const hn::Rebind<int16_t, Floats> d16;
  Vec most = hn::Zero(d), odd = hn::Zero(d);
  int64_t i = 0;
  for (; i + kLanes <= inputs; i += kLanes) {
    const Vec value = hn::LoadU(d, x + i);
    most = hn::Max(most, hn::Abs(value));
    odd = hn::MulAdd(value, hn::Zero(d), odd);
  }
  float largest = hn::GetLane(hn::MaxOfLanes(d, most)), not_finite = hn::GetLane(hn::SumOfLanes(d, odd));
  for (int64_t j = i; j < inputs; ++j) {
    largest = std::max(largest, std::fabs(x[j]));
    not_finite += x[j] * 0.0f;
  }
  if (!(not_finite == 0)) largest = 0;
  const float levels = largest > 1e-30f ? kRowLevels / largest : 0;
  for (i = 0; i + kLanes <= inputs; i += kLanes) {
    const auto whole = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, levels)));
    hn::StoreU(hn::DemoteTo(d16, whole), d16, rounded + i);
  }
  for (; i < inputs; ++i) {
    rounded[i] = levels == 0 ? int16_t{0} : static_cast<int16_t>(std::nearbyint(x[i] * levels));
  }
  for (; i < 2 * pairs; ++i) rounded[i] = 0;
  return largest / kRowLevels + not_finite;
}

// Outputs whose weights stay in the cache while the rows pass.
constexpr int64_t kBlock = 8 * kLanes;

// kRows rows by kVectors vectors of outputs from (row, column) on. Asks for the weights `ahead` columns further on.
template <int kRows, int kVectors>
HWY_INLINE void Tile(const IntegerDenseCall& call, int64_t row, int64_t column, int64_t ahead) {
  const Floats d;
  const Wholes di;
  const Halves dh;
  const int16_t* HWY_RESTRICT x = call.rounded + row * call.pairs * 2;
  const int16_t* HWY_RESTRICT w =
      call.panels + column / kIntegerPanel * call.pairs * 2 * kIntegerPanel + column % kIntegerPanel * 2;
  const int16_t* HWY_RESTRICT wanted = w + ahead * call.pairs * 2;
  HWY_ALIGN float sums[kRows * kVectors * kLanes];
  for (int64_t begin = 0; begin < call.pairs; begin += kPairsOfSum) {
    const int64_t end = std::min(begin + kPairsOfSum, call.pairs);
    WholeVec sum[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(di);
    }
    for (int64_t p = begin; p < end; ++p) {
      HalfVec weight[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        weight[v] = hn::LoadU(dh, w + p * 2 * kIntegerPanel + v * 2 * kLanes);
        __builtin_prefetch(wanted + p * 2 * kIntegerPanel + v * 2 * kLanes, 0, 2);
      }
      for (int r = 0; r < kRows; ++r) {
        int32_t two;
        std::memcpy(&two, x + (r * call.pairs + p) * 2, sizeof two);
        const HalfVec pair = hn::BitCast(dh, hn::Set(di, two));
        for (int v = 0; v < kVectors; ++v) sum[r][v] = AddPairs(pair, weight[v], sum[r][v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        float* HWY_RESTRICT so_far = sums + (r * kVectors + v) * kLanes;
        const Vec added = hn::ConvertTo(d, sum[r][v]);
        hn::Store(begin == 0 ? added : hn::Add(hn::Load(d, so_far), added), d, so_far);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    float* HWY_RESTRICT y = call.y + (row + r) * call.y_stride + column;
    HWY_ALIGN float result[kVectors * kLanes];
    for (int v = 0; v < kVectors; ++v) {
      const Vec scale = hn::Mul(hn::Set(d, call.row_scales[row + r]), hn::Load(d, call.scales + column + v * kLanes));
      const Vec bias = hn::Load(d, call.bias + column + v * kLanes);
      hn::Store(hn::MulAdd(hn::Load(d, sums + (r * kVectors + v) * kLanes), scale, bias), d, result + v * kLanes);
    }
    std::copy_n(result, std::min<int64_t>(kVectors * kLanes, call.outputs - column), y);
  }
}

constexpr int kTall = kLanes >= 16 ? 13 : 4;  // rows of a tile, by 2 vectors: what 32 and 16 registers hold

// `rows` rows, kRows at most.
template <int kRows>
HWY_INLINE void Rows(const IntegerDenseCall& call, int64_t row, int64_t rows, int64_t column) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return Rows<kRows - 1>(call, row, rows, column);
  }
  const int64_t end = std::min(column + kBlock, call.outputs);
  // The last rows of a block bring the weights of the next one.
  const int64_t ahead = row + rows == call.rows && end < call.outputs ? kBlock : 0;
  for (; column < end; column += 2 * kLanes) Tile<kRows, 2>(call, row, column, ahead);
}

void IntegerDenseRows(const IntegerDenseCall& call) {
  static_assert(kIntegerPanel % (2 * kLanes) == 0);
  for (int64_t r = 0; r < call.rows; ++r) {
    call.row_scales[r] =
        RoundRow(call.x + r * call.x_stride, call.inputs, call.pairs, call.rounded + r * call.pairs * 2);
  }
  for (int64_t column = 0; column < call.outputs; column += kBlock) {
    // Of equal height, or nearly: a low tile multiplies at a lower rate.
    const int64_t tiles = (call.rows + kTall - 1) / kTall;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t row = call.rows * tile / tiles, next = call.rows * (tile + 1) / tiles;
      Rows<kTall>(call, row, next - row, column);
    }
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(IntegerDenseRows);

namespace {

// Levels of an output's weights: as many as keep every 32-bit sum in its range.
float Levels(absl::Span<const float> kernel, int64_t inputs, int64_t outputs, int64_t output) {
  float largest = 0, most = 0, sum = 0;
  for (int64_t i = 0; i < inputs; ++i) {
    if (i % (2 * kPairsOfSum) == 0) sum = 0;
    const float weight = std::fabs(kernel[i * outputs + output]);
    largest = std::max(largest, weight);
    sum += weight;
    most = std::max(most, sum);
  }
  return largest == 0 ? 1 : std::min(32767 / largest, kWeightSum / most);
}

}  // namespace

IntegerDense::IntegerDense(absl::Span<const float> kernel, absl::Span<const float> bias, int64_t inputs,
                           int64_t outputs)
    : inputs_(inputs), outputs_(outputs), pairs_((inputs + 1) / 2) {
  DDSP_CHECK(static_cast<int64_t>(kernel.size()) == inputs * outputs, "the kernel has inputs x outputs elements");
  DDSP_CHECK(bias.empty() || static_cast<int64_t>(bias.size()) == outputs, "the bias has an element for each output");
  const int64_t panels = (outputs + kIntegerPanel - 1) / kIntegerPanel, padded = panels * kIntegerPanel;
  panels_ = hwy::AllocateAligned<int16_t>(padded * 2 * pairs_);
  scales_ = hwy::AllocateAligned<float>(padded);
  bias_ = hwy::AllocateAligned<float>(padded);
  std::fill_n(panels_.get(), padded * 2 * pairs_, int16_t{0});
  std::fill_n(scales_.get(), padded, 0.0f);
  std::fill_n(bias_.get(), padded, 0.0f);
  std::copy(bias.begin(), bias.end(), bias_.get());
  for (int64_t output = 0; output < outputs; ++output) {
    const float levels = Levels(kernel, inputs, outputs, output);
    scales_[output] = 1 / levels;
    int16_t* column = panels_.get() + output / kIntegerPanel * pairs_ * 2 * kIntegerPanel + output % kIntegerPanel * 2;
    for (int64_t i = 0; i < inputs; ++i) {
      column[i / 2 * 2 * kIntegerPanel + i % 2] =
          static_cast<int16_t>(std::nearbyint(kernel[i * outputs + output] * levels));
    }
  }
}

int64_t IntegerDense::scratch_bytes(int64_t rows) const {
  return rows * (2 * pairs_ * static_cast<int64_t>(sizeof(int16_t)) + static_cast<int64_t>(sizeof(float)));
}

void IntegerDense::Apply(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride,
                         void* scratch) const {
  auto* row_scales = static_cast<float*>(scratch);
  auto* rounded = reinterpret_cast<int16_t*>(row_scales + rows);
  HWY_DYNAMIC_DISPATCH(IntegerDenseRows)
  ({panels_.get(), scales_.get(), bias_.get(), inputs_, outputs_, pairs_, x, x_stride, rows, y, y_stride, rounded,
    row_scales});
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
