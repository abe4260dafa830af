#include "core/processors/synths.h"

#include "core/dsp/argument.h"

namespace ddsp {

using at::Tensor;

namespace {

Tensor Squeezed(const Tensor& samples) {
  DDSP_CHECK_ARGUMENT(samples.dim() == 3 && samples.size(2) == 1, "samples has shape ", samples.sizes(),
                      ", expected [batch, time, 1]");
  return samples.squeeze(2);
}

class Passage : public ProcessorState {
  Tensor Advance(const StreamBlock& block, int64_t) override { return Squeezed(block.inputs.at("samples")); }
};

}  // namespace

TensorToAudio::TensorToAudio(std::string name)
    : StreamingProcessor(std::move(name), {{{"samples", PortRate::kSamples, 1}}, {"samples"}}) {}

at::Tensor TensorToAudio::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return Squeezed(controls.at("samples"));
}

std::unique_ptr<ProcessorState> TensorToAudio::NewState(const Start&) const { return std::make_unique<Passage>(); }

}  // namespace ddsp
