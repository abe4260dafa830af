// ddsp dataset prepare, stats: sets of recordings, for `ddsp train SET`.
#include <cmath>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/command.h"
#include "client/cli/progress_bar.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/training/dataset_builder.h"
#include "core/training/dataset_statistics.h"

namespace ddsp::client {
namespace {

struct PrepareOptions {
  std::string recordings, set, json;
  training::BuildOptions build;
  bool overwrite = false;
};

// Examples begin and end on frames.
absl::Status CheckExamples(const training::BuildOptions& build) {
  const training::ExampleSettings& examples = build.examples;
  for (const auto& [flag, seconds] : {std::pair{"--example-secs", examples.example_secs},
                                      {"--hop-secs", examples.hop_secs},
                                      {"--chunk-secs", examples.chunk_secs}}) {
    const double frames = seconds * build.settings.frame_rate;
    if (std::fabs(frames - std::round(frames)) > 1e-6) {
      return absl::InvalidArgumentError(absl::StrCat(flag, " ", seconds, " is no whole number of frames at ",
                                                     build.settings.frame_rate, " a second"));
    }
  }
  if (examples.chunk_secs > 0 && examples.chunk_secs < examples.example_secs) {
    return absl::InvalidArgumentError(absl::StrCat("--chunk-secs ", examples.chunk_secs,
                                                   " is shorter than an example of ", examples.example_secs, " s"));
  }
  return absl::OkStatus();
}

absl::Status Report(const std::string& set, const training::Dataset& dataset, const std::string& json) {
  const training::DatasetStatistics statistics = training::MeasureDataset(dataset);
  std::cout << set << ": " << statistics.ToTable();
  return json.empty() ? absl::OkStatus() : WriteFileAtomically(json, statistics.ToJson());
}

absl::Status Prepare(const PrepareOptions& options) {
  RETURN_IF_ERROR(CheckExamples(options.build));
  if (training::IsDataset(options.set)) {
    ASSIGN_OR_RETURN(const bool same, training::IsUpToDate(options.set, options.recordings, options.build));
    if (!same && !options.overwrite) {
      return absl::AlreadyExistsError(absl::StrCat(
          options.set, ": a data set of other recordings or settings is there; --overwrite makes it anew"));
    }
    if (same) std::cerr << options.set << " is up to date\n";
  }
  training::Dataset dataset;
  {
    ProgressBar bar("reading recordings");
    training::BuildOptions build = options.build;
    build.progress = [&](double done) { bar.Show(done); };
    ASSIGN_OR_RETURN(dataset, training::BuildOrReadDataset(options.recordings, build, options.set));
  }
  RETURN_IF_ERROR(WriteFileAtomically(options.set + "/statistics.json", training::MeasureDataset(dataset).ToJson()));
  return Report(options.set, dataset, options.json);
}

struct StatsOptions {
  std::string set, json;
};

absl::Status Stats(const StatsOptions& options) {
  ASSIGN_OR_RETURN(const training::Dataset dataset, training::ReadShards(options.set));
  return Report(options.set, dataset, options.json);
}

}  // namespace

Action DeclareDatasetPrepare(CLI::App& app) {
  auto options = std::make_shared<PrepareOptions>();
  training::BuildOptions& build = options->build;
  build.examples.chunk_secs = 20;  // upstream's
  app.add_option("DIR", options->recordings, "Folder of recordings of one instrument, or one recording")->required();
  app.add_option("--out", options->set, "Folder of the data set")->required();
  app.add_option("--sample-rate", build.sample_rate, "Of the audio, Hz: that of the recipe (vst_48k wants 48000)")
      ->check(CLI::Range(training::kMinDatasetRate, training::kMaxDatasetRate))
      ->capture_default_str();
  app.add_option("--frame-rate", build.settings.frame_rate, "Of the features, Hz; recipes want 50")
      ->capture_default_str();
  app.add_option("--power-frame-size", build.settings.power_frame_size, "Samples of a power frame")
      ->capture_default_str();
  app.add_option("--min-f0", build.settings.min_f0_hz, "Lowest pitch, Hz")->capture_default_str();
  app.add_option("--max-f0", build.settings.max_f0_hz, "Highest pitch, Hz")->capture_default_str();
  app.add_option("--example-secs", build.examples.example_secs, "Seconds of an example")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--hop-secs", build.examples.hop_secs, "Seconds from one example to the next")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option(
         "--chunk-secs", build.examples.chunk_secs,
         "Recordings are cut into chunks of so many seconds, which no example crosses, as upstream's are; 0: they "
         "are left whole, which gives more examples")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--held-out-fraction", build.examples.held_out_fraction,
                 "Share of the material that is kept from training: whole recordings, the end of each where there are "
                 "fewer than 5")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str();
  app.add_option("--keep-silence", build.intake.kept_silence_s,
                 "Seconds of silence that stay at the beginning and the end of a recording")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--silence-db", build.intake.silence_db, "Power up to which a frame without pitch is silence")
      ->capture_default_str();
  app.add_flag("--overwrite", options->overwrite, "Replace a data set of other recordings or settings");
  app.add_option("--json", options->json, "Also write the statistics there");
  return [options] { return Prepare(*options); };
}

Action DeclareDatasetStats(CLI::App& app) {
  auto options = std::make_shared<StatsOptions>();
  app.add_option("SET", options->set, "Folder of a data set of recordings")->required();
  app.add_option("--json", options->json, "Also write them there, with tables of quantiles");
  return [options] { return Stats(*options); };
}

}  // namespace ddsp::client
