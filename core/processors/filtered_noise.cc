#include "core/processors/frame_convolution_function.h"
#include "core/processors/frame_filter.h"
#include "core/processors/noise_source.h"
#include "core/processors/synths.h"

namespace ddsp {

using at::Tensor;

FilteredNoise::FilteredNoise(const Options& options, std::string name)
    : StreamingProcessor(std::move(name), {{{"magnitudes", PortRate::kFrames, kAnyChannels}},
                                           {"magnitudes"},
                                           /*parameters=*/{},
                                           Randomness::kDrawsNoise}),
      options_(options) {}

NamedTensors FilteredNoise::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  const Tensor& magnitudes = inputs.at("magnitudes");
  if (options_.scale_fn == ScaleFn::kNone) return {{"magnitudes", magnitudes}};
  return {{"magnitudes", ApplyScale(options_.scale_fn, magnitudes + options_.initial_bias)}};
}

at::Tensor FilteredNoise::SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const {
  const Tensor& magnitudes = controls.at("magnitudes");
  const Tensor noise =
      ItemNoise(context, {magnitudes.size(0), options_.n_samples}, magnitudes.options().requires_grad(false));
  return FilterFrames(noise, magnitudes, options_.window_size);
}

class FilteredNoise::Stream : public ProcessorState {
 public:
  Stream(const FilteredNoise& synth, const Start& start)
      : synth_(synth),
        noise_(start.context),
        batch_(start.layout.batch),
        filter_(start.layout, start.layout.ChannelsOf("magnitudes"), synth.options_.window_size) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t position) override {
    const Tensor magnitudes = synth_.ControlsFrom(block.inputs, {}).at("magnitudes");
    return filter_.Filter(noise_.Read(batch_, position, block.samples), magnitudes, position);
  }
  Tensor Drain() override { return filter_.Drain(); }

  const FilteredNoise& synth_;
  const NoiseSource noise_;
  const int64_t batch_;
  FrameFilter filter_;
};

int64_t FilteredNoise::Latency(const StreamLayout& layout) const {
  return FrameFilter::Latency(layout.ChannelsOf("magnitudes"), options_.window_size);
}

std::unique_ptr<ProcessorState> FilteredNoise::NewState(const Start& start) const {
  return std::make_unique<Stream>(*this, start);
}

}  // namespace ddsp
