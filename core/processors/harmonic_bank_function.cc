#include "core/processors/harmonic_bank_function.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/exact_harmonic_bank.h"
#include "core/kernels/harmonic_bank.h"

namespace ddsp {
namespace {

using at::Tensor;
using kernels::ExactHarmonicBank;
using kernels::HarmonicBank;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// f0 [batch, frames], amplitudes [batch, frames, harmonics], audio [batch, frames * hop], all contiguous.
struct Shape {
  explicit Shape(const Tensor& f0, const HarmonicBank::Options& options)
      : batch(f0.size(0)), frames(f0.size(1)), samples(frames * options.hop), bins(frames * options.harmonics) {}
  int64_t batch, frames, samples, bins;  // per row but for the batch
};

template <typename F>
void ForEachRow(int64_t batch, F f) {
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) f(row);
  });
}

Tensor Render(const Tensor& f0, const Tensor& amplitudes, const HarmonicBank::Options& options) {
  const Shape shape(f0, options);
  Tensor audio = at::empty({shape.batch, shape.samples}, amplitudes.options());
  if (f0.scalar_type() == at::kFloat) {
    const HarmonicBank bank(options);
    ForEachRow(shape.batch, [&](int64_t row) {
      double phase = 0;
      bank.Render(f0.const_data_ptr<float>() + row * shape.frames,
                  amplitudes.const_data_ptr<float>() + row * shape.bins, shape.frames, phase,
                  audio.data_ptr<float>() + row * shape.samples);
    });
    return audio;
  }
  const ExactHarmonicBank<double> bank(options);
  ForEachRow(shape.batch, [&](int64_t row) {
    bank.Render(f0.const_data_ptr<double>() + row * shape.frames,
                amplitudes.const_data_ptr<double>() + row * shape.bins, shape.frames,
                audio.data_ptr<double>() + row * shape.samples);
  });
  return audio;
}

template <typename T, typename Bank>
Tensor AmplitudeGradient(const Bank& bank, const Tensor& f0, const Tensor& d_audio,
                         void (Bank::*gradient)(const T*, const T*, int64_t, T*) const,
                         const HarmonicBank::Options& options) {
  const Shape shape(f0, options);
  Tensor d_amplitudes = at::empty({shape.batch, shape.frames, options.harmonics}, f0.options());
  ForEachRow(shape.batch, [&](int64_t row) {
    (bank.*gradient)(f0.const_data_ptr<T>() + row * shape.frames, d_audio.const_data_ptr<T>() + row * shape.samples,
                     shape.frames, d_amplitudes.data_ptr<T>() + row * shape.bins);
  });
  return d_amplitudes;
}

Tensor AmplitudeGradient(const Tensor& f0, const Tensor& d_audio, const HarmonicBank::Options& options) {
  if (f0.scalar_type() == at::kFloat) {
    return AmplitudeGradient<float>(HarmonicBank(options), f0, d_audio, &HarmonicBank::Backward, options);
  }
  return AmplitudeGradient<double>(ExactHarmonicBank<double>(options), f0, d_audio,
                                   &ExactHarmonicBank<double>::AmplitudeGradient, options);
}

Tensor PitchGradient(const Tensor& f0, const Tensor& amplitudes, const Tensor& d_audio,
                     const HarmonicBank::Options& options) {
  const Shape shape(f0, options);
  Tensor d_f0 = at::empty_like(f0);
  AT_DISPATCH_FLOATING_TYPES(f0.scalar_type(), "PitchGradient", [&] {
    const ExactHarmonicBank<scalar_t> bank(options);
    ForEachRow(shape.batch, [&](int64_t row) {
      bank.PitchGradient(f0.const_data_ptr<scalar_t>() + row * shape.frames,
                         amplitudes.const_data_ptr<scalar_t>() + row * shape.bins,
                         d_audio.const_data_ptr<scalar_t>() + row * shape.samples, shape.frames,
                         d_f0.data_ptr<scalar_t>() + row * shape.frames);
    });
  });
  return d_f0;
}

class HarmonicBankFunction : public torch::autograd::Function<HarmonicBankFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& f0, const Tensor& amplitudes, int64_t hop,
                        double sample_rate, int64_t ramp) {
    ctx->save_for_backward({f0, f0.requires_grad() ? amplitudes : Tensor()});
    ctx->saved_data["hop"] = hop;
    ctx->saved_data["harmonics"] = amplitudes.size(2);
    ctx->saved_data["sample_rate"] = sample_rate;
    ctx->saved_data["ramp"] = ramp;
    return Render(f0, amplitudes, OptionsOf(ctx));
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &f0 = saved[0], &amplitudes = saved[1], d_audio = grads[0].contiguous();
    const HarmonicBank::Options options = OptionsOf(ctx);
    return {ctx->needs_input_grad(0) ? PitchGradient(f0, amplitudes, d_audio, options) : Tensor(),
            ctx->needs_input_grad(1) ? AmplitudeGradient(f0, d_audio, options) : Tensor(), Tensor(), Tensor(),
            Tensor()};
  }

 private:
  static HarmonicBank::Options OptionsOf(AutogradContext* ctx) {
    HarmonicBank::Options options;
    options.sample_rate_hz = ctx->saved_data["sample_rate"].toDouble();
    options.hop = static_cast<int>(ctx->saved_data["hop"].toInt());
    options.harmonics = static_cast<int>(ctx->saved_data["harmonics"].toInt());
    options.ramp = static_cast<kernels::AmplitudeRamp>(ctx->saved_data["ramp"].toInt());
    return options;
  }
};

bool IsPlain(const Tensor& x, at::ScalarType type) {
  return x.dim() == 3 && x.device().is_cpu() && x.scalar_type() == type && (type == at::kFloat || type == at::kDouble);
}

bool CanRamp(const HarmonicSynthesisOptions& options, int64_t frames) {
  const bool ramp =
      options.amp_resample_method == Interpolation::kLinear || options.amp_resample_method == Interpolation::kWindow;
  return ramp && frames > 0 && options.n_samples % frames == 0 && frames + 1 < options.n_samples;
}

}  // namespace

bool CanFuseHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options) {
  const Tensor &f0 = controls.frequencies, &amplitudes = controls.amplitudes,
               &distribution = controls.harmonic_distribution;
  if (options.accumulation != PhaseAccumulation::kExact || controls.harmonic_shifts.defined() ||
      !distribution.defined())
    return false;
  const at::ScalarType type = f0.scalar_type();
  if (!IsPlain(f0, type) || !IsPlain(amplitudes, type) || !IsPlain(distribution, type)) return false;
  const int64_t frames = f0.size(1);
  if (f0.size(0) != distribution.size(0) || frames != distribution.size(1) || f0.size(2) != 1) return false;
  return CanRamp(options, frames);
}

at::Tensor FusedHarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options) {
  return HarmonicBankAudio(controls.frequencies.squeeze(2), controls.amplitudes * controls.harmonic_distribution,
                           options);
}

bool CanFuseSinusoids(const Tensor& frequencies, const Tensor& amplitudes, const HarmonicSynthesisOptions& options) {
  const at::ScalarType type = frequencies.scalar_type();
  return options.accumulation == PhaseAccumulation::kExact && IsPlain(frequencies, type) && IsPlain(amplitudes, type) &&
         frequencies.sizes() == amplitudes.sizes() && frequencies.size(2) > 0 && CanRamp(options, frequencies.size(1));
}

at::Tensor FusedSinusoids(const Tensor& frequencies, const Tensor& amplitudes,
                          const HarmonicSynthesisOptions& options) {
  // All of one sinusoid side by side; the gradients of the parts become one tensor in one step.
  const std::vector<Tensor> hz = frequencies.permute({2, 0, 1}).contiguous().unbind(0),
                            amps = amplitudes.permute({2, 0, 1}).unsqueeze(3).contiguous().unbind(0);
  Tensor sum = HarmonicBankAudio(hz[0], amps[0], options);
  for (size_t s = 1; s < hz.size(); ++s) sum = sum + HarmonicBankAudio(hz[s], amps[s], options);
  return sum;
}

at::Tensor HarmonicBankAudio(const Tensor& f0_hz, const Tensor& amplitudes, const HarmonicSynthesisOptions& options) {
  const auto ramp = options.amp_resample_method == Interpolation::kLinear ? kernels::AmplitudeRamp::kLinear
                                                                          : kernels::AmplitudeRamp::kHann;
  return HarmonicBankFunction::apply(f0_hz.contiguous(), amplitudes.contiguous(), options.n_samples / f0_hz.size(1),
                                     options.sample_rate, static_cast<int64_t>(ramp));
}

}  // namespace ddsp
