// Exponential, sigmoid, tanh and upstream's exp_sigmoid on vectors of float. Included by files that are compiled once
// per target.
#if defined(DDSP_CORE_KERNELS_FLOAT_MATH_INL_) == defined(HWY_TARGET_TOGGLE)
#ifdef DDSP_CORE_KERNELS_FLOAT_MATH_INL_
#undef DDSP_CORE_KERNELS_FLOAT_MATH_INL_
#else
#define DDSP_CORE_KERNELS_FLOAT_MATH_INL_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// exp(high + low) for high in [-87, 88] (clamped) and |low| < 2; relative error 1e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpOf(D d, V high, V low) {
  const hn::RebindToSigned<D> di;
  high = hn::Min(hn::Max(high, hn::Set(d, -87.0f)), hn::Set(d, 88.0f));
  const V n = hn::Round(hn::Mul(hn::Add(high, low), hn::Set(d, 1.44269504f)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), high);  // exact: the constant has 9 bits
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  r = hn::Add(r, low);
  // Taylor series on |r| <= 0.35: the first term left out is 5e-9.
  V p = hn::Set(d, 1.0f / 5040);
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 720));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 120));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 24));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 6));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5f));
  p = hn::MulAdd(p, hn::Mul(r, r), hn::Add(r, hn::Set(d, 1.0f)));
  // In two factors: n runs from -129 to 128, outside the exponents of normal numbers.
  const auto whole = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(whole);
  const auto scale = [&](auto e) HWY_ATTR { return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(e, hn::Set(di, 127)))); };
  return hn::Mul(hn::Mul(p, scale(half)), scale(hn::Sub(whole, half)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V SigmoidOf(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, ExpOf(d, hn::Neg(x), hn::Zero(d))));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V TanhOf(D d, V x) {
  // Near zero (|x| < 0.625) an odd polynomial (Cephes' tanhf), since 1 - 2 / (exp(2x) + 1) cancels there.
  const V z = hn::Mul(x, x);
  V p = hn::Set(d, -5.70498872745e-3f);
  p = hn::MulAdd(p, z, hn::Set(d, 2.06390887954e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, -5.37397155531e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.33314422036e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.33332819422e-1f));
  const V small = hn::MulAdd(hn::Mul(p, z), x, x);
  const V magnitude = hn::Abs(x), one = hn::Set(d, 1.0f);
  const V e = ExpOf(d, hn::Add(magnitude, magnitude), hn::Zero(d));
  const V large = hn::NegMulAdd(hn::Set(d, 2.0f), hn::Div(one, hn::Add(e, one)), one);
  return hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0.625f)), small, hn::CopySign(large, x));
}

// 2 sigmoid(x)^ln(10) + 1e-7 = 2 exp(p min(x, 0) - p log1p(exp(-|x|))) + 1e-7, p = ln(10). The exponent reaches -200,
// where float would lose six bits of it, so its first part travels as two floats.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpSigmoidOf(D d, V x) {
  const V power = hn::Set(d, 2.30258509f), power_high = hn::Set(d, 2.302734375f),
          power_low = hn::Set(d, -1.492820060e-4f);
  const V t = ExpOf(d, hn::Neg(hn::Abs(x)), hn::Zero(d));
  // log1p(t) = 2 atanh(t / (2 + t)), t in [0, 1]; z^2 <= 1/9.
  const V z = hn::Div(t, hn::Add(t, hn::Set(d, 2.0f))), z2 = hn::Mul(z, z);
  V q = hn::Set(d, 0.140873286f);  // least squares at Chebyshev nodes; relative error 4e-9
  q = hn::MulAdd(q, z2, hn::Set(d, 0.139807094f));
  q = hn::MulAdd(q, z2, hn::Set(d, 0.200124269f));
  q = hn::MulAdd(q, z2, hn::Set(d, 0.33333158f));
  q = hn::MulAdd(q, z2, hn::Set(d, 1.0f));
  const V log1p = hn::Mul(hn::Add(z, z), q);
  const V negative = hn::Max(hn::Min(x, hn::Zero(d)), hn::Set(d, -37.0f));
  // Twelve bits times twelve bits are exact, with or without fused multiply-adds.
  const V coarse = hn::And(negative, hn::BitCast(d, hn::Set(hn::RebindToUnsigned<D>(), 0xFFFFF000u)));
  const V high = hn::Mul(coarse, power_high);
  const V low = hn::MulAdd(hn::Sub(negative, coarse), power_high, hn::Mul(negative, power_low));
  const V value = ExpOf(d, high, hn::NegMulAdd(power, log1p, low));
  return hn::MulAdd(hn::Set(d, 2.0f), value, hn::Set(d, 1e-7f));
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // DDSP_CORE_KERNELS_FLOAT_MATH_INL_
