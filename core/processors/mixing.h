// Combining and cutting signals (upstream: processors.py, Add, Mix, Crop).
#pragma once

#include "core/processors/streaming_processor.h"

namespace ddsp {

// signal_one + signal_two, broadcast. No latency. Upstream: Add.
class Add : public StreamingProcessor {
 public:
  explicit Add(std::string name = "add");

 protected:
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;
};

// The gains of a level m in [0, 1].
enum class MixGains {
  kConstantPower,  // sqrt(m) and sqrt(1 - m), as upstream documents
  kUpstream,       // sqrt(m) and 1 - sqrt(1 - m), what upstream computes: both signals fade together
};

// Cross-fades signals [batch, samples(, 1)] by nn_out_mix_level [batch, frames(, 1)], a network output before its
// sigmoid. Streams signals without channels; latency: one hop. Upstream: Mix.
class Mix : public StreamingProcessor {
 public:
  explicit Mix(MixGains gains = MixGains::kConstantPower, std::string name = "mix");

 protected:
  NamedTensors ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const override;
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  int64_t Latency(const StreamLayout& layout) const override { return layout.hop; }
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  class Stream;
  const MixGains gains_;
};

enum class CropLocation { kFront, kCenter, kBack };
// "front", "center", "back". Errors: INVALID_ARGUMENT.
absl::StatusOr<CropLocation> ParseCropLocation(const std::string& name);

// Removes 2 * (frame_size / 2) samples from one end or half of them from each; frame sizes 0 and 1 remove nothing
// (upstream: everything). Latency: as many samples as it removes, for it cannot know which are the last. Upstream:
// Crop.
class Crop : public StreamingProcessor {
 public:
  explicit Crop(int64_t frame_size, CropLocation location = CropLocation::kBack, std::string name = "crop");
  int64_t OutputSamples(int64_t input_samples) const override;

 protected:
  at::Tensor SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const override;
  int64_t Latency(const StreamLayout&) const override { return Removed(); }
  std::unique_ptr<ProcessorState> NewState(const Start& start) const override;

 private:
  int64_t Removed() const { return frame_size_ / 2 * 2; }
  int64_t RemovedInFront() const;

  const int64_t frame_size_;
  const CropLocation location_;
};

}  // namespace ddsp
