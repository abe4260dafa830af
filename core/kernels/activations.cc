#include "core/kernels/activations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activations.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h
#include "core/kernels/float_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ddsp::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// y[i] = function(d, x[i]) by whole vectors, then one by one: the remainder goes through the same operations.
template <class Function>
HWY_INLINE void Map(const float* x, int64_t size, float* y, Function function) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> d1;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes) hn::StoreU(function(d, hn::LoadU(d, x + i)), d, y + i);
  for (; i < size; ++i) hn::StoreU(function(d1, hn::LoadU(d1, x + i)), d1, y + i);
}

void Sigmoid(const float* x, int64_t size, float* y) {
  Map(x, size, y, [](auto d, auto v) HWY_ATTR { return SigmoidOf(d, v); });
}
void Tanh(const float* x, int64_t size, float* y) {
  Map(x, size, y, [](auto d, auto v) HWY_ATTR { return TanhOf(d, v); });
}
void LeakyRelu(const float* x, int64_t size, float* y) {
  Map(x, size, y, [](auto d, auto v) HWY_ATTR { return hn::Max(v, hn::Mul(v, hn::Set(d, 0.2f))); });
}
void BiasedExpSigmoid(const float* x, float bias, int64_t size, float* y) {
  Map(x, size, y, [bias](auto d, auto v) HWY_ATTR { return ExpSigmoidOf(d, hn::Add(v, hn::Set(d, bias))); });
}

}  // namespace ddsp::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ddsp::kernels {

HWY_EXPORT(Sigmoid);
HWY_EXPORT(Tanh);
HWY_EXPORT(LeakyRelu);
HWY_EXPORT(BiasedExpSigmoid);

void Sigmoid(const float* x, int64_t size, float* y) { HWY_DYNAMIC_DISPATCH(Sigmoid)(x, size, y); }
void Tanh(const float* x, int64_t size, float* y) { HWY_DYNAMIC_DISPATCH(Tanh)(x, size, y); }
void LeakyRelu(const float* x, int64_t size, float* y) { HWY_DYNAMIC_DISPATCH(LeakyRelu)(x, size, y); }
void BiasedExpSigmoid(const float* x, float bias, int64_t size, float* y) {
  HWY_DYNAMIC_DISPATCH(BiasedExpSigmoid)(x, bias, size, y);
}
void ExpSigmoid(const float* x, int64_t size, float* y) { BiasedExpSigmoid(x, 0.0f, size, y); }

}  // namespace ddsp::kernels
#endif  // HWY_ONCE
