#include "core/dsp/resample.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

// Position in frames of every sample, in double; where a sample falls on a frame, exactly that.
Tensor Positions(int64_t frames, int64_t n, Endpoint endpoint) {
  const bool ends = endpoint == Endpoint::kLast && n > 1;
  return at::arange(n, at::kDouble) * (ends ? frames - 1 : frames) / (ends ? n - 1 : n);
}

// x [batch, frames, ...] at frame indices [n], clamped to the ends.
Tensor At(const Tensor& x, const Tensor& index) {
  return at::index_select(x, 1, index.clamp(0, x.size(1) - 1).to(x.device(), at::kLong));
}

// Weights [n] shaped to multiply [batch, n, ...].
Tensor Column(const Tensor& weights, const Tensor& like) {
  std::vector<int64_t> shape(like.dim(), 1);
  shape[1] = weights.size(0);
  return weights.to(like.options()).reshape(shape);
}

Tensor Nearest(const Tensor& x, int64_t n, Endpoint endpoint) {
  const Tensor position = Positions(x.size(1), n, endpoint);
  return At(x, at::floor(endpoint == Endpoint::kHold ? position : position + 0.5));
}

// Frames and what follows each of them, [batch, intervals, ...] both.
std::pair<Tensor, Tensor> Intervals(const Tensor& x, Endpoint endpoint) {
  const int64_t frames = x.size(1);
  if (endpoint == Endpoint::kLast) return {x.narrow(1, 0, frames - 1), x.narrow(1, 1, frames - 1)};
  return {x, at::cat({x.narrow(1, 1, frames - 1), x.narrow(1, frames - 1, 1)}, 1)};
}

// One row: frames [frames, channels] to audio rate, along ramp [hop].
struct RampRow {
  int64_t frames, intervals, hop, channels;

  int64_t Next(int64_t frame) const { return std::min(frame + 1, frames - 1); }

  template <typename T>
  void Apply(const T* x, const T* ramp, T* out) const {
    for (int64_t k = 0; k < intervals; ++k) {
      const T *from = x + k * channels, *to = x + Next(k) * channels;
      for (int64_t m = 0; m < hop; ++m, out += channels) {
        for (int64_t c = 0; c < channels; ++c) out[c] = from[c] + (to[c] - from[c]) * ramp[m];
      }
    }
  }

  template <typename T>
  void AddGradient(const T* d_out, const T* ramp, T* d_x) const {
    for (int64_t k = 0; k < intervals; ++k) {
      T *from = d_x + k * channels, *to = d_x + Next(k) * channels;
      for (int64_t m = 0; m < hop; ++m, d_out += channels) {
        for (int64_t c = 0; c < channels; ++c) {
          const T later = d_out[c] * ramp[m];
          to[c] += later;
          from[c] += d_out[c] - later;
        }
      }
    }
  }
};

// x [batch, frames, channels] and ramp [hop] to [batch, intervals * hop, channels] as one node of the autograd graph,
// which keeps neither its input nor its output.
class RampFunction : public torch::autograd::Function<RampFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& ramp, int64_t intervals) {
    ctx->save_for_backward({ramp});
    ctx->saved_data["frames"] = x.size(1);
    const RampRow row = {x.size(1), intervals, ramp.size(0), x.size(2)};
    Tensor out = at::empty({x.size(0), intervals * row.hop, row.channels}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "Ramp", [&] {
      at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
          row.Apply(x.const_data_ptr<scalar_t>() + b * x.stride(0), ramp.const_data_ptr<scalar_t>(),
                    out.data_ptr<scalar_t>() + b * out.stride(0));
        }
      });
    });
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const Tensor ramp = ctx->get_saved_variables()[0], d_out = grads[0].contiguous();
    const int64_t hop = ramp.size(0);
    const RampRow row = {ctx->saved_data["frames"].toInt(), d_out.size(1) / hop, hop, d_out.size(2)};
    Tensor d_x = at::zeros({d_out.size(0), row.frames, row.channels}, d_out.options());
    AT_DISPATCH_FLOATING_TYPES(d_out.scalar_type(), "Ramp", [&] {
      at::parallel_for(0, d_out.size(0), 1, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
          row.AddGradient(d_out.const_data_ptr<scalar_t>() + b * d_out.stride(0), ramp.const_data_ptr<scalar_t>(),
                          d_x.data_ptr<scalar_t>() + b * d_x.stride(0));
        }
      });
    });
    return {d_x, Tensor(), Tensor()};
  }
};

// Goes from each frame to the next one along `ramp` [hop]. In tensor operations it takes two more arrays of the size of
// the result.
Tensor RampBetween(const Tensor& x, const Tensor& ramp, Endpoint endpoint) {
  const int64_t frames = x.size(1), intervals = endpoint == Endpoint::kLast ? frames - 1 : frames;
  const bool plain = x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
  if (plain && x.numel() > 0) {
    const Tensor flat = x.flatten(2).contiguous();
    const Tensor out = RampFunction::apply(flat, ramp.to(x.scalar_type()), intervals);
    return x.dim() == 4 ? out.unflatten(2, x.sizes().slice(2)) : out;
  }
  const auto [from, to] = Intervals(x, endpoint);
  std::vector<int64_t> shape(x.dim() + 1, 1);
  shape[2] = ramp.size(0);
  const Tensor out = from.unsqueeze(2) + (to - from).unsqueeze(2) * ramp.to(x.options()).reshape(shape);
  return out.flatten(1, 2);
}

Tensor Linear(const Tensor& x, int64_t n, Endpoint endpoint) {
  const int64_t frames = x.size(1);
  if (endpoint == Endpoint::kHold && n % frames == 0) {
    const int64_t hop = n / frames;
    return RampBetween(x, at::arange(hop, at::kDouble) / hop, endpoint);
  }
  const Tensor position = Positions(frames, n, endpoint);
  const Tensor lower = at::floor(position);
  const Tensor from = At(x, lower);
  return from + (At(x, lower + 1) - from) * Column(position - lower, x);
}

// Keys' cubic kernel at distance d, 0 <= d <= 2.
Tensor KeysKernel(const Tensor& d) {
  constexpr double a = -0.75;
  const Tensor near = ((a + 2) * d - (a + 3)) * d * d + 1;
  const Tensor far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return at::where(d <= 1, near, far);
}

Tensor Cubic(const Tensor& x, int64_t n, Endpoint endpoint) {
  const Tensor position = Positions(x.size(1), n, endpoint);
  const Tensor lower = at::floor(position);
  const Tensor fraction = at::round((position - lower) * 1024) / 1024;
  Tensor out;
  for (int tap = -1; tap <= 2; ++tap) {
    const Tensor term = At(x, lower + tap) * Column(KeysKernel(at::abs(fraction - tap)), x);
    out = tap == -1 ? term : out + term;
  }
  return out;
}

}  // namespace

Interpolation ParseInterpolation(std::string_view name) {
  if (name == "nearest") return Interpolation::kNearest;
  if (name == "linear") return Interpolation::kLinear;
  if (name == "cubic") return Interpolation::kCubic;
  if (name == "window") return Interpolation::kWindow;
  DDSP_CHECK_ARGUMENT(false, "method is '", std::string(name), "', expected nearest, linear, cubic or window");
}

at::Tensor UpsampleWithWindows(const Tensor& inputs, int64_t n_timesteps, Endpoint endpoint) {
  DDSP_CHECK_ARGUMENT(inputs.dim() == 3, "inputs has shape ", inputs.sizes(),
                      ", expected 3 axes for window upsampling");
  const int64_t intervals = inputs.size(1) - (endpoint == Endpoint::kHold ? 0 : 1);
  DDSP_CHECK_ARGUMENT(intervals + 1 < n_timesteps, "n_timesteps is ", n_timesteps, ", expected more than the ",
                      intervals + 1, " frames (with the end point): windows only upsample");
  DDSP_CHECK_ARGUMENT(intervals > 0 && n_timesteps % intervals == 0, "n_timesteps is ", n_timesteps,
                      ", expected a multiple of the ", intervals, " intervals");
  const int64_t hop = n_timesteps / intervals;
  const Tensor ramp = 0.5 - 0.5 * at::cos(at::arange(hop, at::kDouble) * (M_PI / static_cast<double>(hop)));
  return RampBetween(inputs, ramp, endpoint);
}

at::Tensor Resample(const Tensor& inputs, int64_t n_timesteps, Interpolation method, Endpoint endpoint) {
  DDSP_CHECK_ARGUMENT(inputs.dim() >= 1 && inputs.dim() <= 4, "inputs has shape ", inputs.sizes(),
                      ", expected 1 to 4 axes");
  DDSP_CHECK_ARGUMENT(n_timesteps > 0, "n_timesteps is ", n_timesteps, ", expected a positive number");
  Tensor x = inputs;
  if (inputs.dim() == 1) x = x.unsqueeze(0);
  if (inputs.dim() <= 2) x = x.unsqueeze(-1);
  DDSP_CHECK_ARGUMENT(x.size(1) > 0, "inputs has shape ", inputs.sizes(), ", expected at least one frame");
  switch (method) {
    case Interpolation::kNearest:
      x = Nearest(x, n_timesteps, endpoint);
      break;
    case Interpolation::kLinear:
      x = Linear(x, n_timesteps, endpoint);
      break;
    case Interpolation::kCubic:
      x = Cubic(x, n_timesteps, endpoint);
      break;
    case Interpolation::kWindow:
      x = UpsampleWithWindows(x, n_timesteps, endpoint);
      break;
  }
  if (inputs.dim() <= 2) x = x.squeeze(-1);
  if (inputs.dim() == 1) x = x.squeeze(0);
  return x;
}

}  // namespace ddsp
