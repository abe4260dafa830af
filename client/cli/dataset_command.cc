// ddsp dataset: sets of examples to train models with.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/command.h"
#include "client/cli/progress_bar.h"
#include "core/base/status_macros.h"
#include "core/datasets/feature_ranges.h"
#include "core/datasets/record_import.h"
#include "core/datasets/synthetic_set.h"
#include "core/training/dataset_statistics.h"

namespace ddsp::client {
namespace {

absl::Status Summarize(const std::string& directory) {
  ASSIGN_OR_RETURN(const ExampleSet set, ExampleSet::Open(directory));
  std::cout << directory << ": " << set.size() << " examples in " << set.index().shards.size() << " shards, features "
            << absl::StrJoin(set.names(), ", ") << "\n";
  return absl::OkStatus();
}

struct SyntheticOptions {
  std::string directory, generator = "notes-v2";
  SyntheticSetSettings set;
  int64_t shard_mb = 64;
  bool audio = false;
};

absl::Status GenerateSynthetic(SyntheticOptions options) {
  ASSIGN_OR_RETURN(options.set.generator, ParseNotesGenerator(options.generator));
  options.set.audio = options.audio ? NotesAudio::kStored : NotesAudio::kLeftOut;
  options.set.shard_bytes = options.shard_mb << 20;
  {
    ProgressBar bar("generating");
    RETURN_IF_ERROR(WriteSyntheticSet(options.set, options.directory, [&](double done) { bar.Show(done); }));
  }
  return Summarize(options.directory);
}

struct RecordOptions {
  std::string pattern, directory;
  RecordLayout layout;
  bool centered = false;
};

absl::Status ImportTfRecord(RecordOptions options) {
  options.layout.frames = options.centered ? RecordFrames::kCentered : RecordFrames::kFromHop;
  RecordImport imported;
  {
    ProgressBar bar("importing");
    ASSIGN_OR_RETURN(const std::vector<std::string> files, FindRecordFiles(options.pattern));
    ASSIGN_OR_RETURN(imported,
                     ImportRecords(files, options.layout, options.directory, [&](double done) { bar.Show(done); }));
  }
  if (!imported.left_out.empty()) std::cout << "left out: " << absl::StrJoin(imported.left_out, ", ") << "\n";
  return Summarize(options.directory);
}

// What a set of recordings is made of.
absl::Status ShowRecordings(const std::string& directory) {
  ASSIGN_OR_RETURN(const training::Dataset dataset, training::ReadShards(directory));
  const training::DatasetStatistics statistics = training::MeasureDataset(dataset);
  const FeatureSettings& settings = dataset.settings;
  const training::ExampleSettings& examples = dataset.examples;
  std::cout << absl::StrFormat(
      "%d recordings, %.1f s at %d Hz; %d frames a second, power over %d samples, pitch %g to %g Hz\n"
      "examples of %g s every %g s, %s; %g %% held out\n",
      dataset.recordings.size(), dataset.seconds(), dataset.sample_rate, settings.frame_rate, settings.power_frame_size,
      static_cast<double>(settings.min_f0_hz), static_cast<double>(settings.max_f0_hz), examples.example_secs,
      examples.hop_secs,
      examples.chunk_secs > 0 ? absl::StrCat("in chunks of ", examples.chunk_secs, " s") : "recordings left whole",
      100 * examples.held_out_fraction);
  for (const training::RecordingStatistics& recording : statistics.recordings) {
    std::cout << absl::StrFormat("%10.1f s, %8.1f s voiced  %s%s\n", recording.seconds, recording.voiced_seconds,
                                 recording.name, recording.held_out ? "  (held out, or its end)" : "");
  }
  return absl::OkStatus();
}

absl::Status Show(const std::string& directory) {
  if (training::IsDataset(directory)) return ShowRecordings(directory);
  ASSIGN_OR_RETURN(const ExampleSet set, ExampleSet::Open(directory));
  ASSIGN_OR_RETURN(const auto ranges, MeasureFeatures(set));
  const ExampleIndex& index = set.index();
  std::cout << index.recipe << "\n"
            << set.size() << " examples in " << index.shards.size() << " shards, " << index.sample_rate << " Hz, "
            << index.frame_rate << " frames a second\n";
  std::cout << absl::StrFormat("%-20s %-16s %12s %12s %12s\n", "feature", "shape", "min", "mean", "max");
  for (const auto& [name, shape] : index.features) {
    const std::string of_example = absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
    const auto range = ranges.find(name);
    if (range == ranges.end()) {
      std::cout << absl::StrFormat("%-20s %s\n", name, of_example);
    } else {
      std::cout << absl::StrFormat("%-20s %-16s %12.6g %12.6g %12.6g\n", name, of_example, range->second.min,
                                   range->second.mean, range->second.max);
    }
  }
  return absl::OkStatus();
}

}  // namespace

Action DeclareDatasetGenerateSynthetic(CLI::App& app) {
  auto options = std::make_shared<SyntheticOptions>();
  SyntheticSetSettings& set = options->set;
  NotesSettings& notes = set.notes;
  app.add_option("--out", options->directory, "Folder of the data set; an unfinished one is gone on with")->required();
  app.add_option("--num-examples", set.num_examples, "How many")->capture_default_str();
  app.add_option("--seed", set.seed, "The same seed gives the same examples")->capture_default_str();
  app.add_option("--generator", options->generator, "notes (equally long ones) or notes-v2")->capture_default_str();
  app.add_option("--example-secs", set.example_secs, "What an example's frames last")->capture_default_str();
  app.add_option("--sample-rate", notes.sample_rate, "Hz; harmonics above half of it are silent")
      ->capture_default_str();
  app.add_option("--n-timesteps", notes.n_timesteps, "Frames of an example")->capture_default_str();
  app.add_option("--n-harmonics", notes.n_harmonics, "Harmonics of a note")->capture_default_str();
  app.add_option("--n-mags", notes.n_mags, "Bands of its noise")->capture_default_str();
  app.add_option("--min-note-length", notes.min_note_length, "Frames")->capture_default_str();
  app.add_option("--max-note-length", notes.max_note_length, "Frames")->capture_default_str();
  app.add_option("--p-silent", notes.p_silent, "Share of notes that are rests")->capture_default_str();
  app.add_option("--p-vibrato", notes.p_vibrato, "Share of the others that have a vibrato")->capture_default_str();
  app.add_flag("--audio", options->audio, "Also store how it sounds; models make it themselves otherwise");
  app.add_option("--shard-mb", options->shard_mb, "Size of a file of the set, MiB")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  return [options] { return GenerateSynthetic(*options); };
}

Action DeclareDatasetImportTfRecord(CLI::App& app) {
  auto options = std::make_shared<RecordOptions>();
  RecordLayout& layout = options->layout;
  app.add_option("PATTERN", options->pattern,
                 "Files of upstream's data set, of recordings or synthetic notes, 'train.tfrecord*'; in quotes")
      ->required();
  app.add_option("--out", options->directory, "Folder of the data set; an unfinished one is gone on with")->required();
  app.add_option("--example-secs", layout.example_secs, "Seconds of an example")->capture_default_str();
  app.add_option("--sample-rate", layout.sample_rate, "Of `audio`, Hz")->capture_default_str();
  app.add_option("--frame-rate", layout.frame_rate,
                 "Of the features of recordings, Hz; synthetic notes say it themselves")
      ->capture_default_str();
  app.add_flag("--centered", options->centered, "Recordings that were prepared with --center: one frame more");
  return [options] { return ImportTfRecord(*options); };
}

Action DeclareDatasetShow(CLI::App& app) {
  auto directory = std::make_shared<std::string>();
  app.add_option("DIR", *directory, "Folder of the data set")->required();
  return [directory] { return Show(*directory); };
}

}  // namespace ddsp::client
