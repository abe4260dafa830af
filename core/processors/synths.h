// Synthesisers: controls in, audio [batch, n_samples] out (upstream: synths.py). Controls are [batch, frames,
// channels].
#pragma once

#include "core/dsp/oscillator.h"
#include "core/dsp/resample.h"
#include "core/dsp/scaling.h"
#include "core/processors/processor.h"

namespace ddsp {

// samples [batch, time, 1] to audio [batch, time]. Upstream: TensorToAudio.
class TensorToAudio : public Processor {
 public:
  explicit TensorToAudio(std::string name = "tensor_to_audio") : Processor(std::move(name)) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
};

// What happens to harmonics above Nyquist before the distribution is normalised; sample by sample they are silent in
// any case.
enum class AboveNyquist { kRemove, kKeepShare };

// A bank of harmonics: amplitudes [.., 1], harmonic_distribution [.., harmonics], f0_hz [.., 1]. Upstream: Harmonic.
class Harmonic : public Processor {
 public:
  struct Options {
    int64_t n_samples = 64000;
    double sample_rate = 16000;                          // Hz
    ScaleFn scale_fn = ScaleFn::kExpSigmoid;             // of amplitudes and distribution
    AboveNyquist above_nyquist = AboveNyquist::kRemove;  // upstream: normalize_below_nyquist
    Interpolation amp_resample_method = Interpolation::kWindow;
    PhaseAccumulation accumulation = PhaseAccumulation::kExact;  // upstream has the other two: use_angular_cumsum
  };
  Harmonic(const Options& options, std::string name = "harmonic") : Processor(std::move(name)), options_(options) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const Options options_;
};

// White noise through a filter that changes from frame to frame: magnitudes [.., bands]. Noise is [batch, n_samples].
// Upstream: FilteredNoise.
class FilteredNoise : public Processor {
 public:
  struct Options {
    int64_t n_samples = 64000;
    int64_t window_size = 257;  // taps; 0: as many as the bands give
    ScaleFn scale_fn = ScaleFn::kExpSigmoid;
    double initial_bias = -5.0;  // added before scale_fn
  };
  FilteredNoise(const Options& options, std::string name = "filtered_noise")
      : Processor(std::move(name)), options_(options) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const Options options_;
};

// amplitudes [.., 1], wavetables [.., points], f0_hz [.., 1]. The default scale_fn makes tables positive; real use sets
// kNone. Upstream: Wavetable.
class Wavetable : public Processor {
 public:
  struct Options {
    int64_t n_samples = 64000;
    double sample_rate = 16000;  // Hz
    ScaleFn scale_fn = ScaleFn::kExpSigmoid;
  };
  Wavetable(const Options& options, std::string name = "wavetable") : Processor(std::move(name)), options_(options) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const Options options_;
};

enum class FrequencyScale { kNone, kSigmoid, kSoftmax, kCriticalBands };
// Upstream names: "core.frequencies_sigmoid", ...; "" is kNone. Errors: INVALID_ARGUMENT.
absl::StatusOr<FrequencyScale> ParseFrequencyScale(const std::string& name);

// Independent sinusoids: amplitudes, frequencies [.., sinusoids]. Upstream: Sinusoidal.
class Sinusoidal : public Processor {
 public:
  struct Options {
    int64_t n_samples = 64000;
    double sample_rate = 16000;  // Hz
    ScaleFn amp_scale_fn = ScaleFn::kExpSigmoid;
    Interpolation amp_resample_method = Interpolation::kWindow;
    FrequencyScale freq_scale_fn = FrequencyScale::kSigmoid;
    PhaseAccumulation accumulation = PhaseAccumulation::kExact;
  };
  Sinusoidal(const Options& options, std::string name = "sinusoidal") : Processor(std::move(name)), options_(options) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const Options options_;
};

}  // namespace ddsp
