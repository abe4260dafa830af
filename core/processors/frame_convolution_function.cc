#include "core/processors/frame_convolution_function.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/dsp/filter_design.h"
#include "core/kernels/frame_convolution.h"

namespace ddsp {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Beyond which the FFT is faster.
constexpr int64_t kMostTaps = 512, kMostBands = 128;

kernels::FrameConvolution ShapeOf(const Tensor& audio, const Tensor& responses) {
  return {responses.size(1), audio.size(1) / responses.size(1), responses.size(2)};
}

// Calls f(row) for all rows.
template <typename F>
void ForEachRow(int64_t batch, F f) {
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) f(row);
  });
}

template <typename T>
const T* Row(const Tensor& x, int64_t row) {
  return x.const_data_ptr<T>() + row * x.stride(0);
}

template <typename T>
T* MutableRow(Tensor& x, int64_t row) {
  return x.data_ptr<T>() + row * x.stride(0);
}

class FrameConvolutionFunction : public torch::autograd::Function<FrameConvolutionFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& audio, const Tensor& responses) {
    ctx->save_for_backward({audio, responses});
    const kernels::FrameConvolution shape = ShapeOf(audio, responses);
    Tensor out = at::empty({audio.size(0), shape.output_size()}, audio.options());
    AT_DISPATCH_FLOATING_TYPES(audio.scalar_type(), "ConvolveFrames", [&] {
      ForEachRow(audio.size(0), [&](int64_t row) {
        shape.Apply(Row<scalar_t>(audio, row), Row<scalar_t>(responses, row), MutableRow<scalar_t>(out, row));
      });
    });
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &audio = saved[0], &responses = saved[1], d_out = grads[0].contiguous();
    const kernels::FrameConvolution shape = ShapeOf(audio, responses);
    Tensor d_audio = ctx->needs_input_grad(0) ? at::empty_like(audio) : Tensor();
    Tensor d_responses = ctx->needs_input_grad(1) ? at::empty_like(responses) : Tensor();
    AT_DISPATCH_FLOATING_TYPES(audio.scalar_type(), "ConvolveFrames", [&] {
      ForEachRow(audio.size(0), [&](int64_t row) {
        const scalar_t* d = Row<scalar_t>(d_out, row);
        if (d_audio.defined()) {
          shape.SignalGradient(Row<scalar_t>(responses, row), d, MutableRow<scalar_t>(d_audio, row));
        }
        if (d_responses.defined()) {
          shape.ResponseGradient(Row<scalar_t>(audio, row), d, MutableRow<scalar_t>(d_responses, row));
        }
      });
    });
    return {d_audio, d_responses};
  }
};

bool CanFuse(const Tensor& audio, const Tensor& magnitudes) {
  const at::ScalarType type = audio.scalar_type();
  if (audio.dim() != 2 || magnitudes.dim() != 3 || !audio.device().is_cpu() || !magnitudes.device().is_cpu() ||
      type != magnitudes.scalar_type() || (type != at::kFloat && type != at::kDouble))
    return false;
  return audio.size(1) > 0 && magnitudes.size(0) == audio.size(0) && magnitudes.size(1) > 0 &&
         audio.size(1) % magnitudes.size(1) == 0;
}

// FrequencyImpulseResponse() of few bands: it is linear, and a product with its matrix takes less memory and time than
// spectra and their windows.
Tensor ImpulseResponses(const Tensor& magnitudes, int64_t window_size) {
  const int64_t bands = magnitudes.size(2);
  if (bands < 2 || bands > kMostBands) return FrequencyImpulseResponse(magnitudes, window_size);
  const Tensor matrix = FrequencyImpulseResponse(at::eye(bands, at::kDouble), window_size);
  return at::matmul(magnitudes, matrix.to(magnitudes.scalar_type()));
}

}  // namespace

at::Tensor ConvolveFrames(const Tensor& audio, const Tensor& responses) {
  return FrameConvolutionFunction::apply(audio, responses);
}

at::Tensor FilterFrames(const Tensor& audio, const Tensor& magnitudes, int64_t window_size) {
  if (!CanFuse(audio, magnitudes)) return FrequencyFilter(audio, magnitudes, window_size);
  const Tensor responses = ImpulseResponses(magnitudes, window_size);
  const ConvolutionOptions same = {ConvolutionPadding::kSame, kAutomaticDelay};
  if (responses.size(2) > kMostTaps) return FftConvolve(audio, responses, same);
  const Tensor convolved = ConvolveFrames(audio.contiguous(), responses.contiguous());
  return CropAndCompensateDelay(convolved, audio.size(1), responses.size(2), same);
}

}  // namespace ddsp
