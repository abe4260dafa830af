#include "core/kernels/grid_layer.h"

#include <algorithm>

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/grid_layer.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef DDSP_CORE_KERNELS_GRID_LAYER_CALL_
#define DDSP_CORE_KERNELS_GRID_LAYER_CALL_
namespace ddsp::kernels {
constexpr int64_t kOutputBlock = 8;

struct GridLayerCall {
  absl::Span<const int> taps;
  const float* kernel;
  int64_t inputs, outputs, columns;
  Planes x, y;
};
}  // namespace ddsp::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Vec = hn::Vec<Floats>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(Floats()));
constexpr int64_t kVectors = 3;
static_assert(GridLayer::kColumns % (kVectors * kLanes) == 0);
// By three vectors: what 32 and 16 registers hold, with three vectors of x and a weight.
constexpr int64_t kTileOutputs = kLanes >= 16 || HWY_ARCH_ARM ? 8 : 4;

// kTileOutputs by kVectors vectors from `column` on, all in registers.
HWY_INLINE void Tile(const GridLayerCall& call, int64_t output, int64_t column) {
  const Floats d;
  const auto y = [&](int64_t o, int64_t v) { return call.y.data + (output + o) * call.y.stride + column + v * kLanes; };
  Vec sum[kTileOutputs][kVectors];
  for (int64_t o = 0; o < kTileOutputs; ++o) {
    for (int64_t v = 0; v < kVectors; ++v) sum[o][v] = hn::LoadU(d, y(o, v));
  }
  const float* HWY_RESTRICT weight =
      call.kernel + output / kOutputBlock * kOutputBlock * call.taps.size() * call.inputs + output % kOutputBlock;
  for (const int tap : call.taps) {
    const float* HWY_RESTRICT x = call.x.data + column + tap;
    for (int64_t c = 0; c < call.inputs; ++c, x += call.x.stride, weight += kOutputBlock) {
      Vec value[kVectors];
      for (int64_t v = 0; v < kVectors; ++v) value[v] = hn::LoadU(d, x + v * kLanes);
      for (int64_t o = 0; o < kTileOutputs; ++o) {
        const Vec w = hn::Set(d, weight[o]);
        for (int64_t v = 0; v < kVectors; ++v) sum[o][v] = hn::MulAdd(value[v], w, sum[o][v]);
      }
    }
  }
  for (int64_t o = 0; o < kTileOutputs; ++o) {
    for (int64_t v = 0; v < kVectors; ++v) hn::StoreU(hn::Max(sum[o][v], hn::Zero(d)), d, y(o, v));
  }
}

void Apply(const GridLayerCall& call) {
  for (int64_t output = 0; output < call.outputs; output += kTileOutputs) {
    for (int64_t column = 0; column < call.columns; column += kVectors * kLanes) Tile(call, output, column);
  }
}

void Mix(Planes x, absl::Span<const float> weights, int64_t columns, float* HWY_RESTRICT y) {
  const Floats d;
  for (int64_t column = 0; column < columns; column += kVectors * kLanes) {
    Vec sum[kVectors] = {hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    const float* HWY_RESTRICT from = x.data + column;
    for (const float weight : weights) {
      const Vec w = hn::Set(d, weight);
      for (int64_t v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(hn::LoadU(d, from + v * kLanes), w, sum[v]);
      from += x.stride;
    }
    for (int64_t v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, y + column + v * kLanes);
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(Apply);
HWY_EXPORT(Mix);

GridLayer::GridLayer(absl::Span<const int> taps, absl::Span<const float> kernel, int64_t inputs, int64_t outputs)
    : taps_(taps.begin(), taps.end()), inputs_(inputs), outputs_(outputs) {
  const int64_t rows = static_cast<int64_t>(taps.size()) * inputs;
  DDSP_CHECK(outputs % kOutputBlock == 0, "outputs come in blocks of eight");
  DDSP_CHECK(static_cast<int64_t>(kernel.size()) == rows * outputs, "the kernel has taps x inputs x outputs elements");
  kernel_ = hwy::AllocateAligned<float>(rows * outputs);
  for (int64_t o = 0; o < outputs; o += kOutputBlock) {
    for (int64_t r = 0; r < rows; ++r) {
      std::copy_n(kernel.data() + r * outputs + o, kOutputBlock, kernel_.get() + o * rows + r * kOutputBlock);
    }
  }
}

void GridLayer::Apply(Planes x, int64_t columns, Planes y) const {
  DDSP_CHECK(columns % kColumns == 0, "columns come in whole tiles");
  HWY_DYNAMIC_DISPATCH(Apply)({taps_, kernel_.get(), inputs_, outputs_, columns, x, y});
}

void MixPlanes(Planes x, absl::Span<const float> weights, int64_t columns, float* y) {
  DDSP_CHECK(columns % GridLayer::kColumns == 0, "columns come in whole tiles");
  HWY_DYNAMIC_DISPATCH(Mix)(x, weights, columns, y);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
