#include "core/kernels/gru.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gru.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h
#include "core/kernels/float_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// a, b: [3 units], input and recurrent products; state [units] in place.
void GruGates(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t units, float* HWY_RESTRICT state) {
  const auto gate = [&](auto d, int64_t i) HWY_ATTR {
    const auto z = SigmoidOf(d, hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
    const auto r = SigmoidOf(d, hn::Add(hn::LoadU(d, a + units + i), hn::LoadU(d, b + units + i)));
    const auto c = TanhOf(d, hn::MulAdd(r, hn::LoadU(d, b + 2 * units + i), hn::LoadU(d, a + 2 * units + i)));
    hn::StoreU(hn::MulAdd(z, hn::Sub(hn::LoadU(d, state + i), c), c), d, state + i);
  };
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= units; i += lanes) gate(d, i);
  for (; i < units; ++i) gate(hn::CappedTag<float, 1>(), i);
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(GruGates);

GruCell::GruCell(absl::Span<const float> kernel, absl::Span<const float> recurrent, absl::Span<const float> bias,
                 int64_t inputs, int64_t units, Arithmetic arithmetic)
    : input_(arithmetic, kernel, bias.subspan(0, 3 * units), inputs, 3 * units),
      recurrent_(arithmetic, recurrent, bias.subspan(3 * units), units, 3 * units) {}

int64_t GruCell::scratch_size(int64_t rows) const {
  return rows * 6 * units() + std::max(input_.scratch_size(rows), recurrent_.scratch_size(rows));
}

void GruCell::InputGates(const float* x, int64_t x_stride, int64_t rows, float* a, float* scratch) const {
  input_.Apply(x, x_stride, rows, a, 3 * units(), scratch);
}

void GruCell::Update(const float* a, int64_t rows, float* state, float* scratch) const {
  const int64_t units = this->units();
  recurrent_.Apply(state, units, rows, scratch, 3 * units, scratch + rows * 3 * units);
  for (int64_t r = 0; r < rows; ++r) {
    HWY_DYNAMIC_DISPATCH(GruGates)(a + r * 3 * units, scratch + r * 3 * units, units, state + r * units);
  }
}

void GruCell::Step(const float* x, int64_t x_stride, int64_t rows, float* state, float* scratch) const {
  float* rest = scratch + rows * 3 * units();
  InputGates(x, x_stride, rows, scratch, rest);
  Update(scratch, rows, state, rest);
}

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
