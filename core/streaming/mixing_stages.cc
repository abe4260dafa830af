// Add and Crop (upstream ddsp/processors.py), streamed.
#include <algorithm>

#include "core/streaming/stream_stage.h"

namespace ddsp {
namespace {

class AddStage : public StreamStage {
 public:
  explicit AddStage(int hop) : hop_(hop) {}
  bool is_effect() const override { return true; }
  void Step(const StageStep& step, StageMemory&) const override {
    for (int i = 0; i < hop_; ++i) step.output[i] = step.signals[0][i] + step.signals[1][i];
  }

 private:
  const int hop_;
};

// Training renders one hop more than it needs and crops it at the back; a stream never makes it.
class CropStage : public StreamStage {
 public:
  explicit CropStage(int hop) : hop_(hop) {}
  bool is_effect() const override { return true; }
  void Step(const StageStep& step, StageMemory&) const override { std::copy_n(step.signals[0], hop_, step.output); }

 private:
  const int hop_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StreamStage>> MakeAddStage(const StageContext& context) {
  if (context.node.inputs_size() != 2) return absl::InvalidArgumentError("Add takes two signals");
  return std::make_unique<AddStage>(context.voice.spec.hop_size());
}

absl::StatusOr<std::unique_ptr<StreamStage>> MakeCropStage(const StageContext& context) {
  if (context.node.inputs_size() != 1) return absl::InvalidArgumentError("Crop takes one signal");
  const auto location = context.node.texts().find("crop_location");
  if (location != context.node.texts().end() && location->second != "back") {
    return absl::InvalidArgumentError("only a crop at the back can stream");
  }
  return std::make_unique<CropStage>(context.voice.spec.hop_size());
}

}  // namespace ddsp
