#include "core/processors/mixing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/dsp/resample.h"
#include "core/processors/frame_upsampler.h"

namespace ddsp {

using at::Tensor;

namespace {

class Sum : public ProcessorState {
  Tensor Advance(const StreamBlock& block, int64_t) override {
    return block.inputs.at("signal_one") + block.inputs.at("signal_two");
  }
};

class DropFront : public ProcessorState {
 public:
  explicit DropFront(int64_t count) : count_(count) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    const int64_t dropped = std::min(count_, block.samples);
    count_ -= dropped;
    return block.inputs.at("audio").narrow(1, dropped, block.samples - dropped);
  }

  int64_t count_;
};

}  // namespace

Add::Add(std::string name)
    : StreamingProcessor(std::move(name), {{{"signal_one"}, {"signal_two"}}, {"signal_one", "signal_two"}}) {}

at::Tensor Add::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return controls.at("signal_one") + controls.at("signal_two");
}

std::unique_ptr<ProcessorState> Add::NewState(const Start&) const { return std::make_unique<Sum>(); }

Mix::Mix(MixGains gains, std::string name)
    : StreamingProcessor(std::move(name), {{{"signal_one"}, {"signal_two"}, {"nn_out_mix_level", PortRate::kFrames, 1}},
                                           {"signal_one", "signal_two", "mix_level"}}),
      gains_(gains) {}

NamedTensors Mix::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  const Tensor &one = inputs.at("signal_one"), &two = inputs.at("signal_two");
  DDSP_CHECK_ARGUMENT(one.dim() >= 2 && two.dim() >= 2 && one.size(1) == two.size(1), "signal_one has shape ",
                      one.sizes(), " and signal_two ", two.sizes(), ", expected the same number of samples");
  const Tensor level = Resample(at::sigmoid(inputs.at("nn_out_mix_level")), one.size(1));
  return {{"signal_one", one}, {"signal_two", two}, {"mix_level", level}};
}

at::Tensor Mix::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& one = controls.at("signal_one");
  Tensor level = controls.at("mix_level");
  if (one.dim() == 2 && level.dim() == 3) level = level.squeeze(2);  // upstream broadcasts these to [N, N]
  const Tensor rest = at::sqrt(at::abs(1 - level));
  return at::sqrt(at::abs(level)) * one + (gains_ == MixGains::kUpstream ? 1 - rest : rest) * controls.at("signal_two");
}

// The signals wait until their level is known.
class Mix::Stream : public ProcessorState {
 public:
  Stream(const Mix& mix, int64_t hop) : mix_(mix), level_(Interpolation::kLinear, hop, 1) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    one_.Push(block.inputs.at("signal_one"));
    two_.Push(block.inputs.at("signal_two"));
    const Tensor& level = block.inputs.at("nn_out_mix_level");
    return level.size(1) == 0 ? Tensor() : Mixed(level_.Push(at::sigmoid(level)));
  }
  Tensor Drain() override { return Mixed(level_.Drain()); }

  // The last hop of a signal may be shorter than that of its level.
  Tensor Mixed(const Tensor& level) {
    const int64_t count = level.defined() ? std::min(level.size(1), one_.size()) : 0;
    if (count == 0) return {};
    return mix_.SignalFrom({{"signal_one", one_.Pop(count)},
                            {"signal_two", two_.Pop(count)},
                            {"mix_level", level.narrow(1, 0, count)}},
                           {});
  }

  const Mix& mix_;
  FrameUpsampler level_;
  SampleQueue one_, two_;
};

std::unique_ptr<ProcessorState> Mix::NewState(const Start& start) const {
  return std::make_unique<Stream>(*this, start.layout.hop);
}

absl::StatusOr<CropLocation> ParseCropLocation(const std::string& name) {
  if (name == "front") return CropLocation::kFront;
  if (name == "center") return CropLocation::kCenter;
  if (name == "back") return CropLocation::kBack;
  return absl::InvalidArgumentError(absl::StrCat("crop_location is '", name, "', expected front, center or back"));
}

Crop::Crop(int64_t frame_size, CropLocation location, std::string name)
    : StreamingProcessor(std::move(name), {{{"audio"}}, {"audio"}}), frame_size_(frame_size), location_(location) {}

int64_t Crop::RemovedInFront() const {
  switch (location_) {
    case CropLocation::kFront:
      return Removed();
    case CropLocation::kCenter:
      return Removed() / 2;
    case CropLocation::kBack:
      return 0;
  }
  return 0;
}

int64_t Crop::OutputSamples(int64_t input_samples) const { return std::max<int64_t>(0, input_samples - Removed()); }

at::Tensor Crop::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& audio = controls.at("audio");
  DDSP_CHECK_ARGUMENT(frame_size_ >= 0 && audio.dim() >= 2 && audio.size(1) >= Removed(), "frame_size is ", frame_size_,
                      " for audio of shape ", audio.sizes());
  return audio.narrow(1, RemovedInFront(), audio.size(1) - Removed());
}

std::unique_ptr<ProcessorState> Crop::NewState(const Start&) const {
  return std::make_unique<DropFront>(RemovedInFront());
}

}  // namespace ddsp
