#include "core/training/model_data.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/datasets/example_set.h"
#include "core/streaming/frame_between.h"
#include "core/training/example_windows.h"

namespace ddsp::training {
namespace {

constexpr int kUpstreamFrameRate = 250;

class Examples : public ModelData {
 public:
  explicit Examples(ExampleSet examples) : examples_(std::move(examples)) {}
  int64_t size() const override { return examples_.size(); }
  double sample_rate() const override { return examples_.index().sample_rate; }
  absl::StatusOr<NamedTensors> Batch(absl::Span<const int64_t> indices) const override {
    return examples_.Batch(indices);
  }
  std::string Describe() const override { return FormatExampleIndex(examples_.index()); }

 private:
  const ExampleSet examples_;
};

class Recordings : public ModelData {
 public:
  Recordings(Dataset dataset, std::vector<Segment> windows)
      : dataset_(std::move(dataset)), windows_(std::move(windows)) {
    const int own = dataset_.settings.frame_rate;
    steps_ = kUpstreamFrameRate % own == 0 ? kUpstreamFrameRate / own : 1;
  }
  int64_t size() const override { return static_cast<int64_t>(windows_.size()); }
  double sample_rate() const override { return dataset_.sample_rate; }
  absl::StatusOr<NamedTensors> Batch(absl::Span<const int64_t> indices) const override;
  std::string Describe() const override {
    return absl::StrCat(dataset_.fingerprint, " ", dataset_.recordings.size(), " recordings, ", windows_.size(),
                        " examples");
  }

 private:
  const Dataset dataset_;
  const std::vector<Segment> windows_;  // of one length
  int64_t steps_ = 1;                   // frames of examples in one of the data set
};

absl::StatusOr<NamedTensors> Recordings::Batch(absl::Span<const int64_t> indices) const {
  const auto items = static_cast<int64_t>(indices.size());
  const int64_t samples = windows_[0].end - windows_[0].begin, frames = samples / dataset_.hop() * steps_;
  NamedTensors batch = {{"audio", at::empty({items, samples})}};
  for (const char* const name : {"f0_hz", "f0_confidence", "loudness_db", "power_db"}) {
    batch[name] = at::empty({items, frames});
  }
  for (int64_t item = 0; item < items; ++item) {
    const int64_t index = indices[item];
    if (index < 0 || index >= size()) {
      return absl::OutOfRangeError(absl::StrCat("example ", index, " is not in [0, ", size(), ")"));
    }
    CopyAudio(dataset_, windows_[index], batch["audio"][item].data_ptr<float>());
    const std::vector<FeatureFrame> own = CopyFrames(dataset_, windows_[index]);
    const auto row = [&](const char* name) { return batch[name][item].data_ptr<float>(); };
    float *const f0_hz = row("f0_hz"), *const f0_confidence = row("f0_confidence");
    float *const loudness_db = row("loudness_db"), *const power_db = row("power_db");
    for (int64_t t = 0; t < frames; ++t) {
      const int64_t from = t / steps_, rest = t % steps_;
      const FeatureFrame frame =
          rest == 0 ? own[from]
                    : FrameBetween(own[from], own[from + 1], static_cast<double>(rest) / static_cast<double>(steps_));
      f0_hz[t] = frame.f0_hz;
      f0_confidence[t] = frame.f0_confidence;
      loudness_db[t] = frame.loudness_db;
      power_db[t] = frame.power_db;
    }
  }
  return batch;
}

// Held-out ones do not overlap, and rests are among them.
std::vector<Segment> WindowsOfPart(const Dataset& dataset, DataPart part) {
  const DataSplit split = SplitDataset(dataset, SplitOf(dataset));
  WindowOptions options = WindowsOf(dataset);
  if (part == DataPart::kTraining) return ListWindows(dataset, split.training, options).windows;
  options.hop_samples = options.window_samples;
  options.chunk_samples = 0;
  options.min_sounding = 0;
  return ListWindows(dataset, split.held_out, options).windows;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelData>> OpenModelData(const std::string& path, DataPart part) {
  if (IsDataset(path)) {
    ASSIGN_OR_RETURN(Dataset dataset, ReadShards(path));
    std::vector<Segment> windows = WindowsOfPart(dataset, part);
    if (windows.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": no example is ", part == DataPart::kTraining ? "left for training" : "held out"));
    }
    return std::make_unique<Recordings>(std::move(dataset), std::move(windows));
  }
  absl::StatusOr<ExampleSet> examples = ExampleSet::Open(path);
  if (absl::IsNotFound(examples.status())) {
    return absl::NotFoundError(absl::StrCat(path,
                                            ": neither a set of examples nor recordings that `ddsp dataset "
                                            "prepare` has prepared (",
                                            examples.status().message(), ")"));
  }
  RETURN_IF_ERROR(examples.status());
  return std::make_unique<Examples>(*std::move(examples));
}

}  // namespace ddsp::training
