#include "core/dsp/argument.h"
#include "core/processors/effects.h"

namespace ddsp {

using at::Tensor;

ModDelay::ModDelay(const Options& options, std::string name)
    : StreamingProcessor(
          std::move(name),
          {{{"audio"}, {"gain", PortRate::kSamples, 1}, {"phase", PortRate::kSamples, 1}}, {"audio", "gain", "phase"}}),
      options_(options) {}

// The phase is scaled in double: in float the last bit depends on where a value lies in its block, vector or rest, and
// a long delay line makes that audible to a test (1e-7 of 400 samples).
NamedTensors ModDelay::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  const Tensor& phase = inputs.at("phase");
  return {{"audio", inputs.at("audio")},
          {"gain", ApplyScale(options_.gain_scale_fn, inputs.at("gain"))},
          {"phase", ApplyScale(options_.phase_scale_fn, phase.to(at::kDouble)).to(phase.scalar_type())}};
}

int64_t ModDelay::MaxLength() const {
  const double longest_ms = options_.center_ms + options_.depth_ms;
  DDSP_CHECK_ARGUMENT(longest_ms > 0, "center_ms + depth_ms is ", longest_ms, ", expected a positive number");
  return static_cast<int64_t>(options_.sample_rate / 1000.0 * longest_ms);
}

at::Tensor ModDelay::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& audio = controls.at("audio");
  Tensor gain = controls.at("gain");
  const int64_t max_length = MaxLength();
  const double longest_ms = options_.center_ms + options_.depth_ms;
  const Tensor phase = controls.at("phase") * (options_.depth_ms / longest_ms) + options_.center_ms / longest_ms;
  if (gain.dim() == 3) gain = gain.squeeze(2);
  const Tensor wet = VariableLengthDelay(phase, audio, max_length, options_.end) * gain;
  return options_.dry == DrySignal::kAdd ? wet + audio : wet;
}

// The whole call over the block and as much audio before it as the delay reaches back.
class ModDelay::Stream : public ProcessorState {
 public:
  Stream(const ModDelay& effect, int64_t batch) : effect_(effect), past_(at::zeros({batch, effect.MaxLength()})) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    NamedTensors controls = effect_.ControlsFrom(block.inputs, {});
    const int64_t reach = past_.size(1);
    const Tensor audio = at::cat({past_, controls["audio"]}, 1);
    past_ = audio.narrow(1, block.samples, reach);
    controls["audio"] = audio;
    for (const char* name : {"gain", "phase"}) controls[name] = at::constant_pad_nd(controls[name], {0, 0, reach, 0});
    return effect_.SignalFrom(controls, {}).narrow(1, reach, block.samples);
  }

  const ModDelay& effect_;
  Tensor past_;
};

std::unique_ptr<ProcessorState> ModDelay::NewState(const Start& start) const {
  return std::make_unique<Stream>(*this, start.layout.batch);
}

}  // namespace ddsp
