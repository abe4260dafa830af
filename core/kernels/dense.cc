#include "core/kernels/dense.h"

#include <algorithm>

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dense.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef DDSP_CORE_KERNELS_DENSE_PANEL_
#define DDSP_CORE_KERNELS_DENSE_PANEL_
namespace ddsp::kernels {
constexpr int64_t kPanel = 32;  // outputs of one packed panel, whatever the vector width

struct DenseCall {
  const float* panels;
  int64_t inputs, outputs;
  const float* x;
  int64_t x_stride, rows;
  float* y;
  int64_t y_stride;
};
}  // namespace ddsp::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kPanel / 2>;
using Vec = hn::Vec<Floats>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(Floats()));

// Where the weights of output `column` begin: its panel, its place in the panel.
HWY_INLINE const float* Column(const DenseCall& call, int64_t column) {
  return call.panels + column / kPanel * (1 + call.inputs) * kPanel + column % kPanel;
}

// kRows rows by kVectors vectors of outputs from (row, column) on, all in registers. Each element is one chain of
// multiply-adds over the inputs in order, which is why every tile shape gives the same bits; a shape only decides how
// many chains run side by side (8 hide the latency of a multiply-add) and how often a weight is loaded.
template <int kRows, int kVectors>
HWY_INLINE void Tile(const DenseCall& call, int64_t row, int64_t column) {
  const Floats d;
  const float* HWY_RESTRICT x = call.x + row * call.x_stride;
  const float* HWY_RESTRICT w[kVectors];
  Vec sum[kRows][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    w[v] = Column(call, column + v * kLanes);
    for (int r = 0; r < kRows; ++r) sum[r][v] = hn::LoadU(d, w[v]);
  }
  for (int64_t i = 0; i < call.inputs; ++i) {
    Vec weight[kVectors];
    for (int v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(d, w[v] + (1 + i) * kPanel);
    for (int r = 0; r < kRows; ++r) {
      const Vec value = hn::Set(d, x[r * call.x_stride + i]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(value, weight[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    float* HWY_RESTRICT y = call.y + (row + r) * call.y_stride + column;
    if (column + kVectors * kLanes <= call.outputs) {
      for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, y + v * kLanes);
    } else {
      HWY_ALIGN float padded[kVectors * kLanes];
      for (int v = 0; v < kVectors; ++v) hn::Store(sum[r][v], d, padded + v * kLanes);
      std::copy_n(padded, call.outputs - column, y);
    }
  }
}

// The tile of `kRows` rows, repeated over `kVectors` vectors of outputs.
template <int kRows, int kTileVectors, int kVectors>
HWY_INLINE void Rows(const DenseCall& call, int64_t row, int64_t column) {
  for (int v = 0; v < kVectors && column + v * kLanes < call.outputs; v += kTileVectors) {
    if (column + (v + 1) * kLanes >= call.outputs) return Tile<kRows, 1>(call, row, column + v * kLanes);
    Tile<kRows, kTileVectors>(call, row, column + v * kLanes);
  }
}

// All rows of kVectors vectors of outputs: the weights of such a block stay in the cache while the rows pass.
template <int kVectors>
HWY_INLINE void Columns(const DenseCall& call, int64_t column) {
  constexpr int kTall = kLanes >= 16 ? 12 : 6;  // by 2 vectors: what 32 and 16 registers hold
  int64_t row = 0;
  for (; row + kTall <= call.rows; row += kTall) Rows<kTall, 2, kVectors>(call, row, column);
  for (; row + 4 <= call.rows; row += 4) Rows<4, 2, kVectors>(call, row, column);
  for (; row + 2 <= call.rows; row += 2) Rows<2, std::min(4, kVectors), kVectors>(call, row, column);
  for (; row < call.rows; ++row) Rows<1, kVectors, kVectors>(call, row, column);
}

void Dense(const DenseCall& call) {
  constexpr int kVectors = 8, kPanelVectors = kPanel / kLanes;
  const int64_t padded = (call.outputs + kPanel - 1) / kPanel * kPanel;
  int64_t column = 0;
  for (; column + kVectors * kLanes <= padded; column += kVectors * kLanes) Columns<kVectors>(call, column);
  for (; column < padded; column += kPanel) Columns<kPanelVectors>(call, column);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(Dense);

PackedDense::PackedDense(absl::Span<const float> kernel, absl::Span<const float> bias, int64_t inputs, int64_t outputs)
    : inputs_(inputs), outputs_(outputs) {
  DDSP_CHECK(static_cast<int64_t>(kernel.size()) == inputs * outputs, "the kernel has inputs x outputs elements");
  DDSP_CHECK(bias.empty() || static_cast<int64_t>(bias.size()) == outputs, "the bias has an element for each output");
  const int64_t panels = (outputs + kPanel - 1) / kPanel, panel_size = (1 + inputs) * kPanel;
  panels_ = hwy::AllocateAligned<float>(panels * panel_size);
  std::fill_n(panels_.get(), panels * panel_size, 0.0f);
  for (int64_t panel = 0; panel < panels; ++panel) {
    const int64_t begin = panel * kPanel, count = std::min(kPanel, outputs - begin);
    float* packed = panels_.get() + panel * panel_size;
    if (!bias.empty()) std::copy_n(bias.data() + begin, count, packed);
    for (int64_t i = 0; i < inputs; ++i)
      std::copy_n(kernel.data() + i * outputs + begin, count, packed + (1 + i) * kPanel);
  }
}

void PackedDense::Apply(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride) const {
  HWY_DYNAMIC_DISPATCH(Dense)({panels_.get(), inputs_, outputs_, x, x_stride, rows, y, y_stride});
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
