// Effects: audio [batch, samples] in, audio of the same length out (upstream: effects.py).
#pragma once

#include "core/dsp/scaling.h"
#include "core/dsp/wavetable.h"
#include "core/processors/streaming_processor.h"
#include "core/processors/synths.h"

namespace ddsp {

enum class DrySignal { kAdd, kLeaveOut };  // upstream: add_dry

// Where the parameters of a reverb come from. Upstream: trainable = false, true.
enum class ReverbSource { kInputs, kParameters };

// Convolution with an impulse response whose first tap is forced to zero. `ir` is [taps], [batch, taps] or [batch,
// taps, 1]; a trainable reverb has the parameter ir [reverb_length] instead, initially N(0, 1e-6). No latency.
// Upstream: Reverb.
class Reverb : public StreamingProcessor {
 public:
  struct Options {
    ReverbSource source = ReverbSource::kInputs;
    int64_t reverb_length = 48000;  // taps, of the parameter
    DrySignal dry = DrySignal::kAdd;
  };
  explicit Reverb(const Options& options, std::string name = "reverb");

 protected:
  // For a reverb that makes its response of other things: the inputs of `response`, or its parameters in their place.
  Reverb(const Options& options, std::string name, Signature response);

  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const final;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const final;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const final;

  // `ir`, made of the inputs, or of the parameters with a batch axis.
  virtual at::Tensor Response(const NamedTensors& source, const ProcessorContext& context) const;

  const Options options_;

 private:
  at::Tensor ResponseOf(const NamedTensors& inputs, const ProcessorContext& context) const;
};

// Decaying noise: gain [batch, 1] and decay [batch, 1], or the parameters gain [1] (2) and decay [1] (4). Noise is [1,
// reverb_length], a new draw for every call. Upstream: ExpDecayReverb.
class ExpDecayReverb : public Reverb {
 public:
  ExpDecayReverb(const Options& options, ScaleFn scale_fn, std::string name = "exp_decay_reverb");

 protected:
  at::Tensor Response(const NamedTensors& source, const ProcessorContext& context) const override;

 private:
  const ScaleFn scale_fn_;
};

// An impulse response made by FilteredNoise from magnitudes [batch, frames, bands], or from the parameter magnitudes
// [n_frames, n_filter_banks], initially N(0, 1e-2). Noise is [batch of the magnitudes, reverb_length], a new draw for
// every call: a model in use freezes one response and plays it through Reverb. Upstream: FilteredNoiseReverb.
class FilteredNoiseReverb : public Reverb {
 public:
  struct NoiseOptions {
    int64_t window_size = 257;
    int64_t n_frames = 1000;
    int64_t n_filter_banks = 16;
    ScaleFn scale_fn = ScaleFn::kExpSigmoid;
    double initial_bias = -3.0;
  };
  FilteredNoiseReverb(const Options& options, const NoiseOptions& noise, std::string name = "filtered_noise_reverb");

 protected:
  at::Tensor Response(const NamedTensors& source, const ProcessorContext& context) const override;

 private:
  const FilteredNoise synth_;
};

// A filter that changes from frame to frame: magnitudes [batch, frames, bands]. Latency: half the filter, see
// FrameFilter. Upstream: FIRFilter.
class FirFilter : public StreamingProcessor {
 public:
  struct Options {
    int64_t window_size = 257;
    ScaleFn scale_fn = ScaleFn::kExpSigmoid;
  };
  explicit FirFilter(const Options& options, std::string name = "fir_filter");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  int64_t Latency(const StreamLayout& layout) const override;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  class Stream;
  const Options options_;
};

// A modulated delay: gain [batch, samples(, 1)], phase [batch, samples, 1]. With the default scaling the delay runs
// from center to center + depth (not from center - depth, as upstream documents); with phase in [-1, 1] and no scaling
// from center - depth. No latency. Upstream: ModDelay.
class ModDelay : public StreamingProcessor {
 public:
  struct Options {
    double center_ms = 15.0;
    double depth_ms = 10.0;
    double sample_rate = 16000;  // Hz
    ScaleFn gain_scale_fn = ScaleFn::kExpSigmoid;
    ScaleFn phase_scale_fn = ScaleFn::kSigmoid;
    DrySignal dry = DrySignal::kAdd;
    DelayEnd end = DelayEnd::kHold;  // upstream: kWrap
  };
  explicit ModDelay(const Options& options, std::string name = "mod_delay");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  class Stream;
  int64_t MaxLength() const;  // of the delay line, samples
  const Options options_;
};

}  // namespace ddsp
