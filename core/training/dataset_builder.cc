#include "core/training/dataset_builder.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

bool IsRecording(const fs::path& path) {
  static constexpr std::array kEndings = {".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", ".w64", ".caf"};
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
    return absl::NotFoundError(absl::StrCat(path.string(), ": the folder holds no recordings (WAV, FLAC, AIFF, Ogg)"));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string Fingerprint(const std::vector<fs::path>& recordings, const FeatureSettings& settings) {
  std::string text = absl::StrCat("2 ", settings.sample_rate, " ", settings.frame_rate, " ", settings.power_frame_size,
                                  " ", settings.loudness_fft_size, " ", settings.min_f0_hz, " ", settings.max_f0_hz,
                                  " ", settings.version, "\n");
  for (const fs::path& path : recordings) {
    std::error_code error;
    absl::StrAppend(&text, fs::absolute(path, error).string(), " ", fs::file_size(path, error), " ",
                    fs::last_write_time(path, error).time_since_epoch().count(), "\n");
  }
  return Sha256Hex(text);
}

absl::StatusOr<Recording> ReadRecording(const fs::path& path, const fs::path& root, const FeatureExtractor& extractor) {
  ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(path.string()));
  Recording recording;
  recording.name = path == root ? path.filename().string() : path.lexically_relative(root).string();
  ASSIGN_OR_RETURN(recording.audio, ResampleFile(file.samples, file.sample_rate, extractor.settings().sample_rate));
  recording.frames = extractor.Extract(recording.audio);
  return recording;
}

absl::StatusOr<Dataset> Build(const fs::path& root, const std::vector<fs::path>& paths, const BuildOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FeatureExtractor> extractor, FeatureExtractor::Create(options.settings));
  Dataset dataset{options.settings, {}, Fingerprint(paths, options.settings)};
  for (const fs::path& path : paths) {
    if (options.progress)
      options.progress(static_cast<double>(dataset.recordings.size()) / static_cast<double>(paths.size()));
    ASSIGN_OR_RETURN(Recording recording, ReadRecording(path, root, *extractor));
    dataset.recordings.push_back(std::move(recording));
  }
  if (options.progress) options.progress(1);
  return dataset;
}

}  // namespace

absl::StatusOr<Dataset> BuildDataset(const std::string& path, const BuildOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<fs::path> paths, FindRecordings(path, options.exclude));
  return Build(path, paths, options);
}

absl::StatusOr<Dataset> BuildOrReadDataset(const std::string& path, const BuildOptions& options,
                                           const std::string& cache_directory) {
  ASSIGN_OR_RETURN(const std::vector<fs::path> paths, FindRecordings(path, options.exclude));
  absl::StatusOr<Dataset> cached = ReadShards(cache_directory);
  if (cached.ok() && cached->fingerprint == Fingerprint(paths, options.settings)) return cached;
  ASSIGN_OR_RETURN(Dataset dataset, Build(path, paths, options));
  RETURN_IF_ERROR(WriteShards(cache_directory, dataset));
  return dataset;
}

}  // namespace ddsp::training
