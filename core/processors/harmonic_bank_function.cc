#include "core/processors/harmonic_bank_function.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/harmonic_bank.h"

namespace ddsp {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernels::HarmonicBank BankFor(int64_t hop, int64_t harmonics, double sample_rate, int64_t ramp) {
  kernels::HarmonicBank::Options options;
  options.sample_rate_hz = sample_rate;
  options.hop = static_cast<int>(hop);
  options.harmonics = static_cast<int>(harmonics);
  options.ramp = static_cast<kernels::AmplitudeRamp>(ramp);
  return kernels::HarmonicBank(options);
}

// f0 [batch, frames], amplitudes [batch, frames, harmonics] to audio [batch, frames * hop].
class HarmonicBankFunction : public torch::autograd::Function<HarmonicBankFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& f0, const Tensor& amplitudes, int64_t hop,
                        double sample_rate, int64_t ramp) {
    const int64_t batch = amplitudes.size(0), frames = amplitudes.size(1), harmonics = amplitudes.size(2);
    const auto bank = BankFor(hop, harmonics, sample_rate, ramp);
    Tensor audio = at::empty({batch, frames * hop}, amplitudes.options());
    const float* f = f0.const_data_ptr<float>();
    const float* a = amplitudes.const_data_ptr<float>();
    float* out = audio.data_ptr<float>();
    at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        double phase = 0;
        bank.Render(f + row * frames, a + row * frames * harmonics, frames, phase, out + row * frames * hop);
      }
    });
    ctx->save_for_backward({f0});
    ctx->saved_data["hop"] = hop;
    ctx->saved_data["harmonics"] = harmonics;
    ctx->saved_data["sample_rate"] = sample_rate;
    ctx->saved_data["ramp"] = ramp;
    return audio;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const Tensor f0 = ctx->get_saved_variables()[0];
    const int64_t hop = ctx->saved_data["hop"].toInt(), harmonics = ctx->saved_data["harmonics"].toInt();
    const int64_t batch = f0.size(0), frames = f0.size(1);
    const auto bank =
        BankFor(hop, harmonics, ctx->saved_data["sample_rate"].toDouble(), ctx->saved_data["ramp"].toInt());
    const Tensor d_audio = grads[0].contiguous();
    Tensor d_amplitudes = at::empty({batch, frames, harmonics}, f0.options());
    const float* f = f0.const_data_ptr<float>();
    const float* d = d_audio.const_data_ptr<float>();
    float* out = d_amplitudes.data_ptr<float>();
    at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        bank.Backward(f + row * frames, d + row * frames * hop, frames, out + row * frames * harmonics);
      }
    });
    return {Tensor(), d_amplitudes, Tensor(), Tensor(), Tensor()};
  }
};

bool IsPlainFloat(const Tensor& x) { return x.scalar_type() == at::kFloat && x.device().is_cpu(); }

}  // namespace

bool CanFuseHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options) {
  const Tensor &f0 = controls.frequencies, &amplitudes = controls.amplitudes,
               &distribution = controls.harmonic_distribution;
  if (options.accumulation != PhaseAccumulation::kExact || controls.harmonic_shifts.defined() ||
      !distribution.defined())
    return false;
  if (f0.dim() != 3 || amplitudes.dim() != 3 || distribution.dim() != 3 || f0.requires_grad()) return false;
  if (!IsPlainFloat(f0) || !IsPlainFloat(amplitudes) || !IsPlainFloat(distribution)) return false;
  const int64_t frames = f0.size(1);
  if (f0.size(0) != distribution.size(0) || frames != distribution.size(1) || f0.size(2) != 1) return false;
  const bool ramp =
      options.amp_resample_method == Interpolation::kLinear || options.amp_resample_method == Interpolation::kWindow;
  return ramp && frames > 0 && options.n_samples % frames == 0 && frames + 1 < options.n_samples;
}

at::Tensor FusedHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options) {
  const Tensor f0 = controls.frequencies.squeeze(2).contiguous();
  const Tensor amplitudes = (controls.amplitudes * controls.harmonic_distribution).contiguous();
  const auto ramp = options.amp_resample_method == Interpolation::kLinear ? kernels::AmplitudeRamp::kLinear
                                                                          : kernels::AmplitudeRamp::kHann;
  return HarmonicBankFunction::apply(f0, amplitudes, options.n_samples / f0.size(1), options.sample_rate,
                                     static_cast<int64_t>(ramp));
}

}  // namespace ddsp
