#include "core/dsp/scaling.h"

#include <cmath>
#include <string>

#include "core/dsp/argument.h"
#include "core/dsp/safe_math.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

// [batch, time, sinusoids * depth] to [batch, time, sinusoids, depth]; 4-D input passes.
at::Tensor WithDepthAxis(const at::Tensor& freqs, int64_t depth) {
  DDSP_CHECK_ARGUMENT(freqs.dim() == 3 || freqs.dim() == 4, "freqs has shape ", freqs.sizes(),
                      ", expected 3 or 4 axes");
  if (freqs.dim() == 4) return freqs;
  DDSP_CHECK_ARGUMENT(depth > 0 && freqs.size(2) % depth == 0, "depth is ", depth, ", expected a divisor of ",
                      freqs.size(2));
  return freqs.reshape({freqs.size(0), freqs.size(1), freqs.size(2) / depth, depth});
}

}  // namespace

at::Tensor ExpSigmoid(const at::Tensor& x, double exponent, double max_value, double threshold) {
  return max_value * at::pow(at::sigmoid(x), std::log(exponent)) + threshold;
}

at::Tensor SymExpSigmoid(const at::Tensor& x, double width) { return ExpSigmoid(width * (at::abs(x) / 2 - 1)); }

at::Tensor ApplyScale(ScaleFn fn, const at::Tensor& x) {
  switch (fn) {
    case ScaleFn::kNone:
      return x;
    case ScaleFn::kExpSigmoid:
      return ExpSigmoid(x);
    case ScaleFn::kSymExpSigmoid:
      return SymExpSigmoid(x);
    case ScaleFn::kSigmoid:
      return at::sigmoid(x);
  }
  return x;
}

absl::StatusOr<ScaleFn> ParseScaleFn(std::string_view name) {
  if (name.empty()) return ScaleFn::kNone;
  if (name == "core.exp_sigmoid") return ScaleFn::kExpSigmoid;
  if (name == "core.sym_exp_sigmoid") return ScaleFn::kSymExpSigmoid;
  if (name == "tf.nn.sigmoid") return ScaleFn::kSigmoid;
  return absl::InvalidArgumentError(
      absl::StrCat("scale function is '", std::string(name),
                   "', expected core.exp_sigmoid, core.sym_exp_sigmoid, tf.nn.sigmoid or none"));
}

at::Tensor FrequenciesSoftmax(const at::Tensor& freqs, const FrequencyScaleOptions& options) {
  const at::Tensor x = WithDepthAxis(freqs, options.depth);
  const at::Tensor bins = at::linspace(0, 1, x.size(3), x.options().requires_grad(false));
  return UnitToHz((at::softmax(x, -1) * bins).sum(-1), options.hz_min, options.hz_max);
}

at::Tensor FrequenciesSigmoid(const at::Tensor& freqs, const FrequencyScaleOptions& options) {
  const at::Tensor unit = at::sigmoid(WithDepthAxis(freqs, options.depth));
  const int64_t depth = unit.size(3);
  double remainder = options.hz_max - options.hz_min;
  const double factor = std::pow(remainder, 1.0 / static_cast<double>(depth));
  at::Tensor hz;
  for (int64_t i = 0; i < depth; ++i) {
    const bool last = i == depth - 1;
    const double span = last ? remainder : remainder * (1.0 - 1.0 / factor);
    if (!last) remainder -= span;
    const at::Tensor term = UnitToHz(unit.select(3, i), last ? options.hz_min : 0.0, span);
    hz = i == 0 ? term : hz + term;
  }
  return hz;
}

at::Tensor FrequenciesCriticalBands(const at::Tensor& freqs, const CriticalBandOptions& options) {
  const at::Tensor x = WithDepthAxis(freqs, options.depth);
  const bool bark = options.scale == CriticalBandScale::kBark;
  const auto to_scale = [&](double hz) {
    const at::Tensor t = at::scalar_tensor(hz, at::kDouble);
    return (bark ? HzToBark(t) : HzToMel(t)).item<double>();
  };
  const at::Tensor positions = at::linspace(to_scale(options.hz_min), to_scale(options.hz_max), x.size(2), at::kDouble);
  const at::Tensor centres = bark ? BarkToHz(positions) : MelToHz(positions);
  const at::Tensor bandwidths = HzToErb(centres);
  const at::Tensor weights = at::pow(options.depth_scale, -at::arange(x.size(3), at::kDouble)).to(x.options());
  const at::Tensor modifier = (at::tanh(x) * weights).sum(-1);
  return SoftLimit(centres.to(x.options()) + options.bandwidth_scale * bandwidths.to(x.options()) * modifier,
                   options.hz_min, options.hz_max);
}

}  // namespace ddsp
