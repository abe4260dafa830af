#include "core/training/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/pitch.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"

namespace ddsp::training {
namespace {

constexpr int kFeatureColumns = 5;  // f0_hz, f0_confidence, voiced, loudness_db, power_db
constexpr char kIndexFile[] = "dataset.safetensors";

std::string ShardName(int64_t shard) { return absl::StrFormat("shard-%05d.safetensors", shard); }

std::vector<float> ToColumns(absl::Span<const FeatureFrame> frames) {
  std::vector<float> values;
  values.reserve(frames.size() * kFeatureColumns);
  for (const FeatureFrame& frame : frames) {
    values.insert(values.end(),
                  {frame.f0_hz, frame.f0_confidence, frame.voiced ? 1.0f : 0.0f, frame.loudness_db, frame.power_db});
  }
  return values;
}

std::vector<FeatureFrame> FromColumns(const std::vector<float>& values) {
  std::vector<FeatureFrame> frames(values.size() / kFeatureColumns);
  for (size_t t = 0; t < frames.size(); ++t) {
    const float* row = &values[t * kFeatureColumns];
    frames[t] = {row[0], row[1], row[2] != 0, row[3], row[4]};
  }
  return frames;
}

std::string Key(int64_t recording, const char* what) { return absl::StrFormat("%06d/%s", recording, what); }

// Settings as tensors: a text would have to be parsed.
std::vector<float> Pack(const FeatureSettings& s) {
  return {static_cast<float>(s.sample_rate),
          static_cast<float>(s.frame_rate),
          static_cast<float>(s.power_frame_size),
          static_cast<float>(s.loudness_fft_size),
          s.min_f0_hz,
          s.max_f0_hz,
          static_cast<float>(s.version)};
}

absl::StatusOr<FeatureSettings> Unpack(const std::vector<float>& v) {
  if (v.size() != 7) return absl::InvalidArgumentError("settings have the wrong size");
  FeatureSettings s{
      static_cast<int>(v[0]), static_cast<int>(v[1]), static_cast<int>(v[2]), static_cast<int>(v[3]), v[4], v[5],
      static_cast<int>(v[6])};
  RETURN_IF_ERROR(ValidateFeatureSettings(s));
  return s;
}

absl::Status ReadShard(const std::string& path, int hop, std::vector<Recording>* recordings) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Read(path));
  for (const auto& [key, name] : file.metadata()) {
    Recording recording{name, {}, {}};
    ASSIGN_OR_RETURN(recording.audio, file.GetFloats(key + "/audio"));
    ASSIGN_OR_RETURN(const std::vector<float> columns, file.GetFloats(key + "/features"));
    recording.frames = FromColumns(columns);
    if (recording.frames.size() != recording.audio.size() / hop + 1) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": '", name, "' has ", recording.frames.size(),
                                                     " frames for ", recording.audio.size(), " samples"));
    }
    recordings->push_back(std::move(recording));
  }
  return absl::OkStatus();
}

}  // namespace

double Dataset::seconds() const {
  double samples = 0;
  for (const Recording& recording : recordings) samples += static_cast<double>(recording.audio.size());
  return samples / settings.sample_rate;
}

double Dataset::voiced_seconds() const {
  double frames = 0;
  for (const Recording& recording : recordings) {
    frames += static_cast<double>(std::count_if(recording.frames.begin(), recording.frames.end(),
                                                [](const FeatureFrame& frame) { return frame.voiced; }));
  }
  return frames / settings.frame_rate;
}

absl::Status CheckVoiced(const Dataset& dataset, double min_voiced_seconds) {
  const double voiced = dataset.voiced_seconds();
  if (voiced >= min_voiced_seconds) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("found %.1f s of voiced material in %d recordings of %.1f s; training needs at least %.0f s",
                      voiced, dataset.recordings.size(), dataset.seconds(), min_voiced_seconds));
}

absl::StatusOr<MaterialProfile> MeasureMaterial(const Dataset& dataset) {
  std::vector<FeatureFrame> frames;
  std::vector<float> midi;
  for (const Recording& recording : dataset.recordings) {
    frames.insert(frames.end(), recording.frames.begin(), recording.frames.end());
  }
  for (const FeatureFrame& frame : frames) {
    if (frame.voiced) midi.push_back(static_cast<float>(HzToMidi(frame.f0_hz)));
  }
  MaterialProfile material;
  ASSIGN_OR_RETURN(material.profile, MeasureProfile("training material", frames, dataset.settings.frame_rate));
  std::sort(midi.begin(), midi.end());
  material.min_pitch_midi = midi[midi.size() / 100];
  material.max_pitch_midi = midi[midi.size() - 1 - midi.size() / 100];
  return material;
}

absl::Status WriteShards(const std::string& directory, const Dataset& dataset, int64_t shard_bytes) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  std::filesystem::create_directories(directory, error);
  if (error) return absl::InternalError(absl::StrCat(directory, ": ", error.message()));
  int64_t shards = 0, bytes = 0;
  SafetensorsWriter writer;
  const auto flush = [&]() -> absl::Status {
    if (bytes == 0) return absl::OkStatus();
    RETURN_IF_ERROR(writer.Write(directory + "/" + ShardName(shards++)));
    writer = SafetensorsWriter();
    bytes = 0;
    return absl::OkStatus();
  };
  for (size_t r = 0; r < dataset.recordings.size(); ++r) {
    const Recording& recording = dataset.recordings[r];
    const std::vector<float> columns = ToColumns(recording.frames);
    writer.AddFloats(Key(r, "audio"), {static_cast<int64_t>(recording.audio.size())}, recording.audio.data());
    writer.AddFloats(Key(r, "features"), {static_cast<int64_t>(recording.frames.size()), kFeatureColumns},
                     columns.data());
    writer.SetMetadata(absl::StrFormat("%06d", r), recording.name);
    bytes += static_cast<int64_t>((recording.audio.size() + columns.size()) * sizeof(float));
    if (bytes >= shard_bytes) RETURN_IF_ERROR(flush());
  }
  RETURN_IF_ERROR(flush());
  SafetensorsWriter index;
  const std::vector<float> settings = Pack(dataset.settings);
  index.AddFloats("settings", {static_cast<int64_t>(settings.size())}, settings.data());
  index.SetMetadata("fingerprint", dataset.fingerprint);
  index.SetMetadata("shards", absl::StrCat(shards));
  return index.Write(absl::StrCat(directory, "/", kIndexFile));
}

absl::StatusOr<Dataset> ReadShards(const std::string& directory) {
  ASSIGN_OR_RETURN(const Safetensors index, Safetensors::Read(absl::StrCat(directory, "/", kIndexFile)));
  Dataset dataset;
  ASSIGN_OR_RETURN(const std::vector<float> settings, index.GetFloats("settings"));
  ASSIGN_OR_RETURN(dataset.settings, Unpack(settings));
  const auto metadata = [&](const char* key) {
    const auto found = index.metadata().find(key);
    return found == index.metadata().end() ? std::string() : found->second;
  };
  dataset.fingerprint = metadata("fingerprint");
  int64_t shards = 0;
  if (!absl::SimpleAtoi(metadata("shards"), &shards)) {
    return absl::InvalidArgumentError(absl::StrCat(directory, ": the index does not say how many shards there are"));
  }
  for (int64_t shard = 0; shard < shards; ++shard) {
    RETURN_IF_ERROR(ReadShard(directory + "/" + ShardName(shard), dataset.settings.hop(), &dataset.recordings));
  }
  return dataset;
}

}  // namespace ddsp::training
