#include "core/dsp/wavetable.h"
#include "core/processors/frame_upsampler.h"
#include "core/processors/synths.h"

namespace ddsp {

using at::Tensor;

Wavetable::Wavetable(const Options& options, std::string name)
    : StreamingProcessor(std::move(name), {{{"amplitudes", PortRate::kFrames, 1},
                                            {"wavetables", PortRate::kFrames, kAnyChannels},
                                            {"f0_hz", PortRate::kFrames, 1}},
                                           {"amplitudes", "wavetables", "f0_hz"}}),
      options_(options) {}

NamedTensors Wavetable::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"amplitudes", ApplyScale(options_.scale_fn, inputs.at("amplitudes"))},
          {"wavetables", ApplyScale(options_.scale_fn, inputs.at("wavetables"))},
          {"f0_hz", inputs.at("f0_hz")}};
}

at::Tensor Wavetable::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return WavetableSynthesis(controls.at("f0_hz"), controls.at("amplitudes"), controls.at("wavetables"),
                            {options_.n_samples, options_.sample_rate});
}

class Wavetable::Stream : public ProcessorState {
 public:
  Stream(const Wavetable& synth, const StreamLayout& layout)
      : synth_(synth),
        amplitudes_(Interpolation::kWindow, layout.hop, 1),
        wavetables_(Interpolation::kLinear, layout.hop, 1),
        f0_hz_(Interpolation::kLinear, layout.hop, 1),
        phase_(at::zeros({layout.batch, 1, 1}, at::kDouble)) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    if (block.inputs.at("f0_hz").size(1) == 0) return {};
    const NamedTensors controls = synth_.ControlsFrom(block.inputs, {});
    return Sound(amplitudes_.Push(controls.at("amplitudes")), wavetables_.Push(controls.at("wavetables")),
                 f0_hz_.Push(controls.at("f0_hz")));
  }
  Tensor Drain() override { return Sound(amplitudes_.Drain(), wavetables_.Drain(), f0_hz_.Drain()); }

  Tensor Sound(const Tensor& amplitudes, const Tensor& wavetables, const Tensor& f0_hz) {
    if (!f0_hz.defined() || f0_hz.size(1) == 0) return {};
    const Tensor velocity = f0_hz.to(at::kDouble) / synth_.options_.sample_rate;  // cycles per sample
    const Tensor ends = at::cumsum(velocity, 1) + phase_;
    phase_ = at::remainder(ends.narrow(1, ends.size(1) - 1, 1), 1);
    const Tensor phase = at::remainder(ends - velocity, 1).to(f0_hz.scalar_type());
    return LinearLookup(phase, wavetables) * amplitudes.select(2, 0);
  }

  const Wavetable& synth_;
  FrameUpsampler amplitudes_, wavetables_, f0_hz_;
  Tensor phase_;  // [batch, 1, 1], cycles, double
};

std::unique_ptr<ProcessorState> Wavetable::NewState(const Start& start) const {
  return std::make_unique<Stream>(*this, start.layout);
}

}  // namespace ddsp
