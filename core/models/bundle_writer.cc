#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/text_proto.h"
#include "core/models/voice.h"

namespace ddsp {
namespace {

namespace fs = std::filesystem;

std::string FormatWeights(const std::map<std::string, Weight>& weights, WeightStorage storage) {
  SafetensorsWriter writer;
  for (const auto& [name, weight] : weights) {
    if (storage == WeightStorage::kFloat16) {
      writer.AddHalves(name, weight.shape, weight.values.data());
    } else {
      writer.AddFloats(name, weight.shape, weight.values.data());
    }
  }
  return writer.Format();
}

std::string FormatGolden(const GoldenAudio& golden) {
  SafetensorsWriter writer;
  writer.AddFloats("input", {static_cast<int64_t>(golden.input.size())}, golden.input.data());
  writer.AddFloats("output", {static_cast<int64_t>(golden.output.size())}, golden.output.data());
  writer.SetMetadata("seed", absl::StrCat(golden.seed));
  return writer.Format();
}

absl::Status AddFile(const fs::path& directory, const std::string& path, const std::string& content,
                     v1::Manifest* manifest) {
  RETURN_IF_ERROR(WriteFileAtomically(directory / path, content));
  v1::Manifest::File* file = manifest->add_files();
  file->set_path(path);
  file->set_size(content.size());
  file->set_sha256(Sha256Hex(content));
  return absl::OkStatus();
}

}  // namespace

void RoundWeights(WeightStorage storage, std::map<std::string, Weight>* weights) {
  if (storage == WeightStorage::kFloat32) return;
  const auto file = Safetensors::Parse(FormatWeights(*weights, storage));
  for (auto& [name, weight] : *weights) weight.values = *file->GetFloats(name);
}

absl::Status WriteBundle(const std::string& version_directory, const Voice& voice, WeightStorage storage) {
  const std::vector<std::string> problems = ValidateVoice(voice);
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
  const fs::path target = fs::path(version_directory).lexically_normal();
  std::error_code error;
  if (fs::exists(target, error)) {
    return absl::AlreadyExistsError(absl::StrCat(target.string(), ": a published version is never overwritten"));
  }
  const fs::path directory = absl::StrCat(target.string(), ".", getpid(), ".tmp");
  fs::create_directories(directory / fs::path(kGoldenFile).parent_path(), error);
  if (error)
    return absl::PermissionDeniedError(absl::StrCat("cannot create ", directory.string(), ": ", error.message()));
  v1::Manifest manifest;
  manifest.set_created_by("ddsp");
  RETURN_IF_ERROR(AddFile(directory, kSpecFile, FormatTextProto(voice.spec), &manifest));
  RETURN_IF_ERROR(AddFile(directory, kWeightsFile, FormatWeights(voice.weights, storage), &manifest));
  RETURN_IF_ERROR(AddFile(directory, kGoldenFile, FormatGolden(voice.golden), &manifest));
  RETURN_IF_ERROR(WriteFileAtomically(directory / kManifestFile, FormatTextProto(manifest)));
  fs::rename(directory, target, error);
  if (error) return absl::InternalError(absl::StrCat("cannot rename to ", target.string(), ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace ddsp
