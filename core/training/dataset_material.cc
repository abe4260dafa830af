#include "core/training/dataset_material.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/training/dataset_builder.h"

namespace ddsp::training {
namespace {

// The recordings of `path` with the recipe's features; `cache` takes the shards of a folder.
absl::StatusOr<Dataset> ReadRecordings(const std::string& path, const BuildOptions& build, const std::string& cache) {
  if (!IsDataset(path)) return BuildOrReadDataset(path, build, cache);
  ASSIGN_OR_RETURN(Dataset dataset, ReadShards(path));
  if (dataset.sample_rate != build.sample_rate) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": a data set of ", dataset.sample_rate,
                                                      " Hz; the recipe wants ", build.sample_rate, " Hz"));
  }
  if (dataset.settings == build.settings) return dataset;
  return absl::FailedPreconditionError(
      absl::StrFormat("%s: a data set of %d frames a second, power over %d samples; the recipe wants %d and %d", path,
                      dataset.settings.frame_rate, dataset.settings.power_frame_size, build.settings.frame_rate,
                      build.settings.power_frame_size));
}

void Tell(const Dataset& dataset, const MaterialEvents& events) {
  if (!events.say) return;
  for (const RecordingRemark& remark : dataset.skipped) {
    events.say(absl::StrCat("skipped ", remark.name, ": ", remark.text));
  }
  for (const RecordingRemark& remark : dataset.warnings) {
    events.say(absl::StrCat("warning: ", remark.name, ": ", remark.text));
  }
}

// A recording on both sides would be learned by heart.
absl::Status CheckApart(const Dataset& training, const Dataset& held_out) {
  for (const Recording& heard : training.recordings) {
    for (const Recording& kept : held_out.recordings) {
      if (!(heard.audio == kept.audio)) continue;  // sizes are compared first
      return absl::FailedPreconditionError(
          absl::StrCat("held-out ", kept.name, " holds the same samples as ", heard.name, ", which is trained on"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string DescribeData(const Dataset& dataset) {
  return absl::StrFormat("%d recordings, %.1f s, %.1f s of it voiced", dataset.recordings.size(), dataset.seconds(),
                         dataset.voiced_seconds());
}

absl::StatusOr<TrainingMaterial> ReadMaterial(const MaterialOptions& options, const MaterialEvents& events) {
  TrainingMaterial material;
  BuildOptions build;
  build.sample_rate = options.sample_rate;
  build.exclude = options.held_out;
  build.progress = events.reading;
  ASSIGN_OR_RETURN(material.training, ReadRecordings(options.recordings, build, options.cache + "/dataset"));
  Tell(material.training, events);
  if (absl::Status status = CheckVoiced(material.training); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(options.recordings, ": ", status.message()));
  }
  std::vector<Segment> training_segments = WholeRecordings(material.training);
  if (options.held_out.empty()) {
    SplitOptions parts = SplitOf(material.training);
    if (!IsDataset(options.recordings)) {
      parts.held_out_fraction = options.split.held_out_fraction;
      parts.min_recordings = options.split.min_recordings;
    }
    const DataSplit split = SplitDataset(material.training, parts);
    training_segments = split.training;
    material.held_out_segments = split.held_out;
  } else {
    build.exclude.clear();
    ASSIGN_OR_RETURN(material.held_out, ReadRecordings(options.held_out, build, options.cache + "/held-out"));
    RETURN_IF_ERROR(CheckApart(material.training, material.held_out));
    Tell(material.held_out, events);
    material.held_out_segments = WholeRecordings(material.held_out);
  }
  const ExampleWindows examples = ListWindows(material.training, training_segments, WindowsOf(material.training));
  material.training_windows = examples.windows;
  if (events.say) {
    events.say(absl::StrFormat("%s: %s; %d examples of %g s, %d silent ones left out", options.recordings,
                               DescribeData(material.training), examples.windows.size(),
                               material.training.examples.example_secs, examples.silent));
  }
  return material;
}

Segment FirstHeldOutSound(const TrainingMaterial& material, double seconds) {
  return FirstSound(material.held_out_dataset(),
                    material.held_out_segments.empty() ? material.training_windows[0] : material.held_out_segments[0],
                    seconds);
}

}  // namespace ddsp::training
