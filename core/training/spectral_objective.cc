#include "core/training/spectral_objective.h"

#include <torch/torch.h>

namespace ddsp::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// One scale: adds its loss, and its gradient to `gradient` [batch, samples].
class Scale {
 public:
  Scale(int64_t size, int64_t samples, const DistanceWeights& weights)
      : size_(size),
        hop_(size / 4),
        frames_((samples + hop_ - 1) / hop_),
        samples_(samples),
        weights_(weights),
        window_(at::hann_window(size, /*periodic=*/true)),
        frames_of_target_(at::empty({frames_, size})),
        frames_of_synth_(at::empty({frames_, size})),
        target_(at::empty({frames_, size / 2 + 1}, at::kComplexFloat)),
        synth_(at::empty({frames_, size / 2 + 1}, at::kComplexFloat)) {}

  // Weighted sum of distances over all bins of a signal. `gradient` may be null; it gets that of the sum, times
  // `factor`.
  double Add(const float* target, const float* synth, float factor, float* gradient) {
    const float* window = window_.data_ptr<float>();
    FrameSignal(target, samples_, window, size_, hop_, frames_, frames_of_target_.data_ptr<float>());
    FrameSignal(synth, samples_, window, size_, hop_, frames_, frames_of_synth_.data_ptr<float>());
    at::_fft_r2c_out(target_, frames_of_target_, {1}, 0, true);
    at::_fft_r2c_out(synth_, frames_of_synth_, {1}, 0, true);
    DistanceWeights scaled = weights_;
    scaled.magnitude *= factor;
    scaled.log_magnitude *= factor;
    float* spectrum = reinterpret_cast<float*>(synth_.data_ptr<c10::complex<float>>());
    const SpectrumDistance distance =
        CompareSpectra(scaled, frames_ * (size_ / 2 + 1),
                       reinterpret_cast<const float*>(target_.data_ptr<c10::complex<float>>()), spectrum);
    if (gradient != nullptr) Backpropagate(spectrum, gradient);
    return weights_.magnitude * distance.magnitude + weights_.log_magnitude * distance.log_magnitude;
  }

  int64_t bins() const { return frames_ * (size_ / 2 + 1); }

 private:
  // The adjoint of a one-sided transform is the real part of the inverse over the bins that are there; the library's
  // inverse takes every bin but the first and the last twice.
  void Backpropagate(float* spectrum, float* gradient) {
    const int64_t stride = size_ + 2;
    for (int64_t f = 0; f < frames_; ++f) {
      float* row = spectrum + f * stride;
      row[0] *= 2;
      row[size_] *= 2;
    }
    at::_fft_c2r_out(frames_of_synth_, synth_, {1}, 0, size_);
    OverlapAdd(frames_of_synth_.data_ptr<float>(), half_window(), size_, hop_, frames_, samples_, gradient);
  }
  const float* half_window() {
    if (!half_window_.defined()) half_window_ = window_ * 0.5;
    return half_window_.data_ptr<float>();
  }

  const int64_t size_, hop_, frames_, samples_;
  const DistanceWeights weights_;
  at::Tensor window_, half_window_, frames_of_target_, frames_of_synth_, target_, synth_;
};

class SpectralObjectiveFunction : public torch::autograd::Function<SpectralObjectiveFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& target, const at::Tensor& synth,
                            const SpectralObjectiveOptions& options) {
    const at::Tensor t = target.contiguous(), s = synth.contiguous();
    const int64_t batch = s.size(0), samples = s.size(1);
    TORCH_CHECK(t.sizes() == s.sizes(), "target ", t.sizes(), " and synthesised audio ", s.sizes(), " differ in shape");
    at::Tensor gradient = at::zeros_like(s);
    double loss = 0;
    for (const int64_t size : options.fft_sizes) {
      Scale scale(size, samples, options.weights);
      const double count = static_cast<double>(batch) * scale.bins();
      for (int64_t item = 0; item < batch; ++item) {
        loss += scale.Add(t.data_ptr<float>() + item * samples, s.data_ptr<float>() + item * samples,
                          static_cast<float>(1 / count), gradient.data_ptr<float>() + item * samples) /
                count;
      }
    }
    context->save_for_backward({gradient});
    return at::scalar_tensor(loss, s.options());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {at::Tensor(), context->get_saved_variables()[0] * gradients[0], at::Tensor()};
  }
};

}  // namespace

at::Tensor SpectralObjective(const SpectralObjectiveOptions& options, const at::Tensor& target,
                             const at::Tensor& synth) {
  return SpectralObjectiveFunction::apply(target.detach(), synth, options);
}

}  // namespace ddsp::training
