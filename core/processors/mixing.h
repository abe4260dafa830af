// Combining and cutting signals (upstream: processors.py, Add, Mix, Crop).
#pragma once

#include "core/processors/processor.h"

namespace ddsp {

// signal_one + signal_two, broadcast. Upstream: Add.
class Add : public Processor {
 public:
  explicit Add(std::string name = "add") : Processor(std::move(name)) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
};

// The gains of a level m in [0, 1].
enum class MixGains {
  kConstantPower,  // sqrt(m) and sqrt(1 - m), as upstream documents
  kUpstream,       // sqrt(m) and 1 - sqrt(1 - m), what upstream computes: both signals fade together
};

// Cross-fades signals [batch, samples(, 1)] by nn_out_mix_level [batch, frames(, 1)], a network output before its
// sigmoid. Upstream: Mix.
class Mix : public Processor {
 public:
  explicit Mix(MixGains gains = MixGains::kConstantPower, std::string name = "mix")
      : Processor(std::move(name)), gains_(gains) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const MixGains gains_;
};

enum class CropLocation { kFront, kCenter, kBack };
// "front", "center", "back". Errors: INVALID_ARGUMENT.
absl::StatusOr<CropLocation> ParseCropLocation(const std::string& name);

// Removes 2 * (frame_size / 2) samples from one end or half of them from each; frame sizes 0 and 1 remove nothing
// (upstream: everything). Upstream: Crop.
class Crop : public Processor {
 public:
  Crop(int64_t frame_size, CropLocation location = CropLocation::kBack, std::string name = "crop")
      : Processor(std::move(name)), frame_size_(frame_size), location_(location) {}
  const std::vector<Port>& inputs() const override;
  const std::vector<std::string>& controls() const override;

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;

 private:
  const int64_t frame_size_;
  const CropLocation location_;
};

}  // namespace ddsp
