// Synthesisers: controls in, audio [batch, n_samples] out (upstream: synths.py). Controls are [batch, frames,
// channels]. In a stream, where a hop is given, n_samples does not count.
#pragma once

#include "core/dsp/oscillator.h"
#include "core/dsp/resample.h"
#include "core/dsp/scaling.h"
#include "core/processors/streaming_processor.h"

namespace ddsp {

// samples [batch, time, 1] to audio [batch, time]. Upstream: TensorToAudio.
class TensorToAudio : public StreamingProcessor {
 public:
  explicit TensorToAudio(std::string name = "tensor_to_audio");

 protected:
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;
};

// What happens to harmonics above Nyquist before the distribution is normalised; sample by sample they are silent in
// any case.
enum class AboveNyquist { kRemove, kKeepShare };

struct HarmonicOptions {
  int64_t n_samples = 64000;
  double sample_rate = 16000;                          // Hz
  ScaleFn scale_fn = ScaleFn::kExpSigmoid;             // of amplitudes and distribution
  AboveNyquist above_nyquist = AboveNyquist::kRemove;  // upstream: normalize_below_nyquist
  Interpolation amp_resample_method = Interpolation::kWindow;
};

// A bank of harmonics: amplitudes [.., 1], harmonic_distribution [.., harmonics], f0_hz [.., 1]. Latency: one hop, two
// for cubic amplitudes. Upstream: Harmonic.
class Harmonic : public StreamingProcessor {
 public:
  using Options = HarmonicOptions;
  explicit Harmonic(const Options& options, std::string name = "harmonic");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  int64_t Latency(const StreamLayout& layout) const override;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  class Stream;
  const Options options_;
};

// Harmonic with a phase that is a sum in float32, as upstream's (use_angular_cumsum: kAngularCumsum). It drifts: for
// comparing with upstream, not for streams.
class FloatPhaseHarmonic : public Processor {
 public:
  FloatPhaseHarmonic(const HarmonicOptions& options, PhaseAccumulation accumulation, std::string name = "harmonic");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const HarmonicOptions options_;
  const PhaseAccumulation accumulation_;
};

// White noise through a filter that changes from frame to frame: magnitudes [.., bands]. Noise is [batch, n_samples].
// Latency: half the filter, see FrameFilter. Upstream: FilteredNoise.
class FilteredNoise : public StreamingProcessor {
 public:
  struct Options {
    int64_t n_samples = 64000;
    int64_t window_size = 257;  // taps; 0: as many as the bands give
    ScaleFn scale_fn = ScaleFn::kExpSigmoid;
    double initial_bias = -5.0;  // added before scale_fn
  };
  explicit FilteredNoise(const Options& options, std::string name = "filtered_noise");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  int64_t Latency(const StreamLayout& layout) const override;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  class Stream;
  const Options options_;
};

// amplitudes [.., 1], wavetables [.., points], f0_hz [.., 1]. The default scale_fn makes tables positive; real use sets
// kNone. Latency: one hop. Upstream: Wavetable.
class Wavetable : public StreamingProcessor {
 public:
  struct Options {
    int64_t n_samples = 64000;
    double sample_rate = 16000;  // Hz
    ScaleFn scale_fn = ScaleFn::kExpSigmoid;
  };
  explicit Wavetable(const Options& options, std::string name = "wavetable");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  int64_t Latency(const StreamLayout& layout) const override { return layout.hop; }
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  class Stream;
  const Options options_;
};

enum class FrequencyScale { kNone, kSigmoid, kSoftmax, kCriticalBands };
// Upstream names: "core.frequencies_sigmoid", ...; "" is kNone. Errors: INVALID_ARGUMENT.
absl::StatusOr<FrequencyScale> ParseFrequencyScale(const std::string& name);

struct SinusoidalOptions {
  int64_t n_samples = 64000;
  double sample_rate = 16000;  // Hz
  ScaleFn amp_scale_fn = ScaleFn::kExpSigmoid;
  Interpolation amp_resample_method = Interpolation::kWindow;
  FrequencyScale freq_scale_fn = FrequencyScale::kSigmoid;
};

// Independent sinusoids: amplitudes, frequencies [.., sinusoids]. Latency: as Harmonic. Upstream: Sinusoidal.
class Sinusoidal : public StreamingProcessor {
 public:
  using Options = SinusoidalOptions;
  explicit Sinusoidal(const Options& options, std::string name = "sinusoidal");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  int64_t Latency(const StreamLayout& layout) const override;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  class Stream;
  const Options options_;
};

// Sinusoidal with a phase that is a sum in float32, as upstream's; see FloatPhaseHarmonic.
class FloatPhaseSinusoidal : public Processor {
 public:
  FloatPhaseSinusoidal(const SinusoidalOptions& options, PhaseAccumulation accumulation,
                       std::string name = "sinusoidal");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const SinusoidalOptions options_;
  const PhaseAccumulation accumulation_;
};

}  // namespace ddsp
