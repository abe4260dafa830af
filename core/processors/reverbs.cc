#include "core/dsp/argument.h"
#include "core/dsp/convolution.h"
#include "core/processors/effects.h"
#include "core/processors/noise_source.h"
#include "core/processors/reverb_line.h"

namespace ddsp {

using at::Tensor;

namespace {

void CheckAudio(const Tensor& audio) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 2, "audio has shape ", audio.sizes(), ", expected [batch, samples]");
}

// [taps], [batch, taps] or [batch, taps, 1] as [batch, taps].
Tensor Flat(const Tensor& ir) {
  if (ir.dim() == 1) return ir.unsqueeze(0);
  if (ir.dim() == 3 && ir.size(2) == 1) return ir.squeeze(2);
  DDSP_CHECK_ARGUMENT(ir.dim() == 2, "ir has shape ", ir.sizes(),
                      ", expected [taps], [batch, taps] or [batch, taps, 1]");
  return ir;
}

// [1 or batch, taps], the place of the dry signal silent.
Tensor WithoutFirstTap(const Tensor& ir) {
  Tensor flat = Flat(ir);
  if (flat.size(0) > 1 && flat.stride(0) == 0) flat = flat.narrow(0, 0, 1);  // one response, transformed once
  return at::cat({at::zeros_like(flat.narrow(1, 0, 1)), flat.narrow(1, 1, flat.size(1) - 1)}, 1);
}

// Audio, and what the response is made of: ports, or parameters in a trainable reverb.
Signature ReverbSignature(ReverbSource source, Signature of) {
  const bool given = source == ReverbSource::kInputs;
  for (Port& port : of.inputs) port.required = given;
  of.inputs.insert(of.inputs.begin(), Port{"audio"});
  if (given) of.parameters.clear();
  of.controls = {"audio", "ir"};
  return of;
}

class ReverbStream : public ProcessorState {
 public:
  ReverbStream(const Tensor& ir, int64_t batch, DrySignal dry) : line_(ir, batch), dry_(dry) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    const Tensor& audio = block.inputs.at("audio");
    const Tensor wet = line_.Convolve(audio);
    return dry_ == DrySignal::kAdd ? wet + audio : wet;
  }

  ReverbLine line_;
  const DrySignal dry_;
};

}  // namespace

Reverb::Reverb(const Options& options, std::string name)
    : Reverb(options, std::move(name),
             {{{"ir", PortRate::kFixed, kAnyChannels}}, {}, {{"ir", {options.reverb_length}, 0.0, 1e-6}}}) {}

Reverb::Reverb(const Options& options, std::string name, Signature response)
    : StreamingProcessor(std::move(name), ReverbSignature(options.source, std::move(response))), options_(options) {}

at::Tensor Reverb::Response(const NamedTensors& source, const ProcessorContext&) const { return source.at("ir"); }

at::Tensor Reverb::ResponseOf(const NamedTensors& inputs, const ProcessorContext& context) const {
  if (options_.source == ReverbSource::kInputs) return Response(inputs, context);
  NamedTensors batched;
  for (const auto& [name, parameter] : context.parameters) batched[name] = parameter.unsqueeze(0);
  return Response(batched, context);
}

NamedTensors Reverb::ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const {
  const Tensor& audio = inputs.at("audio");
  CheckAudio(audio);
  const Tensor ir = ResponseOf(inputs, context);
  if (options_.source == ReverbSource::kInputs) return {{"audio", audio}, {"ir", ir}};
  const Tensor flat = Flat(ir);
  return {{"audio", audio}, {"ir", flat.size(0) == 1 ? flat.expand({audio.size(0), -1}) : flat}};
}

at::Tensor Reverb::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& audio = controls.at("audio");
  CheckAudio(audio);
  const Tensor wet = FftConvolve(audio, WithoutFirstTap(controls.at("ir")), {ConvolutionPadding::kSame, 0});
  return options_.dry == DrySignal::kAdd ? wet + audio : wet;
}

std::unique_ptr<ProcessorState> Reverb::NewState(const Start& start) const {
  const Tensor ir = WithoutFirstTap(ResponseOf(start.fixed, start.context));
  DDSP_CHECK_ARGUMENT(ir.size(0) == 1 || ir.size(0) == start.layout.batch, "ir has a batch of ", ir.size(0),
                      ", expected 1 or that of the stream, ", start.layout.batch);
  return std::make_unique<ReverbStream>(ir.to(at::kFloat), start.layout.batch, options_.dry);
}

ExpDecayReverb::ExpDecayReverb(const Options& options, ScaleFn scale_fn, std::string name)
    : Reverb(options, std::move(name),
             {{{"gain", PortRate::kFixed, 1}, {"decay", PortRate::kFixed, 1}},
              {},
              {{"gain", {1}, 2.0, 0.0}, {"decay", {1}, 4.0, 0.0}},
              Randomness::kDrawsNoise}),
      scale_fn_(scale_fn) {}

at::Tensor ExpDecayReverb::Response(const NamedTensors& source, const ProcessorContext& context) const {
  const Tensor &gain = source.at("gain"), &decay = source.at("decay");
  const at::TensorOptions plain = gain.options().requires_grad(false);
  const Tensor noise = UniformNoise(context, {1, options_.reverb_length}, plain);
  const Tensor time = at::linspace(0, 1, options_.reverb_length, plain).unsqueeze(0);
  return ApplyScale(scale_fn_, gain) * at::exp(-(2 + at::exp(decay)) * time) * noise;
}

FilteredNoiseReverb::FilteredNoiseReverb(const Options& options, const NoiseOptions& noise, std::string name)
    : Reverb(options, std::move(name),
             {{{"magnitudes", PortRate::kFixed, kAnyChannels}},
              {},
              {{"magnitudes", {noise.n_frames, noise.n_filter_banks}, 0.0, 1e-2}},
              Randomness::kDrawsNoise}),
      synth_({options.reverb_length, noise.window_size, noise.scale_fn, noise.initial_bias}) {}

at::Tensor FilteredNoiseReverb::Response(const NamedTensors& source, const ProcessorContext& context) const {
  ProcessorContext shared = context;
  shared.part = {};  // one response for the whole batch, whoever has which part of it
  auto synthesized = synth_.Run({{"magnitudes", source.at("magnitudes")}}, shared);
  DDSP_CHECK_ARGUMENT(synthesized.ok(), "impulse response: ", std::string(synthesized.status().message()));
  return synthesized->signal;
}

}  // namespace ddsp
