#include "core/kernels/gru_gates.h"

#include "core/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gru_gates.cc"
// foreach_target must come first.
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Calls `body(d, i)` for i in [0, units) vector by vector, then lane by lane.
template <class Body>
HWY_INLINE void ForUnits(int64_t units, Body body) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= units; i += lanes) body(d, i);
  const hn::CappedTag<float, 1> scalar;
  for (; i < units; ++i) body(scalar, i);
}

template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  // exp of at most 80 stays finite.
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 80.0f)))));
}

void Forward(int64_t rows, int64_t units, const float* a, const float* b, const float* h_previous,
             const GruStep& step) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* HWY_RESTRICT ra = a + row * 3 * units;
    const float* HWY_RESTRICT rb = b + row * 3 * units;
    const int64_t at = row * units;
    ForUnits(units, [&](auto d, int64_t i) {
      const auto z = Sigmoid(d, hn::Add(hn::LoadU(d, ra + i), hn::LoadU(d, rb + i)));
      const auto r = Sigmoid(d, hn::Add(hn::LoadU(d, ra + units + i), hn::LoadU(d, rb + units + i)));
      const auto bh = hn::LoadU(d, rb + 2 * units + i);
      const auto x = hn::MulAdd(r, bh, hn::LoadU(d, ra + 2 * units + i));
      // tanh(x) = 2 sigmoid(2 x) - 1; its absolute error, 1e-7, is what the state feels.
      const auto two = hn::Set(d, 2.0f);
      const auto c = hn::Sub(hn::Mul(two, Sigmoid(d, hn::Mul(two, x))), hn::Set(d, 1.0f));
      hn::StoreU(z, d, step.z + at + i);
      hn::StoreU(r, d, step.r + at + i);
      hn::StoreU(c, d, step.c + at + i);
      hn::StoreU(bh, d, step.recurrent_h + at + i);
      hn::StoreU(hn::MulAdd(z, hn::Sub(hn::LoadU(d, h_previous + at + i), c), c), d, step.h + at + i);
    });
  }
}

void Backward(int64_t rows, int64_t units, const GruStep& step, const float* h_previous, const float* d_output,
              const float* d_recurrent, float* dh, float* da, float* db) {
  for (int64_t row = 0; row < rows; ++row) {
    float* HWY_RESTRICT ra = da + row * 3 * units;
    float* HWY_RESTRICT rb = db + row * 3 * units;
    const int64_t at = row * units;
    ForUnits(units, [&](auto d, int64_t i) {
      const auto one = hn::Set(d, 1.0f);
      const auto z = hn::LoadU(d, step.z + at + i), r = hn::LoadU(d, step.r + at + i),
                 c = hn::LoadU(d, step.c + at + i);
      const auto bh = hn::LoadU(d, step.recurrent_h + at + i);
      const auto carried = hn::Add(hn::LoadU(d, dh + at + i), hn::LoadU(d, d_recurrent + at + i));
      const auto g = hn::Add(carried, hn::LoadU(d, d_output + at + i));
      const auto dz = hn::Mul(g, hn::Sub(hn::LoadU(d, h_previous + at + i), c));
      const auto dx = hn::Mul(hn::Mul(g, hn::Sub(one, z)), hn::NegMulAdd(c, c, one));
      const auto az = hn::Mul(dz, hn::Mul(z, hn::Sub(one, z)));
      const auto ar = hn::Mul(hn::Mul(dx, bh), hn::Mul(r, hn::Sub(one, r)));
      hn::StoreU(az, d, ra + i);
      hn::StoreU(ar, d, ra + units + i);
      hn::StoreU(dx, d, ra + 2 * units + i);
      hn::StoreU(az, d, rb + i);
      hn::StoreU(ar, d, rb + units + i);
      hn::StoreU(hn::Mul(dx, r), d, rb + 2 * units + i);
      hn::StoreU(hn::Mul(g, z), d, dh + at + i);
    });
  }
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {
HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

void GruForward(int64_t rows, int64_t units, const float* a, const float* b, const float* h_previous,
                const GruStep& step) {
  DDSP_CHECK(rows >= 0 && units >= 0, "sizes are counts");
  HWY_DYNAMIC_DISPATCH(Forward)(rows, units, a, b, h_previous, step);
}

void GruBackward(int64_t rows, int64_t units, const GruStep& step, const float* h_previous, const float* d_output,
                 const float* d_recurrent, float* dh, float* da, float* db) {
  DDSP_CHECK(rows >= 0 && units >= 0, "sizes are counts");
  HWY_DYNAMIC_DISPATCH(Backward)(rows, units, step, h_previous, d_output, d_recurrent, dh, da, db);
}

}  // namespace ddsp::kernels
#endif
