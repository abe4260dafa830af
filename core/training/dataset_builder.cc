#include "core/training/dataset_builder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

bool IsRecording(const fs::path& path) {
  static constexpr std::array kEndings = {".wav", ".flac", ".aif", ".aiff", ".au",   ".ogg",
                                          ".oga", ".opus", ".mp3", ".w64",  ".rf64", ".caf"};
  const std::string ending = absl::AsciiStrToLower(path.extension().string());
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

bool IsHidden(const fs::path& path) { return path.filename().string().starts_with("."); }

// Whether `path` is `folder` or lies below it, links resolved.
bool IsWithin(const fs::path& path, const std::string& folder) {
  if (folder.empty()) return false;
  std::error_code error;
  const fs::path inner = fs::weakly_canonical(path, error), outer = fs::weakly_canonical(folder, error);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// Paths of the recordings, sorted.
absl::StatusOr<std::vector<fs::path>> FindRecordings(const fs::path& path, const std::string& exclude) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return absl::NotFoundError(absl::StrCat(path.string(), ": no such file or folder"));
  if (!fs::is_directory(status)) return std::vector<fs::path>{path};
  std::vector<fs::path> found;
  auto walk = fs::recursive_directory_iterator(path, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (IsHidden(walk->path())) {
      if (walk->is_directory()) walk.disable_recursion_pending();
      continue;
    }
    if (!walk->is_regular_file() || !IsRecording(walk->path()) || IsWithin(walk->path(), exclude)) continue;
    found.push_back(walk->path());
  }
  if (error) return absl::PermissionDeniedError(absl::StrCat(path.string(), ": ", error.message()));
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrCat(path.string(), ": the folder holds no recordings (WAV, FLAC, AIFF, Ogg, MP3)"));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string Fingerprint(const std::vector<fs::path>& recordings, const BuildOptions& options) {
  const FeatureSettings& settings = options.settings;
  const ExampleSettings& examples = options.examples;
  std::string text =
      absl::StrCat("3 ", settings.sample_rate, " ", settings.frame_rate, " ", settings.power_frame_size, " ",
                   settings.loudness_fft_size, " ", settings.min_f0_hz, " ", settings.max_f0_hz, " ", settings.version);
  absl::StrAppend(&text, " ", options.intake.kept_silence_s, " ", options.intake.silence_db, " ", examples.example_secs,
                  " ", examples.hop_secs, " ", examples.chunk_secs, " ", examples.held_out_fraction);
  if (options.sample_rate != settings.sample_rate) absl::StrAppend(&text, " at ", options.sample_rate);
  absl::StrAppend(&text, "\n");
  for (const fs::path& path : recordings) {
    std::error_code error;
    absl::StrAppend(&text, fs::absolute(path, error).string(), " ", fs::file_size(path, error), " ",
                    fs::last_write_time(path, error).time_since_epoch().count(), "\n");
  }
  return Sha256Hex(text);
}

// Recordings that stay in memory.
class MemorySink : public RecordingSink {
 public:
  explicit MemorySink(std::vector<Recording>* recordings) : recordings_(*recordings) {}

  absl::Status Begin(const std::string& name) override {
    name_ = name;
    audio_.clear();
    return absl::OkStatus();
  }
  absl::Status Append(absl::Span<const float> audio) override {
    audio_.insert(audio_.end(), audio.begin(), audio.end());
    return absl::OkStatus();
  }
  absl::Status End(int64_t samples, const std::vector<FeatureFrame>& frames) override {
    audio_.resize(samples);
    recordings_.push_back({name_, std::exchange(audio_, {}), frames});
    return absl::OkStatus();
  }
  absl::Status Drop() override { return absl::OkStatus(); }

 private:
  std::vector<Recording>& recordings_;
  std::string name_;
  std::vector<float> audio_;
};

// Without the path in front: the remark has the name.
std::string WithoutPath(const absl::Status& status, const fs::path& path) {
  return std::string(absl::StripPrefix(status.message(), absl::StrCat(path.string(), ": ")));
}

// An error of one recording, with which the others can still be used.
bool IsOfTheRecording(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) || absl::IsNotFound(status) ||
         absl::IsPermissionDenied(status);
}

// The whole reason why there is nothing to train on.
absl::Status NothingIsLeft(const fs::path& root, const Dataset& dataset) {
  std::vector<std::string> reasons;
  for (const RecordingRemark& remark : dataset.skipped) reasons.push_back(absl::StrCat(remark.name, ": ", remark.text));
  return absl::InvalidArgumentError(
      absl::StrCat(root.string(), ": no recording can be used. ", absl::StrJoin(reasons, "; ")));
}

// Settings, fingerprint and remarks; the recordings go to the sink.
absl::StatusOr<Dataset> Build(const fs::path& root, const std::vector<fs::path>& paths, const BuildOptions& options,
                              RecordingSink& sink) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FeatureExtractor> extractor, FeatureExtractor::Create(options.settings));
  RETURN_IF_ERROR(ValidateDatasetRate(options.sample_rate, options.settings));
  Dataset dataset{options.settings, {}, Fingerprint(paths, options), options.examples, {}, {}, options.sample_rate};
  std::map<std::string, std::string> known;  // digest to name
  double done = 0, all = 0;
  std::error_code error;
  for (const fs::path& path : paths) all += static_cast<double>(fs::file_size(path, error)) + 1;
  for (const fs::path& path : paths) {
    const std::string name = path == root ? path.filename().string() : path.lexically_relative(root).string();
    const absl::StatusOr<Intake> intake =
        TakeIn(path.string(), name, {*extractor, options.sample_rate}, options.intake, known, sink);
    if (intake.ok()) {
      known.emplace(intake->digest, name);
      for (const std::string& warning : intake->warnings) dataset.warnings.push_back({name, warning});
    } else if (IsOfTheRecording(intake.status())) {
      dataset.skipped.push_back({name, WithoutPath(intake.status(), path)});
    } else {
      return intake.status();
    }
    done += static_cast<double>(fs::file_size(path, error)) + 1;
    if (options.progress) options.progress(done / all);
  }
  if (known.empty()) return NothingIsLeft(root, dataset);
  return dataset;
}

}  // namespace

absl::StatusOr<Dataset> BuildDataset(const std::string& path, const BuildOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<fs::path> paths, FindRecordings(path, options.exclude));
  std::vector<Recording> recordings;
  MemorySink sink(&recordings);
  ASSIGN_OR_RETURN(Dataset dataset, Build(path, paths, options, sink));
  dataset.recordings = std::move(recordings);
  return dataset;
}

absl::StatusOr<Dataset> BuildDatasetIn(const std::string& directory, const std::string& path,
                                       const BuildOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<fs::path> paths, FindRecordings(path, options.exclude));
  ASSIGN_OR_RETURN(const std::unique_ptr<DatasetWriter> writer, DatasetWriter::Create(directory));
  ASSIGN_OR_RETURN(const Dataset described, Build(path, paths, options, *writer));
  RETURN_IF_ERROR(writer->Finish(described));
  return ReadShards(directory);
}

absl::StatusOr<bool> IsUpToDate(const std::string& directory, const std::string& path, const BuildOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<fs::path> paths, FindRecordings(path, options.exclude));
  const absl::StatusOr<Dataset> there = ReadShards(directory);
  return there.ok() && there->fingerprint == Fingerprint(paths, options);
}

absl::StatusOr<Dataset> BuildOrReadDataset(const std::string& path, const BuildOptions& options,
                                           const std::string& cache_directory) {
  ASSIGN_OR_RETURN(const bool up_to_date, IsUpToDate(cache_directory, path, options));
  return up_to_date ? ReadShards(cache_directory) : BuildDatasetIn(cache_directory, path, options);
}

}  // namespace ddsp::training
