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
  const float *kernel, *bias;
  int64_t inputs, outputs, columns;
  Planes x;
  const float* shift;
  Planes y;
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
  Vec sum[kTileOutputs][kVectors];
  for (int64_t o = 0; o < kTileOutputs; ++o) {
    const float* HWY_RESTRICT bias = call.bias + (output + o) * call.columns + column;
    const Vec shift = hn::Set(d, call.shift[output + o]);
    for (int64_t v = 0; v < kVectors; ++v) sum[o][v] = hn::Add(hn::LoadU(d, bias + v * kLanes), shift);
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
    float* HWY_RESTRICT y = call.y.data + (output + o) * call.y.stride + column;
    for (int64_t v = 0; v < kVectors; ++v) hn::StoreU(hn::Max(sum[o][v], hn::Zero(d)), d, y + v * kLanes);
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

GridLayer::GridLayer(absl::Span<const int> taps, absl::Span<const float> kernel, absl::Span<const float> bias,
                     int64_t inputs, int64_t outputs)
    : taps_(taps.begin(), taps.end()), bias_(bias.begin(), bias.end()), inputs_(inputs), outputs_(outputs) {
  const int64_t rows = static_cast<int64_t>(taps.size()) * inputs;
  DDSP_CHECK(outputs % kOutputBlock == 0, "outputs come in blocks of eight");
  DDSP_CHECK(static_cast<int64_t>(kernel.size()) == rows * outputs, "the kernel has taps x inputs x outputs elements");
  DDSP_CHECK(static_cast<int64_t>(bias.size()) % (outputs * kColumns) == 0, "columns come in whole tiles");
  kernel_ = hwy::AllocateAligned<float>(rows * outputs);
  for (int64_t o = 0; o < outputs; o += kOutputBlock) {
    for (int64_t r = 0; r < rows; ++r) {
      std::copy_n(kernel.data() + r * outputs + o, kOutputBlock, kernel_.get() + o * rows + r * kOutputBlock);
    }
  }
}

void GridLayer::Apply(Planes x, absl::Span<const float> shift, Planes y) const {
  DDSP_CHECK(static_cast<int64_t>(shift.size()) == outputs_, "every output has a shift");
  const int64_t columns = static_cast<int64_t>(bias_.size()) / outputs_;
  HWY_DYNAMIC_DISPATCH(Apply)
  ({taps_, kernel_.get(), bias_.data(), inputs_, outputs_, columns, x, shift.data(), y});
}

void MixPlanes(Planes x, absl::Span<const float> weights, int64_t columns, float* y) {
  DDSP_CHECK(columns % GridLayer::kColumns == 0, "columns come in whole tiles");
  HWY_DYNAMIC_DISPATCH(Mix)(x, weights, columns, y);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
