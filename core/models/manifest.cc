#include "core/models/manifest.h"

#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/models/bundle_format.h"
#include "core/models/text_proto.h"

namespace ddsp {
namespace {

namespace fs = std::filesystem;

absl::Status CheckPath(const std::string& relative) {
  const fs::path path(relative);
  if (relative.empty() || path.is_absolute() || path.lexically_normal().string() != relative) {
    return absl::InvalidArgumentError(
        absl::StrCat(kManifestFile, ": path '", relative, "' is not a plain relative path"));
  }
  for (const fs::path& part : path) {
    if (part == "..") {
      return absl::InvalidArgumentError(absl::StrCat(kManifestFile, ": path '", relative, "' leaves the bundle"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Manifest> ParseManifest(const std::string& text) {
  v1::Manifest manifest;
  if (const absl::Status parsed = ParseTextProto(text, &manifest); !parsed.ok()) {
    return absl::Status(parsed.code(), absl::StrCat(kManifestFile, ": ", parsed.message()));
  }
  std::set<std::string> paths;
  for (const v1::Manifest::File& file : manifest.files()) {
    RETURN_IF_ERROR(CheckPath(file.path()));
    if (!paths.insert(file.path()).second) {
      return absl::InvalidArgumentError(absl::StrCat(kManifestFile, ": '", file.path(), "' is listed twice"));
    }
    if (file.size() < 0 || file.size() > kMaxBundleFileBytes) {
      return absl::InvalidArgumentError(absl::StrCat(kManifestFile, ": '", file.path(), "' has ", file.size(),
                                                     " bytes, outside [0, ", kMaxBundleFileBytes, "]"));
    }
  }
  for (const char* required : {kSpecFile, kWeightsFile, kGoldenFile}) {
    if (paths.count(required) == 0) {
      return absl::NotFoundError(absl::StrCat(kManifestFile, ": '", required, "' is not listed"));
    }
  }
  return manifest;
}

absl::Status CheckListed(const v1::Manifest::File& file, const std::string& content) {
  if (content.size() != static_cast<size_t>(file.size())) {
    return absl::DataLossError(
        absl::StrCat(file.path(), ": ", content.size(), " bytes, the manifest says ", file.size()));
  }
  if (Sha256Hex(content) != file.sha256()) {
    return absl::DataLossError(
        absl::StrCat(file.path(), ": its SHA-256 is not the manifest's; the file was changed or damaged"));
  }
  return absl::OkStatus();
}

absl::Status CopyBundle(const ReadBundleFile& read, const WriteBundleFile& write) {
  ASSIGN_OR_RETURN(const std::string text, read(kManifestFile));
  ASSIGN_OR_RETURN(const v1::Manifest manifest, ParseManifest(text));
  for (const v1::Manifest::File& file : manifest.files()) {
    ASSIGN_OR_RETURN(const std::string content, read(file.path()));
    RETURN_IF_ERROR(CheckListed(file, content));
    RETURN_IF_ERROR(write(file.path(), content));
  }
  const absl::StatusOr<std::string> card = read(kCardFile);
  if (card.ok()) RETURN_IF_ERROR(write(kCardFile, *card));
  if (!card.ok() && !absl::IsNotFound(card.status())) return card.status();
  return write(kManifestFile, text);
}

}  // namespace ddsp
