#include "core/training/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

void Add(const std::string& prefix, const Parameters& parameters, SafetensorsWriter* writer) {
  for (const auto& [name, value] : parameters) {
    const at::Tensor values = value.contiguous();
    writer->AddFloats(prefix + name, values.sizes().vec(), values.data_ptr<float>());
  }
}

absl::StatusOr<Parameters> Get(const Safetensors& file, const std::string& path, const std::string& prefix,
                               const ParameterShapeMap& shapes) {
  Parameters parameters;
  for (const auto& [name, sizes] : shapes) {
    ASSIGN_OR_RETURN(const TensorView view, file.Get(prefix + name));
    if (view.shape != sizes) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": '", prefix, name, "' has shape [",
                                                     absl::StrJoin(view.shape, ","), "], not [",
                                                     absl::StrJoin(sizes, ","), "]"));
    }
    ASSIGN_OR_RETURN(const std::vector<float> values, file.GetFloats(prefix + name));
    parameters[name] = at::empty(sizes);
    std::copy(values.begin(), values.end(), parameters[name].data_ptr<float>());
  }
  return parameters;
}

}  // namespace

std::vector<std::string> ListCheckpoints(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (absl::StartsWith(name, "checkpoint-") && absl::EndsWith(name, ".safetensors"))
      paths.push_back(it->path().string());
  }
  // The names sort by step.
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string CheckpointPath(const std::string& directory, int64_t step) {
  return absl::StrFormat("%s/checkpoint-%09d.safetensors", directory, step);
}

std::string LatestCheckpoint(const std::string& directory) {
  const std::vector<std::string> paths = ListCheckpoints(directory);
  return paths.empty() ? "" : paths.back();
}

absl::Status WriteCheckpoint(const std::string& directory, const Checkpoint& checkpoint, int keep) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return absl::InternalError(absl::StrCat(directory, ": ", error.message()));
  SafetensorsWriter writer;
  Add("weights/", checkpoint.weights, &writer);
  Add("first_moments/", checkpoint.first_moments, &writer);
  Add("second_moments/", checkpoint.second_moments, &writer);
  writer.SetMetadata("step", absl::StrCat(checkpoint.step));
  writer.SetMetadata("seed", absl::StrCat(checkpoint.seed));
  writer.SetMetadata("run_options", checkpoint.run_options);
  writer.SetMetadata("smoothed_loss", absl::StrFormat("%.17g", checkpoint.smoothed_loss));
  RETURN_IF_ERROR(writer.Write(CheckpointPath(directory, checkpoint.step)));
  std::vector<std::string> paths = ListCheckpoints(directory);
  for (size_t i = 0; i + keep < paths.size(); ++i) fs::remove(paths[i], error);
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path, const ParameterShapeMap& shapes) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Read(path));
  Checkpoint checkpoint;
  const auto metadata = [&](const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  if (!absl::SimpleAtoi(metadata("step"), &checkpoint.step) || !absl::SimpleAtoi(metadata("seed"), &checkpoint.seed)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no step or seed in the metadata"));
  }
  checkpoint.run_options = metadata("run_options");
  // Runs of older releases did not say.
  if (!absl::SimpleAtod(metadata("smoothed_loss"), &checkpoint.smoothed_loss)) checkpoint.smoothed_loss = 0;
  ASSIGN_OR_RETURN(checkpoint.weights, Get(file, path, "weights/", shapes));
  ASSIGN_OR_RETURN(checkpoint.first_moments, Get(file, path, "first_moments/", shapes));
  ASSIGN_OR_RETURN(checkpoint.second_moments, Get(file, path, "second_moments/", shapes));
  return checkpoint;
}

absl::StatusOr<Checkpoint> ReadLatestCheckpoint(const std::string& directory, const ParameterShapeMap& shapes) {
  std::vector<std::string> paths = ListCheckpoints(directory);
  for (; !paths.empty(); paths.pop_back()) {
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(paths.back(), shapes);
    if (checkpoint.ok()) return checkpoint;
  }
  return absl::NotFoundError(absl::StrCat(directory, ": no checkpoint that can be read"));
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path, const VoiceShape& shape) {
  return ReadCheckpoint(path, ParameterShapes(shape));
}

absl::StatusOr<Checkpoint> ReadLatestCheckpoint(const std::string& directory, const VoiceShape& shape) {
  return ReadLatestCheckpoint(directory, ParameterShapes(shape));
}

}  // namespace ddsp::training
