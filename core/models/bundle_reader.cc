#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/manifest.h"
#include "core/models/text_proto.h"
#include "core/models/voice.h"

namespace ddsp {
namespace {

namespace fs = std::filesystem;

absl::Status AtFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

// A path of a manifest goes through no link that leads out of its directory.
absl::Status CheckInside(const fs::path& directory, const std::string& relative) {
  fs::path at = directory;
  for (const fs::path& part : fs::path(relative)) {
    at /= part;
    std::error_code error;
    if (fs::is_symlink(at, error)) {
      return absl::InvalidArgumentError(absl::StrCat(kManifestFile, ": path '", relative, "' goes through a link"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadListed(const fs::path& directory, const v1::Manifest::File& file) {
  RETURN_IF_ERROR(CheckInside(directory, file.path()));
  const std::string path = directory / file.path();
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return absl::NotFoundError(absl::StrCat(path, ": listed in the manifest but not there"));
  if (size != static_cast<uintmax_t>(file.size())) {
    return absl::DataLossError(absl::StrCat(path, ": ", size, " bytes, the manifest says ", file.size()));
  }
  ASSIGN_OR_RETURN(std::string content, ReadFile(path));
  if (const absl::Status status = CheckListed(file, content); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(directory.string(), "/", status.message()));
  }
  return content;
}

using Contents = std::map<std::string, std::string>;

absl::StatusOr<Contents> ReadAll(const fs::path& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error))
    return absl::NotFoundError(absl::StrCat(directory.string(), ": no such bundle"));
  ASSIGN_OR_RETURN(const std::string text, ReadFile(directory / kManifestFile));
  const absl::StatusOr<v1::Manifest> manifest = ParseManifest(text);
  if (!manifest.ok()) return AtFile(directory, manifest.status());
  Contents contents;
  for (const auto& file : manifest->files()) {
    ASSIGN_OR_RETURN(contents[file.path()], ReadListed(directory, file));
  }
  contents[kManifestFile] = text;
  return contents;
}

absl::Status ReadWeights(std::string bytes, Voice* voice) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Parse(std::move(bytes)));
  for (const std::string& name : file.Names()) {
    ASSIGN_OR_RETURN(std::vector<float> values, file.GetFloats(name));
    ASSIGN_OR_RETURN(const TensorView view, file.Get(name));
    voice->weights[name] = Weight{view.shape, std::move(values)};
  }
  return absl::OkStatus();
}

absl::Status ReadGolden(std::string bytes, Voice* voice) {
  ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Parse(std::move(bytes)));
  ASSIGN_OR_RETURN(voice->golden.input, file.GetFloats("input"));
  ASSIGN_OR_RETURN(voice->golden.output, file.GetFloats("output"));
  const auto seed = file.metadata().find("seed");
  if (seed == file.metadata().end() || !absl::SimpleAtoi(seed->second, &voice->golden.seed)) {
    return absl::InvalidArgumentError("metadata 'seed' is missing or no number");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Voice>> ReadBundle(const std::string& version_directory) {
  const fs::path directory = fs::path(version_directory).lexically_normal();
  ASSIGN_OR_RETURN(Contents contents, ReadAll(directory));
  auto voice = std::make_shared<Voice>();
  voice->digest = Sha256Hex(contents[kManifestFile]);
  const fs::path last = directory.has_filename() ? directory.filename() : directory.parent_path().filename();
  if (!absl::SimpleAtoi(last.string(), &voice->version)) voice->version = 0;
  absl::Status status = ParseTextProto(contents[kSpecFile], &voice->spec);
  if (!status.ok()) return AtFile(directory / kSpecFile, status);
  status = ReadWeights(std::move(contents[kWeightsFile]), voice.get());
  if (!status.ok()) return AtFile(directory / kWeightsFile, status);
  status = ReadGolden(std::move(contents[kGoldenFile]), voice.get());
  if (!status.ok()) return AtFile(directory / kGoldenFile, status);
  const std::vector<std::string> problems = ValidateVoice(*voice);
  if (!problems.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(directory.string(), ": ", absl::StrJoin(problems, "; ")));
  }
  return voice;
}

}  // namespace ddsp
