#include "core/artifacts/oci_layout.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kLayoutVersion[] = "{\"imageLayoutVersion\": \"1.0.0\"}\n";

std::string BlobPath(const std::string& directory, const std::string& digest) {
  return absl::StrCat(directory, "/blobs/sha256/", digest.substr(digest.find(':') + 1));
}

std::string IndexPath(const std::string& directory) { return directory + "/index.json"; }

absl::StatusOr<OciFile> AddBlob(const std::string& directory, const std::string& path, const std::string& content) {
  OciFile file{.path = path, .digest = OciDigest(content), .bytes = static_cast<int64_t>(content.size())};
  RETURN_IF_ERROR(WriteFileAtomically(BlobPath(directory, file.digest), content));
  return file;
}

absl::StatusOr<Json> ReadIndex(const std::string& directory) {
  const absl::StatusOr<std::string> text = ReadFile(IndexPath(directory));
  if (absl::IsNotFound(text.status())) return Json{{"schemaVersion", 2}, {"mediaType", kOciIndexType}};
  RETURN_IF_ERROR(text.status());
  Json index = Json::parse(*text, nullptr, false);
  if (!index.is_object()) return absl::InvalidArgumentError(IndexPath(directory) + " is no JSON object");
  return index;
}

Json Descriptor(const OciFile& manifest, const std::string& tag) {
  return {{"mediaType", kOciManifestType},
          {"digest", manifest.digest},
          {"size", manifest.bytes},
          {"artifactType", kOciVoiceType},
          {"annotations", {{kOciRefName, tag}}}};
}

bool HasTag(const Json& descriptor, const std::string& tag) {
  return descriptor.is_object() &&
         descriptor.value(Json::json_pointer(absl::StrCat("/annotations/", kOciRefName)), "") == tag;
}

absl::StatusOr<std::string> ReadBlob(const std::string& directory, const std::string& digest) {
  ASSIGN_OR_RETURN(std::string content, ReadFile(BlobPath(directory, digest)));
  if (OciDigest(content) == digest) return content;
  return absl::DataLossError(BlobPath(directory, digest) + " is not what its name says; it was changed or damaged");
}

}  // namespace

absl::Status AddToOciLayout(const ReadBundleFile& read, const std::map<std::string, std::string>& annotations,
                            const std::string& tag, const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory + "/blobs/sha256", error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot create ", directory));
  ASSIGN_OR_RETURN(Json index, ReadIndex(directory));
  OciManifest manifest{.files = {}, .annotations = annotations};
  RETURN_IF_ERROR(CopyBundle(read, [&](const std::string& path, const std::string& content) -> absl::Status {
    ASSIGN_OR_RETURN(OciFile file, AddBlob(directory, path, content));
    manifest.files.push_back(std::move(file));
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(AddBlob(directory, "", "{}").status());
  ASSIGN_OR_RETURN(const OciFile blob, AddBlob(directory, "", FormatOciManifest(manifest)));
  Json descriptors = Json::array();
  if (index.contains("manifests") && index["manifests"].is_array()) {
    for (const Json& other : index["manifests"]) {
      if (!HasTag(other, tag)) descriptors.push_back(other);
    }
  }
  descriptors.push_back(Descriptor(blob, tag));
  index["manifests"] = std::move(descriptors);
  RETURN_IF_ERROR(WriteFileAtomically(directory + "/oci-layout", kLayoutVersion));
  return WriteFileAtomically(IndexPath(directory), index.dump(2) + "\n");
}

absl::StatusOr<OciArtifact> OpenOciLayout(const std::string& directory, const std::string& tag) {
  ASSIGN_OR_RETURN(const std::string index, ReadFile(IndexPath(directory)));
  ASSIGN_OR_RETURN(const std::string digest, FindInOciIndex(index, tag));
  ASSIGN_OR_RETURN(const std::string text, ReadBlob(directory, digest));
  ASSIGN_OR_RETURN(OciManifest manifest, ParseOciManifest(text));
  return OciArtifact{.manifest = std::move(manifest),
                     .read_blob = [directory](const OciFile& blob) { return ReadBlob(directory, blob.digest); }};
}

ReadBundleFile ReadsArtifact(OciArtifact artifact) {
  return [artifact = std::move(artifact)](const std::string& path) -> absl::StatusOr<std::string> {
    for (const OciFile& file : artifact.manifest.files) {
      if (file.path != path) continue;
      ASSIGN_OR_RETURN(std::string content, artifact.read_blob(file));
      if (OciDigest(content) == file.digest) return content;
      return absl::DataLossError(absl::StrCat(path, ": its digest is not ", file.digest));
    }
    return absl::NotFoundError(absl::StrCat("the artifact has no file '", path, "'"));
  };
}

}  // namespace ddsp
