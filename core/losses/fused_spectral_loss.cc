#include "core/losses/fused_spectral_loss.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "core/kernels/spectrum_distance.h"

namespace ddsp {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernels::Framing FramingOf(int64_t size, int64_t samples) {
  const int64_t hop = size / 4;
  return {samples, size, hop, (samples + hop - 1) / hop};
}

int64_t BinsOf(const kernels::Framing& framing) { return framing.frames * (framing.size / 2 + 1); }

// Works on one scale of one row at a time, in buffers that it keeps.
template <typename T>
class Scale {
 public:
  Scale(const kernels::Framing& framing, const kernels::DistanceWeights& weights, const at::TensorOptions& options)
      : framing_(framing),
        weights_(weights),
        window_(at::hann_window(framing.size, /*periodic=*/true, options)),
        half_window_(window_ * 0.5),
        target_frames_(at::empty({framing.frames, framing.size}, options)),
        audio_frames_(at::empty_like(target_frames_)),
        target_(at::empty({framing.frames, framing.size / 2 + 1},
                          options.dtype(c10::CppTypeToScalarType<c10::complex<T>>::value))),
        audio_(at::empty_like(target_)) {}

  // Weighted sum of distances over all bins of a row. `gradient` (null: none) gets that of the sum, times `factor`.
  double Add(const T* target, const T* audio, double factor, T* gradient) {
    const T* window = window_.template const_data_ptr<T>();
    kernels::FrameSignal(framing_, target, window, target_frames_.template data_ptr<T>());
    kernels::FrameSignal(framing_, audio, window, audio_frames_.template data_ptr<T>());
    at::_fft_r2c_out(target_, target_frames_, {1}, /*normalization=*/0, /*onesided=*/true);
    at::_fft_r2c_out(audio_, audio_frames_, {1}, /*normalization=*/0, /*onesided=*/true);
    kernels::DistanceWeights scaled = weights_;
    scaled.magnitude *= factor;
    scaled.log_magnitude *= factor;
    const auto distance = kernels::CompareSpectra(scaled, BinsOf(framing_), Numbers(target_), Numbers(audio_));
    if (gradient != nullptr) Backpropagate(gradient);
    return weights_.magnitude * distance.magnitude + weights_.log_magnitude * distance.log_magnitude;
  }

 private:
  static T* Numbers(const Tensor& spectrum) { return reinterpret_cast<T*>(spectrum.data_ptr<c10::complex<T>>()); }

  // The adjoint of a one-sided transform is the real part of the inverse over the bins that are there; the library's
  // inverse takes every bin but the first and the last twice.
  void Backpropagate(T* gradient) {
    for (int64_t f = 0; f < framing_.frames; ++f) {
      T* row = Numbers(audio_) + f * (framing_.size + 2);
      row[0] *= 2;
      row[framing_.size] *= 2;
    }
    at::_fft_c2r_out(audio_frames_, audio_, {1}, /*normalization=*/0, framing_.size);
    kernels::OverlapAddFrames(framing_, audio_frames_.template const_data_ptr<T>(),
                              half_window_.template const_data_ptr<T>(), gradient);
  }

  const kernels::Framing framing_;
  const kernels::DistanceWeights weights_;
  const Tensor window_, half_window_;
  Tensor target_frames_, audio_frames_, target_, audio_;
};

// The loss; `gradient` [batch, samples], zeros or undefined, gets its own.
template <typename T>
double AddScales(const SpectralLossOptions& options, const Tensor& target, const Tensor& audio,
                 const Tensor& gradient) {
  const int64_t batch = audio.size(0), samples = audio.size(1);
  const kernels::DistanceWeights weights = {std::max(0.0, options.mag_weight), std::max(0.0, options.logmag_weight),
                                            options.log_floor};
  std::vector<double> losses(batch);
  for (const int64_t size : options.fft_sizes) {
    const kernels::Framing framing = FramingOf(size, samples);
    const double factor = 1.0 / (static_cast<double>(batch) * static_cast<double>(BinsOf(framing)));
    at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
      const at::NoGradGuard no_gradients;
      Scale<T> scale(framing, weights, audio.options().requires_grad(false));
      for (int64_t row = begin; row < end; ++row) {
        T* row_gradient = gradient.defined() ? gradient.data_ptr<T>() + row * samples : nullptr;
        losses[row] += factor * scale.Add(target.const_data_ptr<T>() + row * samples,
                                          audio.const_data_ptr<T>() + row * samples, factor, row_gradient);
      }
    });
  }
  double loss = 0;
  for (const double row : losses) loss += row;
  return loss;
}

enum class Gradient { kNone, kWanted };

class SpectralLossFunction : public torch::autograd::Function<SpectralLossFunction> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& target, const Tensor& audio,
                        const SpectralLossOptions& options, Gradient wanted) {
    const Tensor t = target.contiguous(), x = audio.contiguous();
    const Tensor gradient = wanted == Gradient::kWanted ? at::zeros_like(x) : Tensor();
    double loss = 0;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "SpectralLoss",
                               [&] { loss = AddScales<scalar_t>(options, t, x, gradient); });
    context->save_for_backward({gradient});
    return at::scalar_tensor(loss, x.options());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {Tensor(), context->get_saved_variables()[0] * gradients[0], Tensor(), Tensor()};
  }
};

bool IsWindow(int64_t size) { return size >= 8 && (size & (size - 1)) == 0; }

bool IsPlain(const Tensor& x) {
  return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

}  // namespace

bool CanFuseSpectralLoss(const SpectralLossOptions& options, const Tensor& target_audio, const Tensor& audio,
                         const Tensor& weights) {
  const bool other_terms = options.delta_time_weight > 0 || options.delta_freq_weight > 0 ||
                           options.cumsum_freq_weight > 0 || options.loudness_weight > 0;
  if (options.loss_type != LossType::kL1 || other_terms || weights.defined()) return false;
  if (!std::all_of(options.fft_sizes.begin(), options.fft_sizes.end(), IsWindow)) return false;
  return IsPlain(target_audio) && IsPlain(audio) && target_audio.scalar_type() == audio.scalar_type() &&
         !target_audio.requires_grad() && audio.size(0) > 0 && audio.size(1) > 0;
}

at::Tensor FusedSpectralLoss(const SpectralLossOptions& options, const Tensor& target_audio, const Tensor& audio) {
  const bool wanted = audio.requires_grad() && at::GradMode::is_enabled();
  return SpectralLossFunction::apply(target_audio.detach(), audio, options,
                                     wanted ? Gradient::kWanted : Gradient::kNone);
}

}  // namespace ddsp
