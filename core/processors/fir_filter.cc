#include "core/processors/effects.h"
#include "core/processors/frame_convolution_function.h"
#include "core/processors/frame_filter.h"

namespace ddsp {

using at::Tensor;

FirFilter::FirFilter(const Options& options, std::string name)
    : StreamingProcessor(std::move(name),
                         {{{"audio"}, {"magnitudes", PortRate::kFrames, kAnyChannels}}, {"audio", "magnitudes"}}),
      options_(options) {}

NamedTensors FirFilter::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"audio", inputs.at("audio")}, {"magnitudes", ApplyScale(options_.scale_fn, inputs.at("magnitudes"))}};
}

at::Tensor FirFilter::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return FilterFrames(controls.at("audio"), controls.at("magnitudes"), options_.window_size);
}

class FirFilter::Stream : public ProcessorState {
 public:
  Stream(const Options& options, const StreamLayout& layout)
      : scale_fn_(options.scale_fn), filter_(layout, layout.ChannelsOf("magnitudes"), options.window_size) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t position) override {
    return filter_.Filter(block.inputs.at("audio"), ApplyScale(scale_fn_, block.inputs.at("magnitudes")), position);
  }
  Tensor Drain() override { return filter_.Drain(); }

  const ScaleFn scale_fn_;
  FrameFilter filter_;
};

int64_t FirFilter::Latency(const StreamLayout& layout) const {
  return FrameFilter::Latency(layout.ChannelsOf("magnitudes"), options_.window_size);
}

std::unique_ptr<ProcessorState> FirFilter::NewState(const Start& start) const {
  return std::make_unique<Stream>(options_, start.layout);
}

}  // namespace ddsp
