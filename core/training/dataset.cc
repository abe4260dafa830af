#include "core/training/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/pitch.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/training/dataset_writer.h"

namespace ddsp::training {
namespace {

std::vector<FeatureFrame> FromColumns(const std::vector<float>& values) {
  std::vector<FeatureFrame> frames(values.size() / kShardFeatureColumns);
  for (size_t t = 0; t < frames.size(); ++t) {
    const float* row = &values[t * kShardFeatureColumns];
    frames[t] = {row[0], row[1], row[2] != 0, row[3], row[4]};
  }
  return frames;
}

absl::StatusOr<FeatureSettings> Unpack(const std::vector<float>& v) {
  if (v.size() != 7) return absl::InvalidArgumentError("settings have the wrong size");
  // No setting is as large, or below zero; NaN is none either.
  const auto whole = [](float x) { return x >= 0 && x <= 1e6f ? static_cast<int>(x) : -1; };
  FeatureSettings s{whole(v[0]), whole(v[1]), whole(v[2]), whole(v[3]), v[4], v[5], whole(v[6])};
  RETURN_IF_ERROR(ValidateFeatureSettings(s));
  return s;
}

// Where the file has them, if they lie there as a float is read.
absl::StatusOr<SharedArray<float>> MappedFloats(const std::shared_ptr<const Safetensors>& file,
                                                const std::string& name) {
  ASSIGN_OR_RETURN(const TensorView view, file->Get(name));
  if (view.dtype != DType::kF32 || reinterpret_cast<uintptr_t>(view.bytes.data()) % alignof(float) != 0) {
    ASSIGN_OR_RETURN(std::vector<float> values, file->GetFloats(name));
    return SharedArray<float>(std::move(values));
  }
  return SharedArray<float>(file, absl::MakeConstSpan(reinterpret_cast<const float*>(view.bytes.data()),
                                                      static_cast<size_t>(view.elements())));
}

absl::Status ReadShard(const std::string& path, int hop, std::vector<Recording>* recordings) {
  ASSIGN_OR_RETURN(Safetensors mapped, Safetensors::Map(path));
  const auto file = std::make_shared<const Safetensors>(std::move(mapped));
  for (const auto& [key, name] : file->metadata()) {
    Recording recording{name, {}, {}};
    ASSIGN_OR_RETURN(recording.audio, MappedFloats(file, key + "/audio"));
    ASSIGN_OR_RETURN(const std::vector<float> columns, file->GetFloats(key + "/features"));
    if (!std::all_of(columns.begin(), columns.end(), [](float x) { return std::isfinite(x); })) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": '", name, "' has features that are not finite"));
    }
    recording.frames = FromColumns(columns);
    if (recording.frames.size() != recording.audio.size() / hop + 1) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": '", name, "' has ", recording.frames.size(),
                                                     " frames for ", recording.audio.size(), " samples"));
    }
    recordings->push_back(std::move(recording));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExampleSettings> ParseExamples(const std::string& text) {
  ExampleSettings examples;
  if (text.empty()) return examples;  // of a set that was written before they were stored
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto number = [&](const char* key, double* value) {
    const bool there = json.is_object() && json.contains(key) && json[key].is_number();
    if (there) *value = json[key].get<double>();
    return there && std::isfinite(*value) && *value >= 0;
  };
  const bool complete = number("example_secs", &examples.example_secs) && number("hop_secs", &examples.hop_secs) &&
                        number("chunk_secs", &examples.chunk_secs) &&
                        number("held_out_fraction", &examples.held_out_fraction);
  if (complete && examples.example_secs > 0 && examples.hop_secs > 0) return examples;
  return absl::InvalidArgumentError(absl::StrCat("examples are '", text, "'"));
}

std::vector<RecordingRemark> ParseRemarks(const std::string& text) {
  std::vector<RecordingRemark> remarks;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return remarks;
  const auto text_of = [](const nlohmann::json& remark, const char* key) {
    const auto found = remark.find(key);
    return found != remark.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const nlohmann::json& remark : json) {
    if (remark.is_object()) remarks.push_back({text_of(remark, "name"), text_of(remark, "text")});
  }
  return remarks;
}

}  // namespace

double Dataset::seconds() const {
  double samples = 0;
  for (const Recording& recording : recordings) samples += static_cast<double>(recording.audio.size());
  return samples / sample_rate;
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

absl::Status ValidateDatasetRate(int sample_rate, const FeatureSettings& settings) {
  if (sample_rate >= kMinDatasetRate && sample_rate <= kMaxDatasetRate && sample_rate % settings.frame_rate == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("sample rate ", sample_rate, " Hz is no multiple of ",
                                                 settings.frame_rate, " frames a second from ", kMinDatasetRate, " to ",
                                                 kMaxDatasetRate));
}

bool IsDataset(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(absl::StrCat(path, "/", kDatasetIndexFile), error);
}

absl::Status WriteShards(const std::string& directory, const Dataset& dataset, int64_t shard_bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<DatasetWriter> writer, DatasetWriter::Create(directory, shard_bytes));
  for (const Recording& recording : dataset.recordings) {
    RETURN_IF_ERROR(writer->Begin(recording.name));
    RETURN_IF_ERROR(writer->Append(recording.audio.span()));
    RETURN_IF_ERROR(writer->End(static_cast<int64_t>(recording.audio.size()), recording.frames));
  }
  return writer->Finish(dataset);
}

absl::StatusOr<Dataset> ReadShards(const std::string& directory) {
  ASSIGN_OR_RETURN(const Safetensors index, Safetensors::Read(absl::StrCat(directory, "/", kDatasetIndexFile)));
  Dataset dataset;
  ASSIGN_OR_RETURN(const std::vector<float> settings, index.GetFloats("settings"));
  ASSIGN_OR_RETURN(dataset.settings, Unpack(settings));
  const auto metadata = [&](const char* key) {
    const auto found = index.metadata().find(key);
    return found == index.metadata().end() ? std::string() : found->second;
  };
  dataset.fingerprint = metadata("fingerprint");
  // Sets of before there were others do not say it.
  const std::string rate = metadata("sample_rate");
  if (!rate.empty() && (!absl::SimpleAtoi(rate, &dataset.sample_rate) ||
                        !ValidateDatasetRate(dataset.sample_rate, dataset.settings).ok())) {
    return absl::InvalidArgumentError(absl::StrCat(directory, ": the sample rate is '", rate, "'"));
  }
  dataset.skipped = ParseRemarks(metadata("skipped"));
  dataset.warnings = ParseRemarks(metadata("warnings"));
  ASSIGN_OR_RETURN(dataset.examples, ParseExamples(metadata("examples")));
  int64_t shards = 0;
  if (!absl::SimpleAtoi(metadata("shards"), &shards)) {
    return absl::InvalidArgumentError(absl::StrCat(directory, ": the index does not say how many shards there are"));
  }
  for (int64_t shard = 0; shard < shards; ++shard) {
    RETURN_IF_ERROR(ReadShard(absl::StrCat(directory, "/", ShardName(shard)), dataset.hop(), &dataset.recordings));
  }
  return dataset;
}

}  // namespace ddsp::training
