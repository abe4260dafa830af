#include "core/processors/mixing.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/dsp/resample.h"

namespace ddsp {

using at::Tensor;
using Names = std::vector<std::string>;

const std::vector<Port>& Add::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"signal_one"}, {"signal_two"}};
  return *kPorts;
}

const Names& Add::controls() const {
  static const auto* const kNames = new Names{"signal_one", "signal_two"};
  return *kNames;
}

NamedTensors Add::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"signal_one", inputs.at("signal_one")}, {"signal_two", inputs.at("signal_two")}};
}

at::Tensor Add::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return controls.at("signal_one") + controls.at("signal_two");
}

const std::vector<Port>& Mix::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"signal_one"}, {"signal_two"}, {"nn_out_mix_level"}};
  return *kPorts;
}

const Names& Mix::controls() const {
  static const auto* const kNames = new Names{"signal_one", "signal_two", "mix_level"};
  return *kNames;
}

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

absl::StatusOr<CropLocation> ParseCropLocation(const std::string& name) {
  if (name == "front") return CropLocation::kFront;
  if (name == "center") return CropLocation::kCenter;
  if (name == "back") return CropLocation::kBack;
  return absl::InvalidArgumentError(absl::StrCat("crop_location is '", name, "', expected front, center or back"));
}

const std::vector<Port>& Crop::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"audio"}};
  return *kPorts;
}

const Names& Crop::controls() const {
  static const auto* const kNames = new Names{"audio"};
  return *kNames;
}

NamedTensors Crop::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"audio", inputs.at("audio")}};
}

at::Tensor Crop::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& audio = controls.at("audio");
  const int64_t half = frame_size_ / 2;
  DDSP_CHECK_ARGUMENT(frame_size_ >= 0 && audio.dim() >= 2 && audio.size(1) >= 2 * half, "frame_size is ", frame_size_,
                      " for audio of shape ", audio.sizes());
  const int64_t start = location_ == CropLocation::kFront ? 2 * half : location_ == CropLocation::kCenter ? half : 0;
  return audio.narrow(1, start, audio.size(1) - 2 * half);
}

}  // namespace ddsp
